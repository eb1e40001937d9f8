"""What the masthead and the colophon say: numbers, dates and labels in the issue's own language."""

import re

from babel.dates import format_date

from mailer.i18n import N_, translate
from mailer.press.content import Content

# Not the colon of a time.
_ENDS_WITHOUT_DASH = re.compile(r"(?<= )|(?<=[^0-9]：)")
_ENDS = re.compile(rf"{_ENDS_WITHOUT_DASH.pattern}|(?=——)")
# The fullest wording whose values are known is taken.
_ISSUE_LINES = (
    N_("Vol. %(volume)s, No. %(number)s, %(year)s"),
    N_("Vol. %(volume)s, No. %(number)s"),
    N_("No. %(number)s, %(year)s"),
    N_("No. %(number)s"),
    N_("Vol. %(volume)s, %(year)s"),
    N_("Vol. %(volume)s"),
    N_("Year %(year)s"),
)


def issue_line(content: Content) -> str:
    """``2024年第9期（总第108期）`` or ``No. 9, 2024 (whole No. 108)``; empty where nothing is known."""
    language = content.language
    known = {"volume": content.volume, "year": content.year, "number": content.number}
    for wording in _ISSUE_LINES:
        if all(known[name] for name in known if f"%({name})s" in wording):
            line = translate(language, wording, **known)
            break
    else:
        line = ""
    if content.total_number:
        total = translate(language, N_("(whole No. %(number)s)"), number=content.total_number)
        # A full-width bracket brings its own room.
        line = f"{line}{total}" if total.startswith("（") else f"{line} {total}".strip()
    return line


def clauses(title: str) -> list[str]:
    """Where a Chinese title should break, if it must: after a blank (which stays at its clause's end), for it has one
    only between its halves; after the colon of what it is about; before the dash of its second half. Others break
    anywhere.
    """
    if title.isascii():
        return [title]
    # Two dashes set off what stands between them.
    ends = _ENDS if title.count("——") == 1 else _ENDS_WITHOUT_DASH
    return [clause for clause in ends.split(" ".join(title.split())) if clause]


def date_line(content: Content) -> str:
    """The date of publication, or nothing."""
    return format_date(content.published_on, "long", locale=content.language) if content.published_on else ""


def imprint_parts(content: Content) -> list[str]:
    """Number, publisher and date, for mastheads that have one line for them."""
    return [part for part in (issue_line(content), content.publisher, date_line(content)) if part]


# What a document's own colophon calls them, in any of our scripts.
_OWN_LABELS = {
    "editor": r"(?:编辑|編輯|责编|責編|编审|編審|Editors?)",
    "phone": r"(?:电话|電話|Tel(?:ephone)?\.?|Phone)",
}


def colophon_lines(content: Content) -> list[str]:
    """Publisher, editor, phone, then the lines of the document's own colophon and the contact, none twice: what one of
    those lines says under a label of its own is not said again.
    """
    free = [line.strip() for line in f"{content.colophon}\n{content.contact}".splitlines() if line.strip()]

    def is_said(name: str, value: str) -> bool:
        label = _OWN_LABELS.get(name)
        said = (
            re.compile(rf"{label}[^：:|]{{0,6}}[：:]?\s*{re.escape(value)}(?![0-9])", re.IGNORECASE) if label else None
        )
        return said is not None and any(said.search(line) for line in free)

    labelled = (
        ("publisher", N_("Published by: %(value)s"), content.publisher),
        ("editor", N_("Editor: %(value)s"), content.editor),
        ("phone", N_("Phone: %(value)s"), content.phone),
    )
    lines = [
        translate(content.language, label, value=value)
        for name, label, value in labelled
        if value and not is_said(name, value)
    ]
    return list(dict.fromkeys([*lines, *free]))
