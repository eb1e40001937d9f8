"""Slots: the few places of an edition that differ from reader to reader.

In a compiled edition a slot is a token of URL-safe ASCII (RFC 3986 section 2.3), so that neither HTML escaping nor
percent-encoding touches it. The constants below are names: `slot(NAME)` is the token that stands in the edition,
``{NAME: "…"}`` the value it is filled with.
"""

import re
from collections.abc import Callable, Mapping
from html import escape

READER = "reader"
UNSUBSCRIBE_URL = "unsubscribe_url"
PREFERENCES_URL = "preferences_url"
NAME = "name"
ADDRESS = "address"

SLOTS: tuple[str, ...] = (READER, UNSUBSCRIBE_URL, PREFERENCES_URL, NAME, ADDRESS)
# What an editor may write as {{ name }}; the others are the theme's business.
EDITORS_SLOTS: tuple[str, ...] = (NAME, ADDRESS)

# Every token of the press begins so; content that holds it is refused (see `proofreading`).
MARK = "~mailer."
TOKEN = re.compile(rf"~mailer\.slot\.({'|'.join(SLOTS)})~")
# A name in double braces, as editors know it from other systems.
BRACES = re.compile(r"\{\{\s*([A-Za-z_]+)\s*\}\}")


def slot(name: str) -> str:
    """The token of the slot `name`. Raises `ValueError` for a name that is no slot."""
    if name not in SLOTS:
        raise ValueError(f"no such slot: {name}")
    return f"~mailer.slot.{name}~"


# The one slot that is part of other addresses: of every tracked link, and of the pixel.
READER_SLOT = slot(READER)


def split(text: str) -> list[str]:
    """`text` cut at its slots: literal, slot name, literal, slot name, …, literal (always an odd number)."""
    return TOKEN.split(text)


def place_editors_slots(text: str) -> str:
    """`text` with ``{{ name }}`` made a slot where an editor may use it; anything else in braces stays as typed."""

    def token(match: re.Match[str]) -> str:
        return slot(match[1]) if match[1] in EDITORS_SLOTS else match[0]

    return BRACES.sub(token, text)


def find_foreign_braces(text: str) -> tuple[str, ...]:
    """What stands in double braces and is no slot an editor may use: it would reach the reader as typed."""
    return tuple(match for match in re.findall(r"\{\{.*?\}\}", text) if place_editors_slots(match) == match)


def fill_html(html: str, values: Mapping[str, str]) -> str:
    """An edition's HTML with values in its slots, for a page (a web edition, a preview). A slot without one is empty.

    Mail is filled by `message.MessageTemplate.fill`, as bytes.
    """
    return _fill(html, values, escape)


def fill_text(text: str, values: Mapping[str, str]) -> str:
    """An edition's text part with values in its slots. A slot without one is empty."""
    return _fill(text, values, str)


def _fill(text: str, values: Mapping[str, str], quote: Callable[[str], str]) -> str:
    return TOKEN.sub(lambda match: quote(values.get(match[1], "")), text)
