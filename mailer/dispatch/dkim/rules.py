"""Pure decisions about DKIM keys: how their names look, what the DNS publishes, and whether it does."""

import base64
import datetime as dt
import re
from collections.abc import Iterable
from enum import StrEnum

from mailer.dispatch.dkim.signing import VALID_SECONDS, Algorithm
from mailer.i18n import N_

# A retired key stays in the DNS while a signature of it may still be looked up: its own life, and as long again for
# servers that look late.
KEPT_PUBLISHED = dt.timedelta(seconds=2 * VALID_SECONDS)
# One label of a host name (RFC 6376 section 3.1 allows several; DNS panels do not all).
SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# RFC 1035 section 3.3.14: a TXT record is made of strings of at most 255 bytes.
STRING = 255
_KINDS = {Algorithm.RSA: "rsa", Algorithm.ED25519: "ed25519"}


class KeyState(StrEnum):
    """Where a key stands in its life."""

    WAITING = "waiting"
    ACTIVE = "active"
    RETIRED = "retired"
    OVER = "over"


class Published(StrEnum):
    """What the DNS says of a key."""

    PUBLISHED = "published"
    MISSING = "missing"
    DIFFERENT = "different"
    UNANSWERED = "unanswered"


FOUND: dict[Published, str] = {
    Published.PUBLISHED: N_("The DNS publishes this key."),
    Published.MISSING: N_("The DNS does not publish this key yet. Mail signed with it would fail the check."),
    Published.DIFFERENT: N_("The DNS publishes another key under this name. Mail signed with this one would fail."),
    Published.UNANSWERED: N_("The DNS could not be asked from here; nothing is known."),
}


def state_of(activated_at: dt.datetime | None, retired_at: dt.datetime | None, now: dt.datetime) -> KeyState:
    """A key that was retired is over when nobody can still need it in the DNS."""
    if activated_at is None:
        return KeyState.WAITING
    if retired_at is None:
        return KeyState.ACTIVE
    return KeyState.RETIRED if now < retired_at + KEPT_PUBLISHED else KeyState.OVER


def propose_selector(day: dt.date, algorithm: Algorithm, taken: Iterable[str]) -> str:
    """``m202603-rsa``, with a number behind the month where that is taken."""
    used = set(taken)
    number = 1
    while True:
        name = f"m{day:%Y%m}{'' if number == 1 else f'-{number}'}-{_KINDS[algorithm]}"
        if name not in used:
            return name
        number += 1


def record_name(domain: str, selector: str) -> str:
    """Where receivers look (RFC 6376 section 3.6.2.1)."""
    return f"{selector}._domainkey.{domain}"


def record_value(algorithm: str, public_key: str) -> str:
    """The TXT record's text, as most DNS panels want it: in one piece."""
    return f"v=DKIM1; k={_KINDS[Algorithm(algorithm)]}; p={public_key}"


def split_value(value: str) -> list[str]:
    """`value` as the strings a zone file holds."""
    return [value[start : start + STRING] for start in range(0, len(value), STRING)]


def zone_line(name: str, value: str) -> str:
    """The record as a zone file has it, its strings quoted."""
    strings = " ".join(f'"{part}"' for part in split_value(value))
    return f"{name}. IN TXT ( {strings} )"


def compare(algorithm: str, public_key: str, records: Iterable[str]) -> Published:
    """What these TXT records, each joined to one text, say of the key. Blanks do not count (RFC 6376 section 3.2)."""
    found = [_tags(record) for record in records]
    keys = [tags for tags in found if tags.get("v", "DKIM1") == "DKIM1" and "p" in tags]
    if not keys:
        return Published.MISSING
    kind = _KINDS[Algorithm(algorithm)]
    # More than one record under a name is undefined (section 3.6.2.2): a receiver may take either.
    is_ours = all(tags.get("k", "rsa") == kind and _is_same(tags["p"], public_key) for tags in keys)
    return Published.PUBLISHED if is_ours else Published.DIFFERENT


def _tags(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip(): re.sub(r"\s+", "", value) for name, equals, value in pairs if equals}


def _is_same(published: str, ours: str) -> bool:
    try:
        return base64.b64decode(published, validate=True) == base64.b64decode(ours)
    except ValueError:
        return False
