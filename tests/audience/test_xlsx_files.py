import datetime as dt
import io
import re
import zipfile
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from mailer.audience import xlsx_files
from mailer.audience.tables import FileKind, detect_shape, read_rows
from mailer.errors import UnreadableError


def workbook(rows: Sequence[Sequence[object]]) -> io.BytesIO:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file


def repacked(file: io.BytesIO, name: str, content: bytes) -> io.BytesIO:
    """The workbook with one part in another's place."""
    packed = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            if part.filename != name:
                new.writestr(part, old.read(part))
        new.writestr(name, content)
    return packed


def test_the_first_sheet_is_read_as_text_with_its_row_numbers() -> None:
    file = workbook([["邮箱", "姓名", "编号", "日期"], [], ["ann@example.org", "安娜", 7.0, dt.date(2026, 3, 1)]])
    shape = detect_shape(file)
    assert shape.kind is FileKind.XLSX
    assert list(read_rows(file, shape)) == [
        (1, ["邮箱", "姓名", "编号", "日期"]),
        (3, ["ann@example.org", "安娜", "7", "2026-03-01"]),
    ]


def formatted(cells: Sequence[tuple[object, str]]) -> io.BytesIO:
    """A sheet of one row, each cell with its number format."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for column, (value, number_format) in enumerate(cells, 1):
        sheet.cell(1, column, value).number_format = number_format
    file = io.BytesIO()
    book.save(file)
    return file


def test_a_number_is_read_as_its_cell_shows_it() -> None:
    cells = [
        (7, "00000"),
        (28001, "000-0000"),
        (13800138000.0, "General"),
        (13800138000.0, "0.00E+00"),
        (0.125, "0.0%"),
        (1234.5, "#,##0.00"),
        (dt.date(2026, 3, 1), "yyyy年m月d日"),
        (dt.datetime.combine(dt.date(2026, 3, 1), dt.time(8, 30)), "yyyy/m/d h:mm"),
        (dt.time(8, 30), "h:mm"),
        (True, "General"),
        ("00042", "@"),
    ]
    [(_, read)] = xlsx_files.read_rows(formatted(cells))
    assert read == [
        "00007",
        "002-8001",
        "13800138000",
        "13800138000",
        "12.5%",
        "1234.50",
        "2026-03-01",
        "2026-03-01T08:30:00",
        "08:30:00",
        "TRUE",
        "00042",
    ]


@pytest.mark.parametrize("number", [27, 31, 36, 50, 57, 58])
def test_days_in_the_formats_that_a_chinese_excel_writes_by_number_alone_are_days(number: int) -> None:
    """ECMA-376 18.8.30, language zh-cn: these formats stand in no file, only their numbers do."""
    file = formatted([(46082, '0"x"')])
    with zipfile.ZipFile(file) as archive:
        styles = archive.read("xl/styles.xml").decode()
    assert 'numFmtId="164"' in styles
    chinese = repacked(file, "xl/styles.xml", re.sub(r'(<xf [^>]*numFmtId=)"164"', rf'\1"{number}"', styles).encode())
    assert list(xlsx_files.read_rows(chinese)) == [(1, ["2026-03-01"])]


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"PK\x03\x04" + b"\0" * 100, b""])
def test_what_is_no_zip_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableError, match="workbook"):
        list(xlsx_files.read_rows(io.BytesIO(content)))


def test_a_zip_of_something_else_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    with pytest.raises(UnreadableError, match="workbook"):
        list(xlsx_files.read_rows(file))


@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml"])
def test_a_zip_bomb_is_refused_by_its_directory(part: str) -> None:
    bomb = repacked(workbook([["email"]]), part, b"\0" * (8 * 1024 * 1024))
    with pytest.raises(UnreadableError, match="far more"):
        detect_shape(bomb)


def test_more_words_than_fit_into_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_files, "LARGEST_STRINGS", 100)
    with pytest.raises(UnreadableError, match="too large"):
        detect_shape(workbook([["email"], ["ann@example.org"]]))


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row><c></row>"),
        ("xl/workbook.xml", b"not xml"),
        ("[Content_Types].xml", b"<Types/>"),
    ],
)
def test_a_broken_part_is_a_broken_workbook(part: str, content: bytes) -> None:
    broken = repacked(workbook([["email"], ["ann@example.org"]]), part, content)
    with pytest.raises(UnreadableError):
        list(xlsx_files.read_rows(broken))


CELL = '<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&e8;</t></is></c></row></sheetData>'


def test_entities_are_not_expanded_without_end() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 10}">' for n in range(9))
    laughs = f'<?xml version="1.0"?><!DOCTYPE x [{entities}]><worksheet>{CELL}</worksheet>'.encode()
    with pytest.raises(UnreadableError):
        list(xlsx_files.read_rows(repacked(workbook([["a"]]), "xl/worksheets/sheet1.xml", laughs)))


def in_row(row: int) -> io.BytesIO:
    """A sheet whose second cell says that it is in this row."""
    cells = "".join(f'<row r="{at}"><c r="A{at}" t="inlineStr"><is><t>{at}</t></is></c></row>' for at in (1, row))
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>'
    return repacked(workbook([["a"]]), "xl/worksheets/sheet1.xml", sheet.encode())


def test_a_cell_in_the_last_row_is_read_without_a_look_at_each_cell_above(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[object] = []
    as_text = xlsx_files._as_text
    monkeypatch.setattr(xlsx_files, "_as_text", lambda value: looked_at.append(value) or as_text(value))
    assert list(xlsx_files.read_rows(in_row(xlsx_files.MOST_ROWS))) == [(1, ["1"]), (1_048_576, ["1048576"])]
    assert len(looked_at) == 2


def test_a_row_that_no_sheet_has_is_not_waited_for() -> None:
    with pytest.raises(UnreadableError, match="cannot be read"):
        list(xlsx_files.read_rows(in_row(10**12)))


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), min_size=1, max_size=12)


@given(st.lists(st.lists(TEXT, min_size=1, max_size=3), min_size=1, max_size=4))
def test_texts_come_back_as_they_were(rows: list[list[str]]) -> None:
    # What begins with = is a formula to openpyxl; its result is what is read, and there is none here.
    rows = [[f"x{cell}" for cell in row] for row in rows]
    found = [cells for _, cells in xlsx_files.read_rows(workbook(rows))]
    width = max(map(len, rows))
    assert [[*cells, *[""] * (width - len(cells))] for cells in found] == [
        [*row, *[""] * (width - len(row))] for row in rows
    ]
