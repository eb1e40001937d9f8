"""What changed between two texts, for a person to read: by sentences, and inside a sentence by words or characters."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from mailer.newsroom.plain_text import to_plain


class Change(StrEnum):
    """What became of a sentence."""

    SAME = "same"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a sentence; `is_marked` where the other side has something else."""

    text: str
    is_marked: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A sentence on either side; a side is empty where it has no such sentence. A row of kind `SAME` may stand for
    several sentences in a row.
    """

    change: Change
    before: tuple[Piece, ...] = ()
    after: tuple[Piece, ...] = ()


# A sentence ends behind its full stop and the quotes and brackets that close with it; a line is one in any case.
_SENTENCE = re.compile(r"[^\n]*?(?:[。！？；!?;…]+|\.(?=[\s”’\")]|$))[”’」』）\")]*\s*|[^\n]+", re.MULTILINE)
# Chinese has no blanks between words: its characters are compared one by one, Latin words and numbers whole.
_TOKEN = re.compile(r"[A-Za-z0-9À-ɏ]+|\s+|.", re.DOTALL)
# Two sentences less alike than this are another sentence each, not one that was changed.
ALIKE = 0.45
# How far ahead a sentence is looked for: beyond that it has become another one. Keeps two long strangers affordable.
FARTHEST = 40
# Tokens of one sentence; a longer one (a table pasted into one line) is shown whole.
LONGEST = 1_500


def compare(before: str, after: str) -> list[Row]:
    """Rows of two plain texts, in reading order."""
    old, new = _sentences(before), _sentences(after)
    matcher = SequenceMatcher(None, [line.strip() for line in old], [line.strip() for line in new], autojunk=False)
    rows: list[Row] = []
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "equal":
            rows.append(Row(Change.SAME, (Piece("".join(old[i1:i2])),), (Piece("".join(new[j1:j2])),)))
        else:
            rows.extend(_changed(old[i1:i2], new[j1:j2]))
    return rows


def compare_html(before: str, after: str) -> list[Row]:
    """Rows of the words of two bodies."""
    return compare(to_plain(before), to_plain(after))


def is_same(rows: Sequence[Row]) -> bool:
    """Whether nothing that can be read differs."""
    return all(row.change is Change.SAME for row in rows)


def _sentences(text: str) -> list[str]:
    lines = []
    for line in text.splitlines():
        if line.strip():
            found = _SENTENCE.findall(line)
            lines += [*found[:-1], found[-1] + "\n"]
    return lines


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[Row]:
    """Pairs each old sentence with the likeliest new one behind the last pair; the rest came or went."""
    begin = 0
    for sentence in old:
        best, place = ALIKE, None
        for index in range(begin, min(len(new), begin + FARTHEST)):
            likeness = _likeness(sentence, new[index], best)
            if likeness > best:
                best, place = likeness, index
        if place is None:
            yield Row(Change.REMOVED, before=(Piece(sentence, is_marked=True),))
            continue
        yield from (Row(Change.ADDED, after=(Piece(added, is_marked=True),)) for added in new[begin:place])
        before, after = _pieces(sentence.rstrip(), new[place].rstrip())
        yield Row(Change.CHANGED, before, after)
        begin = place + 1
    yield from (Row(Change.ADDED, after=(Piece(added, is_marked=True),)) for added in new[begin:])


def _likeness(one: str, other: str, least: float) -> float:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if len(one) > LONGEST or len(other) > LONGEST:
        return matcher.real_quick_ratio()
    # The quick ratios are upper bounds: most pairs are settled by them.
    if matcher.real_quick_ratio() <= least or matcher.quick_ratio() <= least:
        return 0.0
    return matcher.ratio()


def _pieces(before: str, after: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    if len(old) > LONGEST or len(new) > LONGEST:
        return (Piece(before, is_marked=True),), (Piece(after, is_marked=True),)
    left: list[Piece] = []
    right: list[Piece] = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        is_marked = kind != "equal"
        if i2 > i1:
            left.append(Piece("".join(old[i1:i2]), is_marked))
        if j2 > j1:
            right.append(Piece("".join(new[j1:j2]), is_marked))
    return tuple(left), tuple(right)
