"""What may stand in the fields of an issue and of an article: trimmed, on one line, no longer than the table takes.

A line break or a control character in a subject would reach the header of every mail, so none gets in here.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from mailer.errors import RuleError
from mailer.i18n import N_

# Characters of each line of text; the widths of the columns.
ISSUE_LINES = {
    "title": 200,
    "number": 32,
    "total_number": 32,
    "volume": 32,
    "publisher": 200,
    "editor": 200,
    "phone": 64,
    "subject": 255,
    "preheader": 255,
}
ARTICLE_LINES = {"title": 300, "section": 120, "source": 300}
COLOPHON_LIMIT = 4_000
CORRECTION_LIMIT = 2_000
PARAGRAPHS = {"colophon": COLOPHON_LIMIT, "correction": CORRECTION_LIMIT}
# Of HTML; some forty pages of Chinese. A mail longer than 100 KB is cut by Gmail long before.
BODY_LIMIT = 400_000
# Empty means unknown in these, and is stored as null.
UNKNOWABLE = {"number", "total_number", "volume"}


def clean_line(text: str, limit: int) -> str:
    """`text` on one line: blanks of every kind become single spaces, what cannot be seen goes. Raises `RuleError`
    where it is longer than `limit` characters.
    """
    visible = "".join(" " if ch.isspace() else ch for ch in text if ch.isspace() or unicodedata.category(ch) != "Cc")
    line = re.sub(" {2,}", " ", visible).strip()
    if len(line) > limit:
        raise RuleError(N_("This is longer than %(limit)s characters: “%(start)s…”"), limit=str(limit), start=line[:20])
    return line


def clean_text(text: str, limit: int) -> str:
    """`text` of several lines, without control characters and trailing blanks. Raises `RuleError` when too long."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = "\n".join("".join(ch for ch in line if unicodedata.category(ch) != "Cc").rstrip() for line in lines).strip()
    if len(kept) > limit:
        raise RuleError(N_("This is longer than %(limit)s characters: “%(start)s…”"), limit=str(limit), start=kept[:20])
    return kept


def clean_issue(changes: Mapping[str, Any]) -> dict[str, Any]:
    """`changes` as an issue's columns take them. Raises `RuleError`; an unknown field is a programmer's error."""
    return {name: _clean_issue_field(name, value) for name, value in changes.items()}


def _clean_issue_field(name: str, value: Any) -> Any:
    if name in ISSUE_LINES:
        line = clean_line(value or "", ISSUE_LINES[name])
        if name == "title" and not line:
            raise RuleError(N_("An issue needs a title."))
        return line or None if name in UNKNOWABLE else line
    if name in PARAGRAPHS:
        return clean_text(value or "", PARAGRAPHS[name])
    if name == "year":
        return _within(value, 1900, 2200, N_("The year must lie between 1900 and 2200."))
    if name == "published_on":
        assert value is None or isinstance(value, dt.date)
        return value
    raise TypeError(f"an issue has no field {name}")


def clean_article(changes: Mapping[str, Any]) -> dict[str, Any]:
    """`changes` as an article's columns take them, except that `body` is not sanitised yet. Raises `RuleError`."""
    return {name: _clean_article_field(name, value) for name, value in changes.items()}


def _clean_article_field(name: str, value: Any) -> Any:
    if name in ARTICLE_LINES:
        line = clean_line(value or "", ARTICLE_LINES[name])
        if name == "title" and not line:
            raise RuleError(N_("An article needs a title."))
        return line
    if name == "page":
        return _within(value, 1, 9999, N_("A page number must lie between 1 and 9999."))
    if name == "body":
        if len(value) > BODY_LIMIT:
            raise RuleError(
                N_("This article is longer than %(limit)s characters; split it in two."), limit=str(BODY_LIMIT)
            )
        return value
    raise TypeError(f"an article has no field {name}")


def _within(value: int | None, low: int, high: int, message: str) -> int | None:
    if value is not None and not low <= value <= high:
        raise RuleError(message)
    return value
