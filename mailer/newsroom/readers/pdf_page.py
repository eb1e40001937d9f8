"""Runs of a page → lines in reading order: rows, columns side by side, what spans them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from mailer.newsroom.readers.pdf_text import Run
from mailer.newsroom.structure.typography import is_cjk

_MOST_COLUMNS_DEEP = 2
_LEAST_ROWS = 4


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


def rows_of(runs: Sequence[Run], page: int) -> list[Line]:
    """The rows of a page over its whole width, from the top."""
    return [_line(row, page, 0) for row in _rows(runs)]


class ReadingOrder:
    """Brings pages into reading order, one after the other: a page whose second column holds a line or two is set as
    the one before it.
    """

    def __init__(self, furniture: set[tuple[int, float]]) -> None:
        """`furniture` are (page, baseline) of rows that belong to the page."""
        self._furniture = furniture
        self._frame = 0
        self._usual: float | None = None

    def lines(self, runs: Sequence[Run], page: int, width: float) -> list[Line]:
        """All lines of a page as they are read: columns one after the other, between what spans them; what belongs to
        the page comes first. `width` is the page's.
        """
        lines: list[Line] = []
        text: list[Run] = []
        for row in _rows(runs):
            line = _line(row, page, self._frame)
            if (page, line.y) in self._furniture:
                line.is_furniture = True
                lines.append(line)
            else:
                text += row
        head = _head(text, width / 2)
        rest = text[len(head) :]
        gutter = _gutter(rest)
        if gutter is None and self._usual is not None and _fits(rest, self._usual):
            gutter = self._usual
        self._usual = gutter
        groups = [head] if head else []
        groups += _ordered(rest, gutter, _MOST_COLUMNS_DEEP)
        for group in groups:
            lines += [_line(row, page, self._frame) for row in _rows(group)]
            self._frame += 1
        return lines


def _fits(runs: Sequence[Run], gutter: float) -> bool:
    """Whether nothing crosses a gutter, and something stands on both sides of it."""
    sides = {run.right <= gutter + 1 for run in runs}
    return len(sides) == 2 and not any(run.left < gutter - 1 and run.right > gutter + 1 for run in runs)


def _head(runs: Sequence[Run], middle: float) -> list[Run]:
    """Lines at the top that stand alone in the middle of the page: a masthead over however many columns. `runs` are in
    rows from the top.
    """
    found: list[Run] = []
    for row in _rows(runs):
        if len(row) > 1 or abs((row[0].left + row[0].right) / 2 - middle) > row[0].size / 2:
            break
        found += row
    return found if len(found) < len(runs) else []


def _ordered(runs: list[Run], gutter: float | None, depth: int) -> list[list[Run]]:
    """Groups of runs; within one, lines stand below each other."""
    if gutter is None:
        return [runs] if runs else []
    groups: list[list[Run]] = []
    spanning: list[Run] = []
    left: list[Run] = []
    right: list[Run] = []

    def flush_columns() -> None:
        for side in (list(left), list(right)):
            groups.extend(_ordered(side, _gutter(side) if depth > 1 else None, depth - 1))
        left.clear()
        right.clear()

    for row in _rows(runs):
        if any(run.left < gutter - 1 and run.right > gutter + 1 for run in row):
            flush_columns()
            spanning += row
            continue
        if spanning:
            groups.append(list(spanning))
            spanning.clear()
        left += [run for run in row if run.right <= gutter + 1]
        right += [run for run in row if run.right > gutter + 1]
    flush_columns()
    if spanning:
        groups.append(spanning)
    return groups


def _gutter(runs: Sequence[Run]) -> float | None:
    """Where two columns of running text part; `None` for one column, for tables and for lists with pages at the right.

    A gutter is crossed by few lines, and on both sides of it most lines fill their column.
    """
    wide = [run for run in runs if len(run.text) > 3]
    if len(wide) < 2 * _LEAST_ROWS:
        return None
    low, high = min(run.left for run in wide), max(run.right for run in wide)
    step = (high - low) / 80
    best: tuple[int, float] | None = None
    start: float | None = None
    marks = [low + step * at for at in range(20, 61)]
    crossed = [sum(run.left < x - 1 and run.right > x + 1 for run in wide) for x in marks]
    least = min(crossed)
    if least * 4 > len(wide):
        return None
    for x, count in zip([*marks, high], [*crossed, len(wide) + 1], strict=True):
        if count == least:
            start = x if start is None else start
        elif start is not None:
            middle = (start + x - step) / 2
            length = round((x - start) / step)
            best = max(best or (0, 0.0), (length, middle))
            start = None
    if best is None:
        return None
    gutter = best[1]
    sides = ([run for run in wide if run.right <= gutter + 1], [run for run in wide if run.left >= gutter - 1])
    for side in sides:
        if len(side) < _LEAST_ROWS:
            return None
        widths = sorted(run.right - run.left for run in side)
        if median(widths) < 0.55 * widths[-1] or widths[-1] < 0.22 * (high - low):
            return None
    return gutter


def _rows(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs that stand beside each other, from the top; raised and lowered characters stay with their line."""
    rows: list[list[Run]] = []
    anchor: Run | None = None
    for run in sorted(runs, key=lambda run: (-run.y, run.left)):
        larger = max(run.size, anchor.size) if anchor else 0
        if anchor is not None and abs(anchor.y - run.y) <= 0.42 * larger:
            rows[-1].append(run)
            if run.size > anchor.size + 0.5:
                anchor = run
        else:
            rows.append([run])
            anchor = run
    for row in rows:
        row.sort(key=lambda run: run.left)
    return rows


def _line(row: Sequence[Run], page: int, frame: int) -> Line:
    """A row as one line: runs far apart get wide space between them, as in a table or a masthead."""
    main = max(row, key=lambda run: len(run.text.strip()))
    text = row[0].text
    for before, run in pairwise(row):
        gap = (run.left - before.right) / (main.size or 1)
        if gap > 1.0:
            text = text.rstrip() + "    " + run.text.lstrip()
        elif gap > (0.3 if is_cjk(text[-1:] or "一") else 0.2) and is_cjk(text[-1:] or "一") == is_cjk(run.text[:1]):
            text = f"{text.rstrip()} {run.text.lstrip()}"
        else:
            text += run.text
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
