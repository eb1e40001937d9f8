"""Columns of a page of a PDF: where two of them part, and where they end."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from mailer.newsroom.readers.pdf_text import Run
from mailer.newsroom.readers.pdf_words import Row, closed, main_run, rows_of, unparted
from mailer.newsroom.structure.lexicon import LABELS
from mailer.newsroom.structure.typography import fold, squeeze

_LEAST_ROWS = 4
# Rows under two columns that are not theirs.
_MOST_BELOW = 4
_LABELS = frozenset(word.replace("_", "") for words in LABELS.values() for word in words.split())


def gutter_of(runs: Sequence[Run]) -> float | None:
    """Where two columns of running text part; `None` for one column, for tables and for lists with pages at the right.

    A gutter is crossed by few lines, and on both sides of it most lines fill their column.
    """
    wide = [run for row in rows_of(runs) for run in closed(unparted(row)) if len(run.text) > 3]
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


def fits(rows: Sequence[Row], gutter: float) -> bool:
    """Whether nothing but the last lines crosses a gutter, and something stands on both sides of it."""
    end = len(rows)
    while end and len(rows) - end < _MOST_BELOW and crosses(rows[end - 1], gutter):
        end -= 1
    sides = {run.right <= gutter + 1 for row in rows[:end] for run in row}
    return len(sides) == 2 and not any(crosses(row, gutter) for row in rows[:end])


def crosses(row: Row, gutter: float) -> bool:
    return any(run.left < gutter - 1 and run.right > gutter + 1 for run in row)


def columns_end(rows: Sequence[Row], gutter: float) -> int:
    """The index of the first row below two columns: a colophon at the left is no part of the left column then.

    Where the page was drawn one column after the other, what was drawn after both is below them. Else it is what says
    so, or what has a space above it, under columns that end side by side.
    """
    for end in range(len(rows), max(0, len(rows) - _MOST_BELOW - 1), -1):
        if _is_drawn_by_column(rows[:end], gutter):
            drawn = max(run.order for row in rows[:end] for run in row)
            return end if all(run.order > drawn for row in rows[end:] for run in row) else len(rows)
    end = len(rows)
    while end > 1 and all(run.right <= gutter + 1 for run in rows[end - 1]):
        end -= 1
    if end == len(rows):
        return end
    labelled = next((at for at in range(end, len(rows)) if _is_labelled(rows[at])), len(rows))
    if len(rows) - labelled <= _MOST_BELOW and labelled < len(rows):
        return labelled
    if len(rows) - end > _MOST_BELOW:
        return len(rows)
    above = rows[end - 1]
    size = main_run(above).size
    space = min(run.y for run in above) - max(run.y for run in rows[end])
    leading = min((run.y for run in rows[end - 2]), default=0) - max(run.y for run in above) if end > 1 else 0
    is_level = any(run.right <= gutter + 1 for run in above)
    return end if is_level and space > max(1.15 * leading, 1.5 * size) else len(rows)


def _is_labelled(row: Row) -> bool:
    """Whether a row begins as a colophon's line does: with a label of the list and a colon."""
    label, colon, _ = fold("".join(run.text for run in row)).partition(":")
    return colon != "" and squeeze(label).lower() in _LABELS


def _is_drawn_by_column(rows: Sequence[Row], gutter: float) -> bool:
    """Whether all of the left column was drawn before all of the right one, and both hold lines."""
    left = [run.order for row in rows for run in row if run.right <= gutter + 1]
    right = [run.order for row in rows for run in row if run.right > gutter + 1]
    return len(left) > 1 < len(right) and max(left) < min(right)
