"""An HTML table on a grid: every cell with its place, spans cut to what is free (HTML 5.2 section 4.9.12.1)."""

from collections.abc import Callable
from typing import Any

from lxml.html import HtmlElement

from mailer.press.plaintext import width

# A page of A4 holds no more columns that anybody could read.
MOST_COLUMNS = 24
# A column's share of the page's width, in columns of text: neither a sliver nor the whole page.
NARROWEST, WIDEST = 6, 40


def lay_out(table: HtmlElement, write: Callable[[HtmlElement], list[dict[str, Any]]]) -> dict[str, Any] | None:
    """``{"kind": "table", "columns": weights, "cells": […], "head_rows", "head_cells"}``; `None` without a cell.

    A cell is ``x``, ``y``, ``colspan``, ``rowspan``, ``is_head`` and ``inside``, which is what `write` makes of it. The
    first `head_cells` cells make up `head_rows` whole rows, repeated on each page.
    """
    # Not the rows of a table inside a cell: those are that cell's.
    rows = [row for part in table.xpath("self::table|thead|tbody|tfoot") for row in part.iterchildren("tr")]
    taken: set[tuple[int, int]] = set()
    cells: list[dict[str, Any]] = []
    weights: dict[int, int] = {}
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
                "inside": write(element),
            })  # fmt: skip
            if colspan == 1:
                weights[x] = max(weights.get(x, 0), width(" ".join(element.text_content().split())))
            x += colspan
    if not cells:
        return None
    count = max(x for x, _ in taken) + 1
    columns = [min(max(weights.get(x, 0), NARROWEST), WIDEST) for x in range(count)]
    head_rows = _head_rows(cells, len(rows))
    head_cells = sum(1 for cell in cells if cell["y"] < head_rows)
    return {"kind": "table", "columns": columns, "cells": cells, "head_rows": head_rows, "head_cells": head_cells}


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
