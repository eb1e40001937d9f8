"""What readers see: sign-up, confirmation, preferences, leaving, the web edition and its archive."""

from flask import Blueprint

blueprint = Blueprint("portal", __name__)

# The views hang themselves on the blueprint, which therefore comes first.
from mailer.web.portal import (  # noqa: E402
    archive,
    confirming,
    corrections,
    feeds,
    home,
    leaving,
    moving,
    personal,
    preferences,
    print_editions,
    reading,
    retracted,
    robots,
    searching,
    subscribing,
)

# The address of each of these holds an unguessable token that was mailed to one reader: it is the proof that a CSRF
# token would be, and works in a mail program's browser that keeps no cookies. RFC 8058 section 3.1 demands it for
# one-click.
WITHOUT_CSRF = tuple(
    f"{__name__}.{view}"
    for view in (
        "leaving.leave",
        "leaving.leave_everything",
        "leaving.undo",
        "leaving.leave_reason",
        "confirming.confirm",
        "confirming.send_again",
        "preferences.preferences",
        "preferences.pause",
        "preferences.resume",
        "preferences.change_address",
        "preferences.cancel_address",
        "preferences.ask_for_data",
        "moving.address",
        "moving.refuse_address",
        "personal.personal_erase",
    )
)

__all__ = [
    "WITHOUT_CSRF",
    "archive",
    "blueprint",
    "confirming",
    "corrections",
    "feeds",
    "home",
    "leaving",
    "moving",
    "personal",
    "preferences",
    "print_editions",
    "reading",
    "retracted",
    "robots",
    "searching",
    "subscribing",
]
