"""Rows as a file to take away: CSV or an Excel workbook, streamed, and safe to open in a spreadsheet.

A cell that begins like a formula gets an apostrophe before it (OWASP, CSV injection), in both kinds of file.
"""

import csv
import datetime as dt
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

Row = Sequence[object]
# What spreadsheets take for a formula when a cell begins with it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_PIECE = 262_144
_LINES = 500
# A sheet has no more rows (ECMA-376); more go on the next.
SHEET_ROWS = 1_048_576
TYPES = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


def as_csv(header: Row, rows: Iterable[Row]) -> Iterator[bytes]:
    """UTF-8 with a BOM, since Excel reads Chinese only then; a few hundred lines are in memory at a time."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow([safe(cell) for cell in header])
    for number, row in enumerate(rows, 1):
        writer.writerow([safe(cell) for cell in row])
        if number % _LINES == 0:
            yield _emptied(buffer)
    yield _emptied(buffer)


def as_xlsx(header: Row, rows: Iterable[Row]) -> Iterator[bytes]:
    """A workbook, written to a temporary file row by row, then given out piece by piece."""
    book = Workbook(write_only=True)
    sheet: Any = None
    for number, row in enumerate(rows):
        if number % (SHEET_ROWS - 1) == 0:
            sheet = _new_sheet(book, header)
        _append(sheet, row)
    if sheet is None:
        _new_sheet(book, header)
    with tempfile.TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece


WRITERS = {"csv": as_csv, "xlsx": as_xlsx}


def safe(cell: object) -> object:
    """What may stand in a cell: text that is no formula, numbers, times as ISO 8601, nothing for `None`."""
    if cell is None:
        return ""
    if isinstance(cell, dt.datetime):
        return cell.isoformat(timespec="seconds")
    if isinstance(cell, dt.date):
        return cell.isoformat()
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _new_sheet(book: Any, header: Row) -> Any:
    sheet = book.create_sheet()
    _append(sheet, header)
    return sheet


def _append(sheet: Any, row: Row) -> None:
    # XML has no control characters; a reader's name may.
    sheet.append([safe(ILLEGAL_CHARACTERS_RE.sub(" ", cell) if isinstance(cell, str) else cell) for cell in row])


def _emptied(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return text
