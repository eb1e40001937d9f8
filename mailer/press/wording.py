"""What the masthead and the colophon say: numbers, dates and labels in the issue's own language."""

from babel.dates import format_date

from mailer.i18n import N_, translate
from mailer.press.content import Content


def issue_line(content: Content) -> str:
    """``2024年第9期（总第108期）`` or ``2024, No. 9 (whole No. 108)``; empty where nothing is known."""
    language = content.language
    parts = []
    if content.volume:
        parts.append(translate(language, N_("Vol. %(volume)s"), volume=content.volume))
    if content.year and content.number:
        parts.append(translate(language, N_("%(year)s, No. %(number)s"), year=content.year, number=content.number))
    elif content.number:
        parts.append(translate(language, N_("No. %(number)s"), number=content.number))
    elif content.year:
        parts.append(translate(language, N_("Year %(year)s"), year=content.year))
    line = (
        translate(language, N_("%(volume)s, %(issue)s"), volume=parts[0], issue=parts[1])
        if parts[1:]
        else "".join(parts)
    )
    if content.total_number:
        total = translate(language, N_("(whole No. %(number)s)"), number=content.total_number)
        line = f"{line} {total}".strip()
    return line


def date_line(content: Content) -> str:
    """The date of publication, or nothing."""
    return format_date(content.published_on, "long", locale=content.language) if content.published_on else ""


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
