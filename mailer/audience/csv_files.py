"""CSV files as Excel, WPS and other systems write them: which encoding, which delimiter, and their rows of cells."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from mailer.errors import UnreadableError
from mailer.i18n import N_

DELIMITERS = ",;\t|"
_PIECE = 262_144
# Excel's own first line, where the delimiter is not the machine's: it says which, and is no row.
_SEPARATOR = re.compile(r"sep=([,;\t|])\s*", re.IGNORECASE)
# Stands behind the last line while a file is read. Where it does not come out as a row of its own, a quotation mark is
# still open, and all lines since were taken for one cell.
_END = "\x1e"
# Line breaks in a row, as in an address of several lines or a note. With more of them, one quotation mark is open and a
# later one, of another cell, has closed it: what lies between would be lost as one cell.
MOST_BREAKS = 20


def detect_encoding(file: BinaryIO) -> str:
    """UTF-8 (with or without BOM), UTF-16 with BOM, or GB18030. Reads the whole file, piece by piece.

    Raises `UnreadableError` when it is no text at all.
    """
    file.seek(0)
    head = file.read(_PIECE)
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            check_encoding(file, encoding)
            return encoding
    if b"\0" in head:
        raise UnreadableError(N_("This is not a text file. Please upload a CSV file or an Excel workbook (.xlsx)."))
    try:
        check_encoding(file, "utf-8")
    except UnreadableError:
        check_encoding(file, "gb18030")
        return "gb18030"
    return "utf-8"


def check_encoding(file: BinaryIO, encoding: str) -> None:
    """Raises `UnreadableError` where the file cannot be read so; nothing is kept of what was decoded."""
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    try:
        while piece := file.read(_PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise UnreadableError(
            N_("The file's characters cannot be read. Please save it as CSV in UTF-8 and upload that.")
        ) from None
    finally:
        file.seek(0)


def detect_delimiter(file: BinaryIO, encoding: str) -> str:
    """What stands most often in the first line that is not blank; a comma where nothing does."""
    stream = _text(file, encoding)
    line = stream.readline(65_536)
    while line and not line.strip():
        line = stream.readline(65_536)
    stream.detach()
    said = _SEPARATOR.fullmatch(line)
    return said[1] if said else max(DELIMITERS, key=line.count)


def read_rows(file: BinaryIO, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of every row that is not blank, lines counted from 1; one row is in memory at a time.

    Raises `UnreadableError` with the line where the quotation marks do not pair.
    """
    stream = _text(file, encoding)
    reader = csv.reader(chain(stream, [_END]), delimiter=delimiter)
    held: list[str] = []
    # Of the row that is held, and of the one before it.
    line = before = 0
    try:
        for cells in reader:
            if reader.line_num - line > MOST_BREAKS + 1:
                raise _unpaired(line + 1)
            if any(cell.strip() for cell in held) and not (before == 0 and _SEPARATOR.fullmatch(delimiter.join(held))):
                yield line, held
            held, before, line = cells, line, reader.line_num
    except csv.Error:
        # A cell that is far too long is one whose quotation mark has lost its partner.
        raise _unpaired(line + 1) from None
    finally:
        # The file is the caller's to close.
        stream.detach()
    if held != [_END]:
        raise _unpaired(before + 1)


def _unpaired(line: int) -> UnreadableError:
    """`line` is where the row begins whose quotation mark is open."""
    return UnreadableError(
        N_("Line %(line)s cannot be read: a quotation mark may be missing its partner."), place=str(line), line=line
    )


def _text(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    file.seek(0)
    # The newlines inside quotes are the csv module's business.
    return io.TextIOWrapper(file, encoding=encoding, newline="")
