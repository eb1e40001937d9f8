"""Excel workbooks, read row by row, and never further than their bounds: a workbook is a zip of what anybody packed."""

import datetime as dt
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

from openpyxl import load_workbook
from openpyxl.cell.read_only import EMPTY_CELL
from openpyxl.utils.datetime import from_excel
from openpyxl.utils.exceptions import InvalidFileException

from mailer.audience.cell_formats import show
from mailer.errors import UnreadableError
from mailer.i18n import N_

SIGNATURE = b"PK\x03\x04"
# Unpacked. openpyxl keeps the shared strings in memory; the sheet itself is streamed.
LARGEST_STRINGS = 24 * 1024 * 1024
LARGEST_PART = 1024 * 1024 * 1024
MOST_PARTS = 2000
# Spreadsheets pack about 10 : 1; what packs hundreds of times better is a bomb.
BEST_RATIO = 200
_RATIO_COUNTS_FROM = 1024 * 1024
# A cell further right than this is not looked at: a row may claim 16,384 of them.
MOST_COLUMNS = 100
# Of a sheet, for Excel as well. What stands below a gap is read; the billionth row is not waited for.
MOST_ROWS = 1_048_576
# Of Chinese, Japanese and Korean spreadsheets: days and times whose formats stand in no file (ECMA-376 18.8.30).
_CJK_DATES = frozenset((*range(27, 37), *range(50, 59)))

_BROKEN = N_("The workbook cannot be read. Please save it again as .xlsx, or as CSV.")


def read_rows(file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """(row, cells as text) of the first sheet, rows counted from 1, blank ones left out.

    Raises `UnreadableError` for what is no workbook, is broken, or is larger than it may be.
    """
    check_bounds(file)
    file.seek(0)
    try:
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        try:
            yield from _rows(book)
        finally:
            book.close()
    except (
        zipfile.BadZipFile,
        InvalidFileException,
        LookupError,
        ValueError,
        TypeError,
        SyntaxError,
        OSError,
        EOFError,
    ):
        # What openpyxl raises for a broken part; ElementTree's ParseError is a SyntaxError.
        raise UnreadableError(_BROKEN) from None


def _rows(book: Any) -> Iterator[tuple[int, list[str]]]:
    sheet = next(iter(book.worksheets), None)
    if sheet is None:
        raise UnreadableError(_BROKEN)
    # The size a sheet claims for itself is often wrong, and may be a lie.
    sheet.reset_dimensions()
    gap: Any = None
    for number, row in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS), 1):
        if number > MOST_ROWS:
            raise UnreadableError(_BROKEN)
        # Rows that are missing are made up by openpyxl, as many as it takes, all of them the very same: a look at each
        # must cost nothing.
        if row is gap:
            continue
        if all(cell is EMPTY_CELL for cell in row):
            gap = row
            continue
        cells = ["" if cell is EMPTY_CELL else _as_text(cell) for cell in row]
        # Rows are filled up to the widest; that is the reader's doing, not the file's.
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield number, cells


def check_bounds(file: BinaryIO) -> None:
    """Raises `UnreadableError` when the workbook would not fit, by what its directory says; zipfile itself refuses a
    part that is larger than that.
    """
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise UnreadableError(_BROKEN) from None
    if "xl/workbook.xml" not in {part.filename for part in parts}:
        raise UnreadableError(_BROKEN)
    for part in parts:
        ratio = part.file_size / max(part.compress_size, 1)
        is_bomb = part.file_size > _RATIO_COUNTS_FROM and ratio > BEST_RATIO
        if is_bomb or part.file_size > LARGEST_PART or len(parts) > MOST_PARTS:
            raise UnreadableError(N_("The workbook unpacks to far more than it should. Please save it as CSV."))
        # Whatever is not a sheet is read as a whole.
        if not part.filename.startswith("xl/worksheets/") and part.file_size > LARGEST_STRINGS:
            raise UnreadableError(N_("The workbook is too large to be read. Please save it as CSV (UTF-8) instead."))


def _as_text(cell: Any) -> str:
    value = cell.value
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        number = cell.style_array.numFmtId
        if number not in _CJK_DATES:
            is_plain = number == 0 and isinstance(value, int)
            return str(value) if is_plain else show(value, cell.number_format).strip()
        value = _as_moment(value, cell.parent.parent.epoch)
    if isinstance(value, dt.datetime) and value.time() == dt.time.min:
        # A day is a moment to a workbook, too.
        value = value.date()
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return str(value).strip()


def _as_moment(value: float, epoch: dt.datetime) -> object:
    """What no calendar holds stays a number."""
    try:
        return from_excel(value, epoch)
    except (OverflowError, ValueError):
        return show(value, "General")
