"""Slots: the few places of an edition that differ from reader to reader.

In a compiled edition a slot is a token of URL-safe ASCII (RFC 3986 section 2.3), so that neither HTML escaping nor
percent-encoding touches it. The constants below are names: `slot(NAME)` is the token that stands in the edition,
``{NAME: "…"}`` the value it is filled with.

Editors write ``{{ name }}``, or ``{{ name|dear reader }}`` with what stands there for whoever has told none, or the key
of an attribute that the newsletter asks for. With a fallback, or of an attribute, it is a slot of the name
``own-KEY.FALLBACK``, the fallback in base64url: an edition says by itself what is to stand in it.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

READER = "reader"
UNSUBSCRIBE_URL = "unsubscribe_url"
PREFERENCES_URL = "preferences_url"
NAME = "name"
ADDRESS = "address"

SLOTS: tuple[str, ...] = (READER, UNSUBSCRIBE_URL, PREFERENCES_URL, NAME, ADDRESS)
# What an editor may write as {{ name }} in every newsletter; the others are the theme's business.
EDITORS_SLOTS: tuple[str, ...] = (NAME, ADDRESS)
# Characters of a fallback.
FALLBACK_LENGTH = 80

# Every token of the press begins so; content that holds it is refused (see `proofreading`).
MARK = "~mailer."
_OWN = "own-"
TOKEN = re.compile(rf"~mailer\.slot\.({'|'.join(SLOTS)}|{_OWN}[A-Za-z0-9_]+(?:\.[A-Za-z0-9_-]+)?)~")
# A name in double braces, as editors know it from other systems, and what stands there for readers without one.
BRACES = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*(?:\|([^{}|<>]*))?\}\}")


@dataclass(frozen=True, slots=True)
class OwnSlot:
    """A personal slot: `key` is `NAME`, `ADDRESS` or an attribute's; `fallback` is empty where there is none."""

    key: str
    fallback: str

    @property
    def written(self) -> str:
        """As an editor writes it."""
        return f"{{{{ {self.key}|{self.fallback} }}}}" if self.fallback else f"{{{{ {self.key} }}}}"


def slot(name: str) -> str:
    """The token of the slot `name`. Raises `ValueError` for a name that is no slot."""
    if name not in SLOTS:
        raise ValueError(f"no such slot: {name}")
    return f"~mailer.slot.{name}~"


# The one slot that is part of other addresses: of every tracked link, and of the pixel.
READER_SLOT = slot(READER)


def own_slot(key: str, fallback: str = "") -> str:
    """The token of a personal slot; without fallback, name and address are the slots they always were."""
    if not fallback and key in EDITORS_SLOTS:
        return slot(key)
    encoded = urlsafe_b64encode(fallback.encode()).decode().rstrip("=")
    return f"~mailer.slot.{_OWN}{key}{'.' * bool(encoded)}{encoded}~"


@lru_cache(maxsize=1024)
def read_own_slot(name: str) -> OwnSlot | None:
    """What the slot called `name` shows of a reader; `None` for a slot of the theme."""
    if name in EDITORS_SLOTS:
        return OwnSlot(name, "")
    if not name.startswith(_OWN):
        return None
    key, _, encoded = name.removeprefix(_OWN).partition(".")
    try:
        return OwnSlot(key, urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    except ValueError:  # nobody's but a forger's: the press writes whole ones
        return OwnSlot(key, "")


def own_values(name: str, address: str, attributes: Mapping[str, Any]) -> dict[str, str]:
    """What personal slots show of one reader: an empty value leaves room for the fallback. Attributes that are neither
    text nor number have nothing to show.
    """
    said = {
        key: " ".join(str(value).split())
        for key, value in attributes.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool)
    }
    return {_OWN + key: value for key, value in (said | {NAME: name.strip(), ADDRESS: address}).items()}


def find_own_slots(text: str) -> tuple[OwnSlot, ...]:
    """The personal slots in a compiled text, each once, in their order."""
    found = (read_own_slot(name) for name in dict.fromkeys(TOKEN.findall(text)))
    return tuple(own for own in found if own is not None)


def split(text: str) -> list[str]:
    """`text` cut at its slots: literal, slot name, literal, slot name, …, literal (always an odd number)."""
    return TOKEN.split(text)


def place_editors_slots(text: str, attributes: Collection[str] = ()) -> str:
    """`text` with ``{{ name }}`` made a slot where an editor may use it: name, address, and the keys of `attributes`.
    Anything else in braces stays as typed.
    """

    def token(match: re.Match[str]) -> str:
        fallback = " ".join((match[2] or "").split())
        is_known = match[1] in EDITORS_SLOTS or match[1] in attributes
        return own_slot(match[1], fallback) if is_known and len(fallback) <= FALLBACK_LENGTH else match[0]

    return BRACES.sub(token, text)


def find_foreign_braces(text: str, attributes: Collection[str] = ()) -> tuple[str, ...]:
    """What stands in double braces and is no slot an editor may use: it would reach the reader as typed."""
    found = re.findall(r"\{\{.*?\}\}", text, re.DOTALL)
    return tuple(match for match in found if place_editors_slots(match, attributes) == match)


def fill_html(html: str, values: Mapping[str, str]) -> str:
    """An edition's HTML with values in its slots, for a page (a web edition, a preview). A slot without one shows its
    fallback, or nothing. `values` may hold `own_values`.

    Mail is filled by `message.MessageTemplate.fill`, as bytes.
    """
    return _fill(html, values, escape)


def fill_text(text: str, values: Mapping[str, str]) -> str:
    """An edition's text part with values in its slots. A slot without one shows its fallback, or nothing."""
    return _fill(text, values, str)


def value_of(name: str, values: Mapping[str, str]) -> str:
    """What the slot called `name` shows, of `values` by slot name or by `own_values`."""
    if name in values or not name.startswith(_OWN):
        return values.get(name, "")
    own = read_own_slot(name)
    assert own is not None
    return values.get(_OWN + own.key) or own.fallback


def _fill(text: str, values: Mapping[str, str], quote: Callable[[str], str]) -> str:
    return TOKEN.sub(lambda match: quote(value_of(match[1], values)), text)
