"""An edition as this or that reader's client shows it: pure changes of its HTML, for frames on the desk and for tests.

A frame cannot be told to prefer dark, to load no picture, or to forget the head, so the page is changed instead.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from html import escape
from types import MappingProxyType
from typing import Any

from mailer.i18n import N_, translate
from mailer.press.slots import ADDRESS, NAME, PREFERENCES_URL, READER, UNSUBSCRIBE_URL, fill_html, fill_text, own_values

_DARK_RULES = re.compile(r"@media\s*\(prefers-color-scheme:\s*dark\)")
_PICTURE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_SOURCE = re.compile(r'\ssrc="[^"]*"', re.IGNORECASE)
_BODY = re.compile(r"<body[^>]*>(.*)</body>", re.DOTALL | re.IGNORECASE)
_LANGUAGE = re.compile(r'<html lang="([^"]*)"')
# What a browser shows in place of a picture that it did not load, where it has words to show.
_NOTHING = ' src="data:,"'
# Where a link of a preview leads.
NOWHERE = "#"


class Look(StrEnum):
    """How a client shows a mail: as it is; with its dark rules; with pictures off; without head and body element, as
    QQ and 163 webmail do.
    """

    LIGHT = "light"
    DARK = "dark"
    PICTURES_OFF = "pictures_off"
    HEADLESS = "headless"


def reader_values(
    language: str,
    *,
    name: str = "",
    address: str = "reader@example.org",
    attributes: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, str]:
    """What stands in the slots for one reader. Without a name a reader is called one, as in mail; the links to leave
    and to choose lead nowhere, for a preview must not unsubscribe anybody.
    """
    called = name.strip() or translate(language, N_("reader"))
    links = {UNSUBSCRIBE_URL: NOWHERE, PREFERENCES_URL: NOWHERE, READER: ""}
    return {NAME: called, ADDRESS: address, **links, **own_values(name, address, attributes)}


def preview_html(html: str, values: Mapping[str, str], look: Look = Look.LIGHT) -> str:
    """A compiled edition's HTML, `values` (see `reader_values`) in its slots, as a client with that `look` has it."""
    filled = fill_html(html, values)
    if look is Look.DARK:
        return _DARK_RULES.sub("@media all", filled)
    if look is Look.PICTURES_OFF:
        return _PICTURE.sub(lambda match: _SOURCE.sub(_NOTHING, match[0]), filled)
    if look is Look.HEADLESS:
        return _without_head(filled)
    return filled


def preview_text(text: str, values: Mapping[str, str], language: str) -> str:
    """A compiled edition's text part with `values` in its slots; a link that would lead nowhere says whose it is."""
    link = translate(language, N_("(a link of each reader's own)"))
    return fill_text(text, {name: link if value == NOWHERE else value for name, value in values.items()})


def _without_head(html: str) -> str:
    """The inside of the body alone, in the page that a webmail has around it: left-aligned, black on white, 14 px."""
    body, language = _BODY.search(html), _LANGUAGE.search(html)
    inside = body[1] if body else html
    page = "margin:0;padding:8px;font-family:sans-serif;font-size:14px;background:#ffffff;color:#000000"
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language[1] if language else "zh-CN")}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>-</title></head>'
        f'<body style="{page}">{inside}</body></html>'
    )
