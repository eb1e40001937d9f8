"""What an issue is called, and the subject and preheader of one whose editor wrote none."""

from collections.abc import Sequence
from typing import Protocol

from mailer.i18n import N_, translate
from mailer.press.content import Content
from mailer.press.plaintext import width
from mailer.press.wording import issue_line

# Columns, a Chinese character taking two: about what an inbox on a desk shows of a subject, and of what follows it.
SUBJECT_WIDTH = 80
PREHEADER_WIDTH = 180
# Characters; the width of the column.
SUBJECT_LENGTH = 255


class Numbered(Protocol):
    """What an issue, or the masthead of an edition, calls itself by."""

    @property
    def title(self) -> str: ...
    @property
    def year(self) -> int | None: ...
    @property
    def number(self) -> str | None: ...
    @property
    def total_number(self) -> str | None: ...
    @property
    def volume(self) -> str | None: ...


def number_line(issue: Numbered, language: str) -> str:
    """``2024年第9期（总第105期）``, as the mail's masthead has it; empty where nothing is known."""
    return issue_line(
        Content(
            title=issue.title,
            subject="",
            articles=(),
            web_url="",
            archive_url="",
            year=issue.year,
            number=issue.number,
            total_number=issue.total_number,
            volume=issue.volume,
            language=language,
        )
    )


def issue_name(issue: Numbered, language: str) -> str:
    """Title and number, as a heading or a letter names an issue."""
    return " ".join(part for part in (issue.title, number_line(issue, language)) if part)


def propose_subject(issue: Numbered, article_titles: Sequence[str], language: str) -> str:
    """Title and number, and the first article where there is room: every issue gets a subject of its own."""
    subject = issue_name(issue, language)
    if article_titles:
        longer = subject + ("：" if language.startswith("zh") else ": ") + article_titles[0]
        if width(longer) <= SUBJECT_WIDTH:
            return longer
    return subject[:SUBJECT_LENGTH]


def correction_subject(subject: str, language: str) -> str:
    """The subject of a corrected issue: readers tell it from the one they have had."""
    return translate(language, N_("Correction: %(text)s"), text=subject)[:SUBJECT_LENGTH]


def propose_preheader(article_titles: Sequence[str], subject: str) -> str:
    """The articles as far as an inbox shows them, without the first where the subject names it and there are others."""
    text = ""
    is_named = len(article_titles) > 1 and article_titles[0] in subject
    for title in article_titles[is_named:]:
        longer = f"{text} · {title}" if text else title
        if width(longer) > PREHEADER_WIDTH:
            break
        text = longer
    return text
