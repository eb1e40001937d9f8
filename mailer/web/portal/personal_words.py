"""What the parts of a reader's copy are called, for the page that shows it."""

from typing import Any

from mailer.i18n import N_
from mailer.web.locale import gettext

# Part of the copy -> (heading, columns shown in this order). What is not named is in the file alone.
SECTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "subscriptions": (N_("Your subscriptions"), ("newsletter", "list", "state", "confirmed_at", "unsubscribed_at")),
    "consents": (
        N_("What you agreed to, and took back"),
        ("at", "list", "act", "wording", "decided_by", "ip", "user_agent"),
    ),
    "deliveries": (N_("Issues sent to you"), ("queued_at", "issue", "address", "state", "reply")),
    "opens_and_clicks": (N_("What you opened and followed"), ("at", "kind", "link", "user_agent", "ip")),
    "letters": (N_("Letters to you"), ("created_at", "kind", "state")),
    "address_changes": (N_("Changes of your address"), ("created_at", "from", "to", "done_at")),
    "leave_reasons": (N_("Why you left"), ("created_at", "reason", "note")),
    "suppressions": (N_("Why nothing may be sent to you"), ("created_at", "newsletter", "reason", "lifted_at")),
    "import_refusals": (N_("Lines of uploaded files that were refused"), ("at", "filename", "value")),
    "directories": (
        N_("Directories of the publisher that have you"),
        ("directory", "value", "joined_at", "removed_at"),
    ),
}
COLUMNS: dict[str, str] = {
    "act": N_("Act"),
    "address": N_("Address"),
    "at": N_("When"),
    "confirmed_at": N_("Confirmed"),
    "created_at": N_("When"),
    "decided_by": N_("Decided by"),
    "directory": N_("Directory"),
    "done_at": N_("Done"),
    "filename": N_("File"),
    "from": N_("Old address"),
    "ip": N_("Network address"),
    "issue": N_("Issue"),
    "joined_at": N_("Since"),
    "kind": N_("Kind"),
    "lifted_at": N_("Ended"),
    "link": N_("Link"),
    "list": N_("List"),
    "newsletter": N_("Newsletter"),
    "note": N_("Note"),
    "queued_at": N_("When"),
    "reason": N_("Reason"),
    "removed_at": N_("Not any more since"),
    "reply": N_("Server's reply"),
    "state": N_("State"),
    "to": N_("New address"),
    "unsubscribed_at": N_("Unsubscribed"),
    "user_agent": N_("Browser"),
    "value": N_("Value"),
    "wording": N_("Words shown"),
}
VALUES: dict[str, str] = {
    "accepted": N_("Accepted by your mail server"),
    "asked": N_("Asked to subscribe"),
    "claimed": N_("On its way"),
    "click": N_("Followed a link"),
    "complaint": N_("Reported as spam"),
    "confirm": N_("Confirmation"),
    "confirmed": N_("Confirmed"),
    "erased": N_("Erased"),
    "expired": N_("Given up"),
    "hard_bounce": N_("Address does not exist"),
    "imported": N_("Added by the publisher"),
    "manual": N_("Decided by the publisher"),
    "never_asked": N_("I never signed up"),
    "not_relevant": N_("It is not of interest to me"),
    "notice": N_("Notice"),
    "open": N_("Opened"),
    "other": N_("Another reason"),
    "other_address": N_("I read it at another address"),
    "queued": N_("Waiting"),
    "rejected": N_("Refused by your mail server"),
    "removed": N_("Taken off by the publisher's directory"),
    "skipped": N_("Not sent"),
    "too_many": N_("There are too many mails"),
    "unconfirmed": N_("Waiting for confirmation"),
    "unknown": N_("Unknown"),
    "unsubscribed": N_("Unsubscribed"),
    "unsubscribed_all": N_("Unsubscribed from everything"),
    "welcome": N_("Welcome letter"),
    "withdrawn": N_("Unsubscribed"),
}
# Columns whose values are words of ours, not of people or servers.
_CODED = frozenset({"act", "kind", "reason", "state"})


def words_of(column: str, value: Any = None, *, is_heading: bool = False) -> str:
    """The heading of a column, or what stands in its cells."""
    if is_heading:
        return gettext(COLUMNS[column])
    if value is None or value == "":
        return "—"
    if column in _CODED and value in VALUES:
        return gettext(VALUES[value])
    text = str(value)
    return text[:16].replace("T", " ") if column == "at" or column.endswith("_at") else text
