"""Sign-in, invitation, forgotten password, and one's own profile."""

from flask import Blueprint

blueprint = Blueprint("account", __name__)
