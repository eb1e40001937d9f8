"""Sign-in, invitation, forgotten password, and one's own profile."""

from flask import Blueprint

blueprint = Blueprint("account", __name__)

from mailer.web.account import credentials, entering, profile  # noqa: E402, F401  (they add their routes)
