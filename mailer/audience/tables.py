"""An uploaded table, whatever wrote it: which kind of file it is, and its rows of cells, one at a time."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, BinaryIO

from mailer.audience import csv_files, xlsx_files
from mailer.errors import UnreadableError
from mailer.i18n import N_


class FileKind(StrEnum):
    """What can be read."""

    CSV = "csv"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True)
class Shape:
    """How a file is to be read; `encoding` and `delimiter` are empty for a workbook."""

    kind: FileKind
    encoding: str = ""
    delimiter: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Shape":
        return cls(FileKind(value["kind"]), value["encoding"], value["delimiter"])


def detect_shape(file: BinaryIO) -> Shape:
    """Told by the content, never by the file's name. Raises `UnreadableError`."""
    file.seek(0)
    head = file.read(len(xlsx_files.SIGNATURE))
    file.seek(0)
    if head == xlsx_files.SIGNATURE:
        xlsx_files.check_bounds(file)
        return Shape(FileKind.XLSX)
    if head == b"\xd0\xcf\x11\xe0":
        raise UnreadableError(N_("This is a workbook of an old Excel (.xls). Please save it as .xlsx or CSV."))
    encoding = csv_files.detect_encoding(file)
    return Shape(FileKind.CSV, encoding, csv_files.detect_delimiter(file, encoding))


def read_rows(file: BinaryIO, shape: Shape) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of every row that is not blank; lines, or rows of the sheet, counted from 1.

    Raises `UnreadableError`, also in the middle.
    """
    if shape.kind is FileKind.XLSX:
        return xlsx_files.read_rows(file)
    return csv_files.read_rows(file, shape.encoding, shape.delimiter)


def read_head(file: BinaryIO, shape: Shape, count: int = 8) -> list[list[str]]:
    """The first `count` rows. Raises `UnreadableError` for a file without any."""
    rows = []
    for _line, cells in read_rows(file, shape):
        rows.append(cells)
        if len(rows) == count:
            break
    if not rows:
        raise UnreadableError(N_("The file is empty."))
    return rows
