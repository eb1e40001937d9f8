import csv
import datetime as dt
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from mailer.audience import spreadsheets
from mailer.audience.spreadsheets import WRITERS, as_csv, as_xlsx

HEADER = ("a", "b")
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("https://example.test")']


def read(kind: str, content: bytes) -> list[list[object]]:
    if kind == "csv":
        return [list(row) for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))]
    book = load_workbook(io.BytesIO(content))
    return [["" if value is None else value for value in row] for sheet in book for row in sheet.values]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("cell", FORMULAS)
def test_no_cell_is_a_formula(kind: str, cell: str) -> None:
    header, (shown, kept) = read(kind, b"".join(WRITERS[kind](HEADER, [(cell, "x")])))
    assert (header, kept) == (["a", "b"], "x")
    assert str(shown).startswith("'")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_numbers_times_and_nothing_are_written_plainly(kind: str) -> None:
    moment = dt.datetime(2026, 3, 1, 8, 0, tzinfo=dt.UTC)
    content = b"".join(WRITERS[kind](HEADER, [(7, moment), (None, dt.date(2026, 3, 1))]))
    rows = [[str(cell) for cell in row] for row in read(kind, content)]
    assert rows == [["a", "b"], ["7", "2026-03-01T08:00:00+00:00"], ["", "2026-03-01"]]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_without_rows_there_is_a_heading(kind: str) -> None:
    assert read(kind, b"".join(WRITERS[kind](HEADER, []))) == [["a", "b"]]


def test_csv_leaves_in_pieces_that_together_are_the_whole() -> None:
    pieces = list(as_csv(HEADER, ((number, "x") for number in range(1200))))
    assert len(pieces) == 3
    assert len(read("csv", b"".join(pieces))) == 1201


def test_more_rows_than_a_sheet_holds_go_on_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "SHEET_ROWS", 3)
    rows = read("xlsx", b"".join(as_xlsx(HEADER, [(number, "x") for number in range(3)])))
    assert [row[0] for row in rows] == ["a", 0, 1, "a", 2]


CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=15)


@given(st.lists(st.tuples(CELL, CELL), max_size=5))
def test_whatever_a_cell_holds_the_workbook_can_be_read_and_holds_no_formula(rows: list[tuple[str, str]]) -> None:
    book = load_workbook(io.BytesIO(b"".join(as_xlsx(HEADER, rows))))
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
