"""What states, roles and acts are called on pages: the words of the glossary, for the values in the tables."""

from typing import Any

from mailer.addresses import readable
from mailer.dispatch.replies import meaning
from mailer.i18n import N_
from mailer.newsroom.wording import issue_name
from mailer.web.admin import blueprint
from mailer.web.admin.audience_words import WORDS as AUDIENCE_WORDS
from mailer.web.admin.audit_words import ACTIONS, DETAILS
from mailer.web.admin.directory_words import WORDS as DIRECTORY_WORDS
from mailer.web.locale import current_locale, gettext

# By what right somebody may be written to without having asked here (PIPL article 13, GDPR article 6).
BASES: dict[str, str] = {
    "consent": N_("Consent given elsewhere"),
    "official_distribution": N_("Official distribution"),
    "contract": N_("Contract or membership"),
    "duty": N_("Legal duty or public task"),
    "interest": N_("Legitimate interest"),
}

WORDS: dict[str, dict[str, str]] = {
    "role": {"editor": N_("Editor"), "approver": N_("Approver"), "admin": N_("Admin")},
    # Who acted without signing in.
    "actor": {"system": N_("The service"), "terminal": N_("At the terminal"), "reader": N_("The reader")},
    "account": {"invited": N_("Invited"), "active": N_("Active"), "disabled": N_("Disabled")},
    "opt_in": {"double": N_("Double opt-in"), "single": N_("Single opt-in")},
    "question": {
        "text": N_("A text"),
        "number": N_("A number"),
        "date": N_("A date"),
        "choice": N_("One of several answers"),
    },
    "visibility": {"public": N_("Public"), "invitation": N_("By invitation"), "private": N_("Private")},
    "subscription": {
        "unconfirmed": N_("Unconfirmed"),
        "confirmed": N_("Confirmed"),
        "unsubscribed": N_("Unsubscribed"),
        "removed": N_("Taken off by a directory"),
    },
    "suppression": {
        "hard_bounce": N_("No such address"),
        "complaint": N_("Complaint"),
        "manual": N_("By hand"),
        "unsubscribed_all": N_("Left everything"),
        "erased": N_("Erased"),
    },
    "consent": {
        "asked": N_("Asked to subscribe"),
        "confirmed": N_("Subscription confirmed"),
        "withdrawn": N_("Consent withdrawn"),
        "imported": N_("Entered by an admin"),
        "removed": N_("Taken off by a directory"),
    },
    "mailing": {
        "draft": N_("Draft"),
        "scheduled": N_("Scheduled"),
        "preparing": N_("Preparing"),
        "sending": N_("Sending"),
        "paused": N_("Paused"),
        "finished": N_("Finished"),
        "cancelled": N_("Cancelled"),
    },
    "delivery": {
        "queued": N_("Queued"),
        "claimed": N_("Being sent"),
        "accepted": N_("Accepted"),
        "rejected": N_("Rejected"),
        "unknown": N_("Unknown"),
        "skipped": N_("Skipped"),
        "expired": N_("Expired"),
        "deferred": N_("Deferred"),
    },
    "skip": {
        "suppressed": N_("on the suppression list"),
        "unsubscribed": N_("unsubscribed meanwhile"),
        "paused": N_("paused by the reader"),
        "cancelled": N_("the mailing was cancelled"),
    },
    "letter": {
        "confirm": N_("Confirmation letter"),
        "welcome": N_("Welcome letter"),
        "invite": N_("Invitation"),
        "reset": N_("Password letter"),
        "notice": N_("Notice"),
        "proof": N_("Proof"),
    },
    "archive_access": {
        "public": N_("Everybody"),
        "subscribers": N_("Its subscribers, by the links in their mail"),
        "accounts": N_("Those who sign in here"),
    },
    "tracking": {
        "full": N_("Who opened and clicked what"),
        "counts": N_("Only how many opened and clicked"),
        "off": N_("Nothing: no pixel, plain links"),
    },
    "because": {"changed": N_("changed")},
    "language": {"zh_CN": "中文", "en": "English"},
    "security": {"none": N_("None"), "starttls": "STARTTLS", "tls": "TLS"},
    "basis": BASES | {"consent": N_("Consent")},
    "verdict": {"human": N_("Person"), "machine": N_("Machine"), "unsure": N_("Unsure")},
    "health": {"well": N_("Well"), "warning": N_("Warning"), "failed": N_("Failed")},
    "subject": {
        "picture": N_("Picture"),
        "account": N_("Account"),
        "newsletter": N_("Newsletter"),
        "list": N_("List"),
        "subscriber": N_("Subscriber"),
        "suppression": N_("Suppression"),
        "import": N_("Import"),
        "segment": N_("Segment"),
        "provider": N_("Provider"),
        "relay": N_("Relay"),
        "issue": N_("Issue"),
        "mailing": N_("Mailing"),
        "delivery": N_("Delivery"),
        "dkim_key": N_("DKIM key"),
        "directory": N_("Directory"),
    },
    **AUDIENCE_WORDS,
    **DIRECTORY_WORDS,
    "action": ACTIONS,
    "detail": DETAILS,
}

COLOURS: dict[str, str] = {
    "active": "green", "confirmed": "green", "accepted": "green", "finished": "green", "well": "green",
    "human": "green", "invited": "azure", "running": "azure", "sending": "azure", "claimed": "azure",
    "preparing": "azure", "checked": "azure", "checking": "azure", "uploaded": "yellow",
    "unconfirmed": "yellow", "paused": "yellow", "warning": "yellow", "deferred": "yellow",
    "on": "green", "stopped": "orange",
    "unknown": "orange", "failed": "red", "rejected": "red", "hard_bounce": "red", "complaint": "red",
}  # fmt: skip


def word(kind: str, value: Any) -> str:
    """What `value` is called; a value without a word stands for itself, so that nothing is hidden."""
    return gettext(WORDS[kind].get(str(value), str(value)))


def why(reason: str) -> str:
    """What a delivery's reason means: why it was skipped, or the class of what its server said."""
    if reason in WORDS["skip"]:
        return word("skip", reason)
    return meaning(reason, current_locale())


blueprint.add_app_template_filter(readable, "readable")


@blueprint.context_processor
def _words() -> dict[str, Any]:
    return {
        "word": word,
        "colour": lambda value: COLOURS.get(str(value), "secondary"),
        "why": why,
        "words_of": lambda kind, values: [(str(value), word(kind, value)) for value in values],
        "list_names": lambda lists: [(each.id, f"{each.newsletter.title} · {each.name}") for each in lists],
        "newsletter_names": lambda newsletters: [(each.id, each.title) for each in newsletters],
        "called": lambda issue: issue_name(issue, current_locale()),
    }
