"""The pixel and the click: two addresses that must always answer, whatever else is broken."""

from flask import Blueprint

blueprint = Blueprint("track", __name__)

from mailer.web.track import views  # noqa: E402, F401  (registers the routes)
