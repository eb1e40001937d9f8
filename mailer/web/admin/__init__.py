"""Lists, subscribers, suppressions, relays, accounts, the audit trail, and what needs attention."""

from flask import Blueprint

blueprint = Blueprint("admin", __name__)

# Each adds its routes; words and acting are what they share.
from mailer.web.admin import (  # noqa: E402
    accounts,
    audit,
    departures,
    directories,
    dkim,
    embedding,
    imports,
    letters,
    lists,
    overview,
    personal_data,
    providers,
    proving,
    relays,
    segments,
    subscribers,
    suppressions,
    system,
    unknown,
    words,
)

__all__ = [
    "accounts",
    "audit",
    "blueprint",
    "departures",
    "directories",
    "dkim",
    "embedding",
    "imports",
    "letters",
    "lists",
    "overview",
    "personal_data",
    "providers",
    "proving",
    "relays",
    "segments",
    "subscribers",
    "suppressions",
    "system",
    "unknown",
    "words",
]
