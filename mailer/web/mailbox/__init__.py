"""The captured mail of `mailer run`, as HTML, text and source."""

from flask import Blueprint

blueprint = Blueprint("mailbox", __name__)

from mailer.web.mailbox import views  # noqa: E402, F401  (registers the routes)
