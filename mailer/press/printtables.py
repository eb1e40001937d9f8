"""An HTML table on a grid: every cell with its place, spans cut to what is free (HTML 5.2 section 4.9.12.1)."""

import re
from collections.abc import Callable
from typing import Any

from lxml.html import HtmlElement

from mailer.press.plaintext import width

# A page of A4 holds no more columns that anybody could read.
MOST_COLUMNS = 24
# A column's natural width, in columns of text: neither a sliver nor the whole page. What is wider wraps.
NARROWEST, WIDEST = 6, 40
# What fits side by side on A4 at the size of tables, and what the two margins of a cell take of it.
ROOM, MARGINS = 84, 3
# A word longer than this is broken (see `printblocks.breakable`): it claims no more of the page.
LONGEST_WORD = 24
# Four Chinese characters: fewer in a line are no text any more, though it could be broken between any two.
LEAST = 8
# Text of a cell, in columns, that a page's end does not cut; one that is longer may be longer than the page.
WHOLE = 400
# Latin words, figures, and the two or more Chinese characters that a closing mark holds together are short anyway.
_RUN = re.compile(r"[\x21-\x7e\xa1-\u024f]+")


def lay_out(table: HtmlElement, write: Callable[[HtmlElement], list[dict[str, Any]]]) -> dict[str, Any] | None:
    """``{"kind": "table", "columns": weights, "is_crowded", "cells": […], "head_rows", "head_cells"}``; `None`
    without a cell. Crowded is a table whose longest words do not fit side by side: they are hyphenated.

    A cell is ``x``, ``y``, ``colspan``, ``rowspan``, ``is_head``, ``is_figure`` (of a column of figures), ``is_whole``
    (short enough that no page's end need cut it) and ``inside``, which is what `write` makes of it. The
    first `head_cells` cells make up `head_rows` whole rows, repeated on each page.
    """
    # Not the rows of a table inside a cell: those are that cell's.
    rows = [row for part in table.xpath("self::table|thead|tbody|tfoot") for row in part.iterchildren("tr")]
    taken: set[tuple[int, int]] = set()
    cells: list[dict[str, Any]] = []
    natural: dict[int, int] = {}
    least: dict[int, int] = {}
    for y, row in enumerate(rows):
        x = 0
        for element in row.iterchildren("td", "th"):
            while (x, y) in taken:
                x += 1
            if x >= MOST_COLUMNS:
                # Nothing is lost: what has no column of its own joins the last one.
                _join(cells, y, write(element))
                continue
            colspan = _free(taken, x, y, min(_span(element, "colspan"), MOST_COLUMNS - x))
            rowspan = min(_span(element, "rowspan"), len(rows) - y)
            taken |= {(x + dx, y + dy) for dx in range(colspan) for dy in range(rowspan)}
            cells.append({
                "x": x, "y": y, "colspan": colspan, "rowspan": rowspan, "is_head": element.tag == "th",
                "is_figure": element.get("class") == "amount",
                "is_whole": rowspan == 1 and _extent(element) <= WHOLE, "inside": write(element),
            })  # fmt: skip
            if colspan == 1:
                words = element.text_content().split()
                natural[x] = max(natural.get(x, 0), width(" ".join(words)))
                least[x] = max([least.get(x, LEAST), *map(_widest_run, words)])
            x += colspan
    if not cells:
        return None
    count = max(x for x, _ in taken) + 1
    columns = _share([natural.get(x, 0) for x in range(count)], [least.get(x, 0) for x in range(count)])
    is_crowded = sum(columns) > ROOM
    head_rows = _head_rows(cells, len(rows))
    head_cells = sum(1 for cell in cells if cell["y"] < head_rows)
    return {
        "kind": "table", "columns": columns, "is_crowded": is_crowded, "cells": cells, "head_rows": head_rows,
        "head_cells": head_cells,
    }  # fmt: skip


def _widest_run(word: str) -> int:
    """Columns of the longest part of `word` that no line may be broken in: between Chinese characters it may."""
    return min(LONGEST_WORD, max((width(run) for run in _RUN.findall(word)), default=0))


def _extent(element: HtmlElement) -> int:
    """About how many columns of text a cell holds, a line for each of its elements included."""
    return width(" ".join(element.text_content().split())) + 30 * sum(1 for _ in element.iterdescendants())


def _share(natural: list[int], least: list[int]) -> list[int]:
    """Relative widths. Where the table is too wide for the page, every column keeps its longest word whole as far as
    that goes, and what is left of the page is shared by how much text waits to be set.
    """
    wanted = [min(max(have, NARROWEST), WIDEST) + MARGINS for have in natural]
    floor = [min(have + MARGINS, wish) for have, wish in zip(least, wanted, strict=True)]
    spare = ROOM - sum(floor)
    if sum(wanted) <= ROOM:
        return wanted
    if spare <= 0:
        return floor
    waiting = sum(wanted) - sum(floor)
    return [low + spare * (wish - low) // waiting for low, wish in zip(floor, wanted, strict=True)]


def _span(element: HtmlElement, name: str) -> int:
    """A span as written; 0 means "to the end" in HTML and is taken for 1, as most mail clients do."""
    return max(1, int(element.get(name, "1")))


def _free(taken: set[tuple[int, int]], x: int, y: int, wanted: int) -> int:
    """How many of the `wanted` columns from `x` on are free in row `y`."""
    return next((dx for dx in range(wanted) if (x + dx, y) in taken), wanted)


def _join(cells: list[dict[str, Any]], y: int, inside: list[dict[str, Any]]) -> None:
    last = next((cell for cell in reversed(cells) if cell["y"] <= y), None)
    if last is not None:
        last["inside"] = [*last["inside"], *inside]


def _head_rows(cells: list[dict[str, Any]], rows: int) -> int:
    """How many rows at the top hold nothing but headings, none of which reaches below them."""
    count = 0
    for y in range(min(rows - 1, 3)):
        row = [cell for cell in cells if cell["y"] == y]
        if not row or not all(cell["is_head"] for cell in row):
            break
        if all(cell["y"] + cell["rowspan"] <= y + 1 for cell in cells if cell["y"] <= y):
            count = y + 1
    return count
