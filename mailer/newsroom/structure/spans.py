"""What is set off inside a line: emphasis, links, marks of notes. Kept beside the text, so that no rule of the
structure meets markup; words are found again by what stands before them, wherever lines were joined or parted.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

_LINKABLE = re.compile(r"(?:https?://|mailto:)[^\s<>\"\x00-\x20]+$", re.IGNORECASE)
_LONGEST_ADDRESS = 2000
_CONTEXT = 12
_COUNTED = re.compile(r"(\d{1,3})[.．]")


class Mark(StrEnum):
    """How words are set off: elements of HTML, in the order in which they enclose each other."""

    STRONG = "strong"
    EMPHASIS = "em"
    UNDERLINED = "u"
    STRUCK = "s"
    RAISED = "sup"
    LOWERED = "sub"


Marks = frozenset[Mark]
PLAIN: Marks = frozenset()


class Run(NamedTuple):
    """A stretch of text of one kind, as readers meet it. `note` is the mark of a note that stands behind it."""

    text: str
    marks: Marks = PLAIN
    address: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Words of a line that are set off; none where only a note's mark stands. `before` is what the line has right
    before them, as far as it tells them from the same words elsewhere.
    """

    words: str
    marks: Marks = PLAIN
    address: str = ""
    before: str = ""
    note: str = ""


class ListItem(NamedTuple):
    """That a line is an item of a list: how deep (from 0), its number, and the label that its text begins with.
    `number` is `None` for a bullet, and -1 for a number that HTML does not count by itself: 一、 （一） ① 第一条.
    """

    depth: int
    number: int | None
    label: str


def number_in(label: str) -> int:
    """The number of a label, if a list of HTML counts so; else -1: it means something as it is written."""
    match = _COUNTED.fullmatch(label.strip())
    return int(match[1]) if match else -1


def is_linkable(address: str) -> bool:
    """Whether an address of a document may stand in an article: one of the web or of a mailbox."""
    return len(address) <= _LONGEST_ADDRESS and _LINKABLE.match(address) is not None


def lines_of(runs: Iterable[Run]) -> list[tuple[str, tuple[Span, ...]]]:
    """Runs as lines, each with what is set off in it; lines of blanks are left out."""
    lines: list[list[Run]] = [[]]
    for run in _merged(runs):
        first, *others = run.text.split("\n")
        lines[-1].append(run._replace(text=first, note="" if others else run.note))
        for at, piece in enumerate(others, start=1):
            lines.append([run._replace(text=piece, note=run.note if at == len(others) else "")])
    return [("".join(run.text for run in line), _spans(line)) for line in lines if any(r.text.strip() for r in line)]


def _merged(runs: Iterable[Run]) -> Iterator[Run]:
    """Word parts a run wherever somebody stopped writing; blanks between two of a kind are of it too."""
    kept: list[Run] = []
    for run in runs:
        if kept and (kept[-1].note or (kept[-1].marks, kept[-1].address) != (run.marks, run.address)):
            yield kept[-1]._replace(text="".join(one.text for one in kept))
            kept.clear()
        kept.append(run)
    if kept:
        yield kept[-1]._replace(text="".join(one.text for one in kept))


def _spans(line: Sequence[Run]) -> tuple[Span, ...]:
    found: list[Span] = []
    text = ""
    for run in line:
        words = run.text.strip()
        if words and (run.marks or is_linkable(run.address)):
            before = (text + run.text[: len(run.text) - len(run.text.lstrip())]).lstrip()
            address = run.address if is_linkable(run.address) else ""
            # Links are underlined by themselves.
            marks = run.marks - {Mark.UNDERLINED} if address else run.marks
            found.append(Span(words, marks, address, before[-_CONTEXT:]))
        text += run.text
        if run.note:
            found.append(Span("", before=text.lstrip()[-_CONTEXT:], note=run.note))
    return tuple(found)


def place_of(span: Span, text: str, start: int) -> int:
    """Where a span begins in a text made of its line and perhaps others, at `start` or later; -1 where it does not."""
    if not span.words and not span.before:
        return -1
    wanted = span.before + span.words
    at = text.find(wanted, max(0, start - len(span.before)))
    while at >= 0 and at + len(span.before) < start:
        at = text.find(wanted, at + 1)
    if at >= 0:
        return at + len(span.before)
    if not span.words:
        return -1
    # What stood before it may have become a title, or was joined to it otherwise than it stood.
    at = text.find(span.words, start)
    if at < 0 or span.address:
        return at
    return at if span.before.endswith(text[:at][-len(span.before) :]) else -1
