"""A table in the text part: columns one below the other, while a line holds them."""

from collections.abc import Sequence

from mailer.press.plaintext import width
from mailer.press.shapes import is_figure

BETWEEN = " | "


def align(rows: Sequence[Sequence[str]], room: int) -> list[str]:
    """The lines of `rows`, their cells filled up to the widest of their column, figures at its right; nothing where
    that takes more than `room` columns or the rows have not all the same cells.
    """
    if not rows or len({len(row) for row in rows}) != 1:
        return []
    columns = list(zip(*rows, strict=True))
    widths = [max(map(width, column)) for column in columns]
    if sum(widths) + len(BETWEEN) * (len(widths) - 1) > room:
        return []
    return [BETWEEN.join(_filled(cell, to) for cell, to in zip(row, widths, strict=True)).rstrip() for row in rows]


def _filled(cell: str, to: int) -> str:
    blanks = " " * (to - width(cell))
    return blanks + cell if is_figure(cell) else cell + blanks
