"""What the masthead and the colophon say: numbers, dates and labels in the issue's own language."""

from babel.dates import format_date

from mailer.i18n import N_, translate
from mailer.press.content import Content

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
    """A Chinese title has a blank only between its halves, and that is where it should break; others break anywhere."""
    return [title] if title.isascii() else title.split()


def date_line(content: Content) -> str:
    """The date of publication, or nothing."""
    return format_date(content.published_on, "long", locale=content.language) if content.published_on else ""


def imprint_line(content: Content) -> str:
    """Number, publisher and date in one line, for mastheads that have no more room for them."""
    return " · ".join(part for part in (issue_line(content), content.publisher, date_line(content)) if part)


def colophon_lines(content: Content) -> list[str]:
    """Publisher, editor, phone, then the lines of the document's own colophon and the contact, none twice."""
    labelled = (
        (N_("Published by: %(value)s"), content.publisher),
        (N_("Editor: %(value)s"), content.editor),
        (N_("Phone: %(value)s"), content.phone),
    )
    lines = [translate(content.language, label, value=value) for label, value in labelled if value]
    free = [line.strip() for line in f"{content.colophon}\n{content.contact}".splitlines()]
    return list(dict.fromkeys([*lines, *(line for line in free if line)]))
