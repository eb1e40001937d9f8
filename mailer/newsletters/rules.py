"""Choices a newsletter and its lists can make, and what their fields must look like."""

import re
from enum import StrEnum
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from mailer.errors import RuleError
from mailer.i18n import LOCALES, N_

SLUG = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
# `<slug.newsletter-slug.domain>` has at most 255 octets (RFC 2919 section 2): two of these leave 125 for the domain.
SLUG_LENGTH = 64
PARAGRAPHS_LENGTH = 10_000


class OptIn(StrEnum):
    """Whether a new reader of a list must confirm by letter."""

    DOUBLE = "double"
    SINGLE = "single"


class Visibility(StrEnum):
    """Who can find a list on the portal: everybody, those who were sent its invitation link, or nobody."""

    PUBLIC = "public"
    INVITATION = "invitation"
    PRIVATE = "private"


class ArchiveAccess(StrEnum):
    """Who may read what was sent: everybody, those who receive it, or those with an account."""

    PUBLIC = "public"
    SUBSCRIBERS = "subscribers"
    ACCOUNTS = "accounts"


class Tracking(StrEnum):
    """What is recorded of reading: who read what, only how many, or nothing."""

    FULL = "full"
    COUNTS = "counts"
    OFF = "off"


def check_origin(text: str) -> str:
    """The origin of a site (RFC 6454: scheme, host, port) out of what an admin pasted. Raises `RuleError`."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    is_local = parts.hostname in {"localhost", "127.0.0.1"}
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_local)):
        raise RuleError(N_("“%(text)s” is not the address of a site, such as https://www.example.org."), text=text)
    if parts.username or parts.query or parts.fragment or parts.path.strip("/"):
        raise RuleError(N_("“%(text)s” names more than a site; give it as https://www.example.org."), text=text)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def check_slug(slug: str) -> str:
    """`slug`, as it will stand in addresses and in List-Id. Raises `RuleError`."""
    slug = slug.strip().lower()
    if not SLUG.fullmatch(slug) or len(slug) > SLUG_LENGTH:
        raise RuleError(N_("A short name has small letters, digits and hyphens only, at most 64, such as tech-news."))
    return slug


def check_text(text: str, *, length: int, is_required: bool = False) -> str:
    """`text` on one line, without blanks around it. Raises `RuleError`."""
    text = " ".join(text.split())
    if is_required and not text:
        raise RuleError(N_("This must not be empty."))
    if len(text) > length:
        raise RuleError(N_("This is too long: at most %(length)s characters."), length=length)
    return text


def check_paragraphs(text: str) -> str:
    """`text` of several lines, without blanks around it. Raises `RuleError`."""
    text = text.replace("\r\n", "\n").strip()
    if len(text) > PARAGRAPHS_LENGTH:
        raise RuleError(N_("This is too long: at most %(length)s characters."), length=PARAGRAPHS_LENGTH)
    return text


def check_language(language: str) -> str:
    """One of the languages mail and pages are written in. Raises `RuleError`."""
    if language not in LOCALES:
        raise RuleError(N_("There is no such language."))
    return language


def check_time_zone(zone: str) -> str:
    """A name of the tz database. Raises `RuleError`."""
    if zone not in available_timezones():
        raise RuleError(N_("There is no such time zone. It must be a name such as Asia/Shanghai."))
    return zone
