"""Newsletters, issues, their review, and their mailings."""

from flask import Blueprint

blueprint = Blueprint("desk", __name__)
