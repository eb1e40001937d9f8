"""CSV files as Excel, WPS and other systems write them: which encoding, which delimiter, and their rows of cells."""

import codecs
import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from mailer.errors import UnreadableError
from mailer.i18n import N_

DELIMITERS = ",;\t|"
_PIECE = 262_144


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
    return max(DELIMITERS, key=line.count)


def read_rows(file: BinaryIO, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of every row that is not blank, lines counted from 1; one row is in memory at a time.

    Raises `UnreadableError` with the line where the quotation marks do not pair.
    """
    stream = _text(file, encoding)
    reader = csv.reader(stream, delimiter=delimiter)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error:
        # A cell that is far too long is one whose quotation mark has lost its partner.
        raise UnreadableError(
            N_("Line %(line)s cannot be read: a quotation mark may be missing its partner."),
            place=str(reader.line_num),
            line=reader.line_num,
        ) from None
    finally:
        # The file is the caller's to close.
        stream.detach()


def _text(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    file.seek(0)
    # The newlines inside quotes are the csv module's business.
    return io.TextIOWrapper(file, encoding=encoding, newline="")
