"""What readers see: sign-up, confirmation, preferences, leaving, the web edition and its archive."""

from flask import Blueprint

blueprint = Blueprint("portal", __name__)
