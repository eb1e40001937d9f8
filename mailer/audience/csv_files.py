"""Reading a CSV file of subscribers, as Excel, WPS and other systems write it. Pure; nothing is stored here."""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailer.errors import UnreadableError
from mailer.i18n import N_

_EMAIL_HEADERS = {
    "email", "e-mail", "mail", "emailaddress", "e-mailaddress", "address", "subscriber", "邮箱", "电子邮件", "电子邮箱",
    "邮件", "地址", "邮箱地址", "邮件地址", "电子邮件地址", "电子邮箱地址", "email地址",
}  # fmt: skip
_NAME_HEADERS = {"name", "fullname", "displayname", "姓名", "名字", "名称", "称呼", "订户姓名"}
_DELIMITERS = ",;\t"
_SAMPLE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file, its cells as they stand there; `line` counts from 1."""

    line: int
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which column holds what; `has_header` says whether the first row is a heading."""

    email: int
    name: int | None
    has_header: bool


def read_rows(content: bytes) -> Iterator[Row]:
    """The file's rows, one after the other; blank lines are left out.

    UTF-8 (with or without BOM), UTF-16 with BOM, and GB18030 are told apart, as are comma, semicolon and tab. A
    heading is recognised in Chinese and English; without one, the column that holds an ``@`` is the address. Raises
    `UnreadableError`, at the first row at the latest where the file is none of these.
    """
    encoding = _detect_encoding(content)
    # The newlines inside quotes are the csv module's business.
    stream = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")
    first_line = stream.readline()
    while first_line and not first_line.strip():
        first_line = stream.readline()
    stream.seek(0)
    reader = csv.reader(stream, delimiter=_detect_delimiter(first_line))
    layout: _Layout | None = None
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if layout is None:
                layout = _detect_layout(cells)
                if layout.has_header:
                    continue
            yield Row(reader.line_num, _cell(cells, layout.email), _cell(cells, layout.name))
    except csv.Error:
        raise UnreadableError(
            N_("Line %(line)s cannot be read: a quotation mark may be missing its partner."),
            place=str(reader.line_num),
            line=reader.line_num,
        ) from None
    if layout is None:
        raise UnreadableError(N_("The file is empty."))


def _detect_encoding(content: bytes) -> str:
    if content.startswith(b"PK\x03\x04"):
        raise UnreadableError(N_("This is an Excel workbook. Please save it as CSV and upload that."))
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            _check(content, encoding)
            return encoding
    if b"\0" in content[:_SAMPLE_BYTES]:
        raise UnreadableError(N_("This is not a text file. Please upload a CSV file."))
    try:
        _check(content, "utf-8")
    except UnreadableError:
        _check(content, "gb18030")
        return "gb18030"
    return "utf-8"


def _check(content: bytes, encoding: str) -> None:
    """Decodes piece by piece, so that a large file is not held twice."""
    decoder = codecs.getincrementaldecoder(encoding)()
    view = memoryview(content)
    try:
        for start in range(0, len(view), _SAMPLE_BYTES):
            decoder.decode(bytes(view[start : start + _SAMPLE_BYTES]))
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise UnreadableError(
            N_("The file's characters cannot be read. Please save it as CSV in UTF-8 and upload that.")
        ) from None


def _detect_delimiter(line: str) -> str:
    return max(_DELIMITERS, key=line.count)


def _detect_layout(cells: Sequence[str]) -> _Layout:
    headings = ["".join(cell.casefold().replace("_", "").split()) for cell in cells]
    email = next((place for place, heading in enumerate(headings) if heading in _EMAIL_HEADERS), None)
    if email is not None:
        name = next((place for place, heading in enumerate(headings) if heading in _NAME_HEADERS), None)
        return _Layout(email, name, has_header=True)
    email = next((place for place, cell in enumerate(cells) if "@" in cell or "＠" in cell), None)
    if email is None:
        raise UnreadableError(
            N_("No column with addresses was found. Please head it “email” or “邮箱”, and the names “name” or “姓名”.")
        )
    # Without headings only two columns leave no doubt which is the name.
    return _Layout(email, 1 - email if len(cells) == 2 else None, has_header=False)


def _cell(cells: Sequence[str], place: int | None) -> str:
    return cells[place] if place is not None and place < len(cells) else ""
