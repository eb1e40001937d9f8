"""Lists, subscribers, suppressions, relays, accounts, the audit trail, and what needs attention."""

from flask import Blueprint

blueprint = Blueprint("admin", __name__)
