"""Runs of a page → lines in reading order: rows, columns side by side, what spans them."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from mailer.newsroom.readers.pdf_text import Run
from mailer.newsroom.readers.pdf_words import Row, main_run, unparted, with_spaces
from mailer.newsroom.structure.typography import is_cjk

_MOST_COLUMNS_DEEP = 2
_LEAST_ROWS = 4
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
# Rows of a masthead over them, at most.
_MOST_ABOVE = 8
# Entries of a contents list over columns, at least.
_LEAST_ENTRIES = 2
# Rows under two columns that are not theirs.
_MOST_BELOW = 4


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
        gutter = _gutter(runs)
        if gutter is None and self._usual is not None and _fits(runs, self._usual):
            gutter = self._usual
        self._usual = gutter
        groups = [head] if head else []
        groups += _ordered(rest, gutter, _MOST_COLUMNS_DEEP)
        for group in groups:
            lines += [line_of(row, page, self._frame) for row in with_spaces(group)]
            self._frame += 1
        return lines


def _fits(runs: Sequence[Run], gutter: float) -> bool:
    """Whether nothing crosses a gutter, and something stands on both sides of it."""
    sides = {run.right <= gutter + 1 for run in runs}
    return len(sides) == 2 and not any(run.left < gutter - 1 and run.right > gutter + 1 for run in runs)


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
    right = max(run.right for row in rows for run in row)
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
    end = _columns_end(rows, gutter)
    groups: list[list[Row]] = []
    spanning: list[Row] = []
    left: list[Run] = []
    right: list[Run] = []

    def flush_columns() -> None:
        for side in (left, right):
            groups.extend(_ordered(rows_of(side), _gutter(side) if depth > 1 else None, depth - 1))
        left.clear()
        right.clear()

    for row in rows[:end]:
        if any(run.left < gutter - 1 and run.right > gutter + 1 for run in row):
            flush_columns()
            spanning.append(row)
            continue
        if spanning:
            groups.append(list(spanning))
            spanning.clear()
        left += [run for run in row if run.right <= gutter + 1]
        right += [run for run in row if run.right > gutter + 1]
    flush_columns()
    if spanning:
        groups.append(spanning)
    if end < len(rows):
        groups.append(rows[end:])
    return groups


def _columns_end(rows: Sequence[Row], gutter: float) -> int:
    """The index of the first row below two columns that end side by side, with a space under both of them: a colophon
    at the left is no part of the left column then.
    """
    end = len(rows)
    while end > 1 and all(run.right <= gutter + 1 for run in rows[end - 1]):
        end -= 1
    if end == len(rows) or len(rows) - end > _MOST_BELOW:
        return len(rows)
    above = rows[end - 1]
    size = main_run(above).size
    space = min(run.y for run in above) - max(run.y for run in rows[end])
    leading = min((run.y for run in rows[end - 2]), default=0) - max(run.y for run in above) if end > 1 else 0
    is_level = any(run.right <= gutter + 1 for run in above)
    return end if is_level and space > max(1.15 * leading, 1.5 * size) else len(rows)


def _gutter(runs: Sequence[Run]) -> float | None:
    """Where two columns of running text part; `None` for one column, for tables and for lists with pages at the right.

    A gutter is crossed by few lines, and on both sides of it most lines fill their column.
    """
    wide = [run for row in rows_of(runs) for run in unparted(row) if len(run.text) > 3]
    if len(wide) < 2 * _LEAST_ROWS:
        return None
    low, high = min(run.left for run in wide), max(run.right for run in wide)
    step = (high - low) / 80
    best: tuple[int, float] | None = None
    start: float | None = None
    marks = [low + step * at for at in range(20, 61)]
    crossed = _crossings(wide, marks)
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
    return gutter if all(_is_filled(side, high - low) for side in sides) else None


def _crossings(runs: Sequence[Run], marks: Sequence[float]) -> list[int]:
    """How many runs cross each of some places, which ascend."""
    changes = [0] * (len(marks) + 1)
    for run in runs:
        first = bisect_right(marks, run.left + 1)
        changes[first] += 1
        changes[max(bisect_left(marks, run.right - 1), first)] -= 1
    return list(accumulate(changes))[:-1]


def _is_filled(side: Sequence[Run], width: float) -> bool:
    """Whether one side of a gutter is a column of running text, on a page whose text is so wide."""
    if len(side) < _LEAST_ROWS:
        return False
    widths = sorted(run.right - run.left for run in side)
    return widths[len(widths) // 2] >= 0.55 * widths[-1] and widths[-1] >= 0.22 * width


def rows_of(runs: Sequence[Run]) -> list[Row]:
    """Runs that stand beside each other, from the top; raised and lowered characters stay with their line."""
    rows: list[Row] = []
    anchor: Run | None = None
    for run in sorted(runs, key=lambda run: (-run.y, run.left)):
        if anchor is not None and anchor.y - run.y <= _reach(anchor, run):
            rows[-1].append(run)
            if run.size > anchor.size + 0.5:
                anchor = run
        else:
            rows.append([run])
            anchor = run
    for row in rows:
        row.sort(key=lambda run: run.left)
    return rows


def _reach(upper: Run, lower: Run) -> float:
    """How far apart the baselines of two runs may be on one line. A small one hangs less below a large one than it
    stands above it.
    """
    if upper.size > 1.4 * lower.size:
        return 0.25 * upper.size
    return 0.42 * max(upper.size, lower.size)


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
