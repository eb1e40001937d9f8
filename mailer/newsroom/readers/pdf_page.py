"""Runs of a page → lines in reading order: rows, columns side by side, what spans them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from mailer.newsroom.readers.pdf_columns import columns_end, crosses, fits, gutter_of
from mailer.newsroom.readers.pdf_text import Run
from mailer.newsroom.readers.pdf_words import Row, main_run, rows_of, with_spaces
from mailer.newsroom.structure.typography import is_cjk

_MOST_COLUMNS_DEEP = 2
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
# Rows of a masthead over them, at most.
_MOST_ABOVE = 8
# Entries of a contents list over columns, at least.
_LEAST_ENTRIES = 2
# Where their pages end at least, of the width of the text.
_FAR_RIGHT = 0.75


@dataclass(slots=True)
class Line:
    """A line of a column. `frame` counts the columns and spanning stretches of the document in reading order; lines of
    one frame stand below each other.
    """

    text: str
    left: float
    right: float
    y: float
    size: float
    is_bold: bool
    page: int
    frame: int = 0
    is_furniture: bool = False
    links: tuple[tuple[str, str], ...] = ()


class ReadingOrder:
    """Brings pages into reading order, one after the other: a page whose second column holds a line or two is set as
    the one before it.
    """

    def __init__(self, furniture: set[tuple[int, float]]) -> None:
        """`furniture` are (page, baseline) of rows that belong to the page."""
        self._furniture = furniture
        self._frame = 0
        self._usual: float | None = None

    def lines(self, rows: Sequence[Row], page: int, width: float) -> list[Line]:
        """All lines of a page as they are read: columns one after the other, between what spans them; what belongs to
        the page comes first. `rows` are from the top; `width` is the page's.
        """
        lines: list[Line] = []
        text: list[Row] = []
        for row in rows:
            if (page, main_run(row).y) in self._furniture:
                line = line_of(row, page, self._frame)
                line.is_furniture = True
                lines.append(line)
            else:
                text.append(row)
        head = _head(text, width / 2)
        rest = text[len(head) :]
        listed = _listed(rest)
        head, rest = head + rest[:listed], rest[listed:]
        runs = [run for row in rest for run in row]
        gutter = gutter_of(runs)
        if gutter is None and self._usual is not None and fits(rest, self._usual):
            gutter = self._usual
        self._usual = gutter
        groups = [head] if head else []
        groups += _ordered(rest, gutter, _MOST_COLUMNS_DEEP)
        for group in groups:
            lines += [line_of(row, page, self._frame) for row in with_spaces(group)]
            self._frame += 1
        return lines


def _head(rows: Sequence[Row], middle: float) -> list[Row]:
    """Lines at the top that stand alone in the middle of the page: a masthead over however many columns."""
    found: list[Row] = []
    for row in rows:
        if len(row) > 1 or abs((row[0].left + row[0].right) / 2 - middle) > row[0].size / 2:
            break
        found.append(row)
    return found if len(found) < len(rows) else []


def _listed(rows: Sequence[Row]) -> int:
    """How many rows at the top are a contents list with pages at the far right: they stand over the columns below."""
    pages = {
        at for at, row in enumerate(rows) if len(row) > 1 and row[-1].text.strip().isdecimal() and len(row[-1].text) < 5
    }
    if len(pages) < _LEAST_ENTRIES:
        return 0
    low, high = min(run.left for row in rows for run in row), max(run.right for row in rows for run in row)
    right = max(rows[at][-1].right for at in pages)
    if right < low + _FAR_RIGHT * (high - low):
        return 0
    end = found = 0
    for at, row in enumerate(rows):
        if at in pages and row[-1].right > right - row[-1].size and row[-1].left - row[-2].right > 2 * row[-1].size:
            end, found = at + 1, found + 1
        elif len(row) > 1 and (found or at >= _MOST_ABOVE):
            break
    return end if found >= _LEAST_ENTRIES else 0


def _ordered(rows: list[Row], gutter: float | None, depth: int) -> list[list[Row]]:
    """Groups of rows; within one, lines stand below each other."""
    if gutter is None:
        return [rows] if rows else []
    groups: list[list[Row]] = []
    spanning: list[Row] = []
    beside: list[Row] = []

    def flush_columns() -> None:
        end = columns_end(beside, gutter)
        left = [run for row in beside[:end] for run in row if run.right <= gutter + 1]
        right = [run for row in beside[:end] for run in row if run.right > gutter + 1]
        for side in (left, right):
            groups.extend(_ordered(rows_of(side), gutter_of(side) if depth > 1 else None, depth - 1))
        spanning.extend(beside[end:])
        beside.clear()

    for row in rows:
        if crosses(row, gutter):
            flush_columns()
            spanning.append(row)
            continue
        if spanning:
            groups.append(list(spanning))
            spanning.clear()
        beside.append(row)
    flush_columns()
    if spanning:
        groups.append(spanning)
    return groups


def line_of(row: Sequence[Run], page: int, frame: int = 0) -> Line:
    """A row as one line: runs far apart get wide space between them, as in a table or a masthead."""
    main = main_run(row)
    text = _raised(row[0], main)
    for before, run in pairwise(row):
        said = _raised(run, main)
        gap = (run.left - before.right) / (main.size or 1)
        if gap > 1.0:
            text = text.rstrip() + "    " + said.lstrip()
        elif gap > (0.3 if is_cjk(text[-1:] or "一") else 0.2) and is_cjk(text[-1:] or "一") == is_cjk(said[:1]):
            text = f"{text.rstrip()} {said.lstrip()}"
        else:
            text += said
    bold = sum(len(run.text) for run in row if run.is_bold)
    return Line(
        text,
        min(run.left for run in row),
        max(run.right for run in row),
        main.y,
        main.size,
        bold * 10 >= 9 * sum(len(run.text) for run in row),
        page,
        frame,
    )


def _raised(run: Run, main: Run) -> str:
    """A run's text; digits that are set small and high are written so: the mark of a footnote, a square metre."""
    if (
        run is main
        or run.size > 0.85 * main.size
        or run.y - main.y < 0.12 * main.size
        or not run.text.strip().isdecimal()
    ):
        return run.text
    return run.text.translate(_SUPERSCRIPT)
