"""Subject and preheader of an issue whose editor wrote none: plain text in, plain text out."""

from collections.abc import Sequence
from typing import Protocol


class Numbered(Protocol):
    """What an issue calls itself by."""

    title: str
    year: int | None
    number: str | None
    total_number: str | None


# Gmail shows some 70 characters of a subject on a desk, iOS some 35; Chinese ones are twice as wide.
SUBJECT_WIDTH = 60
PREHEADER_LENGTH = 90


def number_line(issue: Numbered, language: str) -> str:
    """``2024年第9期（总第105期）`` or ``2024 No. 9 (105)``; empty where nothing is known."""
    if language.startswith("zh"):
        year = f"{issue.year}年" if issue.year else ""
        number = f"第{issue.number}期" if issue.number else ""
        total = f"（总第{issue.total_number}期）" if issue.total_number else ""
        return year + number + total
    number = f"No. {issue.number}" if issue.number else ""
    total = f"({issue.total_number})" if issue.total_number else ""
    return " ".join(part for part in (str(issue.year or ""), number, total) if part)


def propose_subject(issue: Numbered, article_titles: Sequence[str], language: str) -> str:
    """Title and number, and the first article where there is room: every issue gets a subject of its own."""
    is_chinese = language.startswith("zh")
    subject = " ".join(part for part in (issue.title, number_line(issue, language)) if part)
    if not article_titles:
        return subject
    longer = subject + ("：" if is_chinese else ": ") + article_titles[0]
    width = sum(2 if ord(ch) > 0x2E80 else 1 for ch in longer)
    return longer if width <= SUBJECT_WIDTH * 2 else subject


def propose_preheader(article_titles: Sequence[str]) -> str:
    """The articles after the one in the subject, as far as an inbox shows them; the first one where it is alone."""
    text = ""
    for title in article_titles[1:] or article_titles:
        longer = f"{text} · {title}" if text else title
        if len(longer) > PREHEADER_LENGTH:
            break
        text = longer
    return text
