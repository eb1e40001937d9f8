import codecs
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.audience import tables
from mailer.audience.tables import FileKind, detect_shape, read_head
from mailer.errors import UnreadableError

PEOPLE = "邮箱,姓名\r\nann@example.org,安娜\r\nbob@example.org,鲍勃\r\n"
EXPECTED = [(1, ["邮箱", "姓名"]), (2, ["ann@example.org", "安娜"]), (3, ["bob@example.org", "鲍勃"])]


def rows(content: bytes) -> list[tuple[int, list[str]]]:
    file = io.BytesIO(content)
    return list(tables.read_rows(file, detect_shape(file)))


@pytest.mark.parametrize(
    "content",
    [
        PEOPLE.encode(),
        PEOPLE.encode("utf-8-sig"),
        PEOPLE.encode("gb18030"),
        PEOPLE.encode("utf-16"),
        codecs.BOM_UTF16_BE + PEOPLE.encode("utf-16-be"),
        PEOPLE.replace(",", ";").encode(),
        PEOPLE.replace(",", "|").encode(),
        PEOPLE.replace(",", "\t").encode("gb18030"),
        PEOPLE.replace("\r\n", "\n").encode(),
    ],
)
def test_every_encoding_and_delimiter_gives_the_same_rows(content: bytes) -> None:
    assert rows(content) == EXPECTED


def test_the_encoding_and_the_delimiter_are_told() -> None:
    shape = detect_shape(io.BytesIO(PEOPLE.replace(",", "\t").encode("gb18030")))
    assert (shape.kind, shape.encoding, shape.delimiter) == (FileKind.CSV, "gb18030", "\t")
    assert tables.Shape.from_json(shape.as_json()) == shape


def test_chinese_far_behind_the_first_piece_still_decides_the_encoding() -> None:
    content = ("email,name\n" + "ann@example.org,Ann\n" * 20_000 + "bob@example.org,鲍勃\n").encode("gb18030")
    assert rows(content)[-1][1] == ["bob@example.org", "鲍勃"]


def test_blank_lines_are_left_out_and_quoted_newlines_are_counted() -> None:
    content = b'\n\nemail,name\n\n"ann@example.org","Ann\nLee"\n , \nbob@example.org,Bob\n'
    assert [(line, cells[0]) for line, cells in rows(content)] == [
        (3, "email"), (6, "ann@example.org"), (8, "bob@example.org"),
    ]  # fmt: skip


def test_a_note_of_twenty_lines_is_a_cell() -> None:
    note = "\n".join(str(number) for number in range(21))
    assert rows(f'email,note\nann@example.org,"{note}"\n\nbob@example.org,\n'.encode()) == [
        (1, ["email", "note"]), (22, ["ann@example.org", note]), (24, ["bob@example.org", ""]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "not a text file"),
        (b"\xff\xfe\x00\xd8", "UTF-8"),
        (b"email\n\xff\xff\xff", "UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel"),
        (b'email\n"ann@example.org' + b"x" * 200_000, "Line 2 .* quotation mark"),
        (b'email,name\nann@example.org,"Ann\nbob@example.org,Bob\neve@example.org,Eve\n', "Line 2 .* quotation mark"),
        (b'email,name\n"ann@example.org","A\nnn"\nbob@example.org,"', "Line 4 .* quotation mark"),
        (
            b'email,name\na@example.org,"Ann\n' + b"b@example.org,Bob\n" * 30 + b'c@example.org,"Cy"\n',
            "Line 2 .* quotation",
        ),
    ],
)
def test_what_is_no_csv_file_is_refused_with_a_reason(content: bytes, says: str) -> None:
    with pytest.raises(UnreadableError, match=says):
        rows(content)


def test_the_line_by_which_excel_names_its_delimiter_is_no_row() -> None:
    assert rows(b"sep=;\r\nemail;name\r\nann@example.org;A,n,n\r\n") == [
        (2, ["email", "name"]), (3, ["ann@example.org", "A,n,n"]),
    ]  # fmt: skip
    assert rows(b"email\nsep=;\n") == [(1, ["email"]), (2, ["sep=;"])]


@pytest.mark.parametrize("content", [b"", b"\n \r\n"])
def test_an_empty_file_has_no_head(content: bytes) -> None:
    with pytest.raises(UnreadableError, match="empty"):
        read_head(io.BytesIO(content), detect_shape(io.BytesIO(content)))


CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)


@given(st.lists(st.tuples(CELL, CELL), max_size=10), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]))
def test_what_a_spreadsheet_writes_is_read_as_it_was(people: list[tuple[str, str]], encoding: str) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    # Enough Chinese that GB18030 cannot be taken for UTF-8.
    writer.writerow(["邮箱", "姓名"])
    writer.writerows(people)
    expected = [["邮箱", "姓名"], *([email, name] for email, name in people if email.strip() or name.strip())]
    assert [cells for _, cells in rows(buffer.getvalue().encode(encoding))] == expected


@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_a_refusal(content: bytes) -> None:
    try:
        found = rows(content)
    except UnreadableError:
        return
    assert all(line >= 1 and any(cell.strip() for cell in cells) for line, cells in found)
