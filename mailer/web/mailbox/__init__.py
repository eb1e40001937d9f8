"""The captured mail of `mailer run`, as HTML, text and source."""

from flask import Blueprint

blueprint = Blueprint("mailbox", __name__)
