"""What imports, their columns and their sources are called on pages."""

from mailer.i18n import N_

IMPORT_STATES: dict[str, str] = {
    "uploaded": N_("Columns to be chosen"),
    "checking": N_("Being checked"),
    "checked": N_("Checked, not imported yet"),
    "queued": N_("Waiting"),
    "running": N_("Running"),
    "finished": N_("Finished"),
    "failed": N_("Failed"),
    "cancelled": N_("Cancelled"),
}
COUNTS: dict[str, str] = {
    "new": N_("New"),
    "changed": N_("Changed"),
    "unchanged": N_("Unchanged"),
    "duplicate": N_("Twice in the file"),
    "invalid": N_("Not an address"),
    "suppressed": N_("On the suppression list"),
    "left": N_("Has unsubscribed"),
    "unconfirmed": N_("Not confirmed elsewhere"),
}
TARGETS: dict[str, str] = {
    "": N_("Leave out"),
    "email": N_("Email address"),
    "name": N_("Name"),
    "first_name": N_("First name"),
    "last_name": N_("Family name"),
    "locale": N_("Language"),
    "attribute": N_("Keep as an attribute"),
    "attributes": N_("Attributes (JSON)"),
    "state": N_("State of the subscription"),
    "left_at": N_("Has unsubscribed at"),
    "blocked_at": N_("Unreachable since"),
    "is_confirmed": N_("Is confirmed (1/0)"),
    "is_blacklisted": N_("Is blocked (1/0)"),
}
SOURCES: dict[str, str] = {
    "": N_("a table"),
    "mailer": N_("an export of this service"),
    "listmonk": N_("an export of listmonk"),
    "mailchimp": N_("an export of Mailchimp"),
    "mailman": N_("an export of Mailman 3"),
    "phplist": N_("an export of phpList"),
}
CONDITIONS: dict[str, str] = {
    "attribute": N_("Attribute"),
    "list": N_("List"),
    "locale": N_("Language"),
    "domain": N_("Domain of the address"),
    "signed_up": N_("Signed up"),
    "opened": N_("Opened an issue"),
    "clicked": N_("Followed a link"),
    "silent": N_("Nothing for some issues"),
}
_WITHIN: dict[str, str] = {
    "within": N_("within the last days"),
    "not_within": N_("not within the last days"),
}
_TEXT: dict[str, str] = {
    "equals": N_("is"),
    "contains": N_("contains"),
    "is_set": N_("is there at all"),
}
_DAY: dict[str, str] = {
    "before": N_("before"),
    "since": N_("on or after"),
    "within": N_("within the last days"),
}
# How a reader was changed, and what about them.
_HOW: dict[str, str] = {
    "preferences": N_("in the subscription settings"),
    "sign_up": N_("by a sign-up form"),
    "confirmed": N_("by a sign-up that was confirmed"),
    # Directories had no word of their own at first.
    "import": N_("by an import or a directory"),
    "directory": N_("by a directory"),
    "merged": N_("as two addresses became one reader"),
}
_FIELDS: dict[str, str] = {
    "name": N_("Name"),
    "locale": N_("Language"),
    "paused_until": N_("Paused until"),
    "attribute": N_("Attribute"),
}
_MOVES: dict[str, str] = {
    "asked": N_("Change of address asked for"),
    "old_agreed": N_("The present address agreed"),
    "new_agreed": N_("The new address agreed"),
    "done": N_("Address changed"),
    "cancelled": N_("Change of address given up"),
}
_WHY_LEFT: dict[str, str] = {
    "too_many": N_("too many mails"),
    "not_relevant": N_("not of interest"),
    "never_asked": N_("never signed up"),
    "other_address": N_("reads it at another address"),
    "other": N_("another reason"),
}
_EXCLUSIONS: dict[str, str] = {
    "suppressed": N_("on the suppression list"),
    "paused": N_("paused by the reader"),
    "already_sent": N_("had the issue already"),
    "segment": N_("outside the mailing's segments"),
    "not_received": N_("never had what was corrected"),
}
WORDS: dict[str, dict[str, str]] = {
    "how": _HOW,
    "field": _FIELDS,
    "move": _MOVES,
    "why_left": _WHY_LEFT,
    "exclusion": _EXCLUSIONS,
    "import": IMPORT_STATES,
    "count": COUNTS,
    "target": TARGETS,
    "source": SOURCES,
    "condition": CONDITIONS,
    "test_attribute": _TEXT,
    "test_domain": _TEXT,
    "test_signed_up": _DAY,
    "test_opened": _WITHIN,
    "test_clicked": _WITHIN,
}
