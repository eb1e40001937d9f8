"""The pixel and the click: two addresses that must always answer."""

from flask import Blueprint

blueprint = Blueprint("track", __name__)
