"""Words of a PDF that were drawn apart to fill their line: put together again where that can be seen."""

from collections.abc import Sequence

from mailer.newsroom.readers.pdf_text import Run
from mailer.newsroom.structure.typography import is_cjk

# In parts of the first gap of a line: by how much the others of a justified line differ at most.
_SAME_GAP = 0.15
# In parts of the type's size; what is less parts no words.
_LEAST_GAP = 0.2
# Nor what is less columns.
_CLOSE = 0.5

Row = list[Run]


def main_run(row: Sequence[Run]) -> Run:
    """The run whose place and look are the line's: the one with the most text."""
    return row[0] if len(row) == 1 else max(row, key=lambda run: len(run.text.strip()))


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


def unparted(row: Row) -> Row:
    """A row whose words were drawn apart to fill the line, as runs without the gaps: in justified Latin text these are
    of one width, and the words after them begin small or there are several.
    """
    found: Row = []
    start = 0
    while start < len(row):
        end = start + 1
        while end < len(row) and _goes_on(row, start, end):
            end += 1
        words = row[start:end]
        is_line = len(words) > 2 or (len(words) == 2 and words[1].text.lstrip()[:1].islower())
        if is_line and _is_latin(words[0]):
            found.append(_together(words))
            start = end
        else:
            found.append(row[start])
            start += 1
    return found


def closed(row: Row) -> Row:
    """A row with those runs as one that stand close: some programs draw quotation marks and strokes of another font by
    themselves.
    """
    found: Row = []
    for run in row:
        if found and run.left - found[-1].right < _CLOSE * run.size:
            found[-1] = _together([found[-1], run])
        else:
            found.append(run)
    return found


def with_spaces(rows: Sequence[Row]) -> list[Row]:
    """Rows of one frame; those that reach its right edge with their words drawn apart have spaces between them."""
    if not any(len(row) > 1 and _is_latin(row[-1]) for row in rows):
        return list(rows)
    right = max(run.right for row in rows for run in row)
    return [unparted(row) if len(row) > 1 and row[-1].right > right - row[-1].size / 2 else row for row in rows]


def _goes_on(row: Row, start: int, at: int) -> bool:
    """Whether a run is the next word: drawn right after the one before it, and as far from it as the first two are."""
    before, run = row[at - 1], row[at]
    gap = row[start + 1].left - row[start].right
    is_apart = gap > _LEAST_GAP * run.size and abs(run.left - before.right - gap) <= _SAME_GAP * gap
    return is_apart and run.order == before.order + 1 and _is_latin(run)


def _is_latin(run: Run) -> bool:
    first = run.text.lstrip()[:1]
    return not is_cjk(first) and not first.isdecimal()


def _together(row: Row) -> Run:
    main = main_run(row)
    text = " ".join(run.text.strip() for run in row)
    return Run(text, row[0].left, row[-1].right, main.y, main.size, main.is_bold, order=row[0].order)
