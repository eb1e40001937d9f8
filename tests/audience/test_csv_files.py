import codecs
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.audience.csv_files import Row, read_rows
from mailer.errors import UnreadableError

PEOPLE = "邮箱,姓名\r\nann@example.org,安娜\r\nbob@example.org,鲍勃\r\n"
EXPECTED = [Row(2, "ann@example.org", "安娜"), Row(3, "bob@example.org", "鲍勃")]


@pytest.mark.parametrize(
    "content",
    [
        PEOPLE.encode(),
        PEOPLE.encode("utf-8-sig"),
        PEOPLE.encode("gb18030"),
        PEOPLE.encode("utf-16"),
        codecs.BOM_UTF16_BE + PEOPLE.encode("utf-16-be"),
        PEOPLE.replace(",", ";").encode(),
        PEOPLE.replace(",", "\t").encode("gb18030"),
        PEOPLE.replace("\r\n", "\n").encode(),
    ],
)
def test_every_encoding_and_delimiter_gives_the_same_rows(content: bytes) -> None:
    assert list(read_rows(content)) == EXPECTED


@pytest.mark.parametrize(
    "heading", ["Email,Name", "E-mail,full_name", "电子邮件,姓名", "EMAIL ADDRESS,NAME", "邮箱地址,称呼", "地址,名字"]
)
def test_headings_are_recognised_in_chinese_and_english(heading: str) -> None:
    assert list(read_rows(f"{heading}\nann@example.org,Ann\n".encode())) == [Row(2, "ann@example.org", "Ann")]


def test_columns_may_stand_in_any_order_among_others() -> None:
    content = "编号,姓名,单位,邮箱\n1,安娜,科技局,ann@example.org\n2,鲍勃\n".encode()
    assert list(read_rows(content)) == [Row(2, "ann@example.org", "安娜"), Row(3, "", "鲍勃")]


def test_without_a_heading_the_column_with_an_at_sign_is_the_address() -> None:
    assert list(read_rows("安娜,ann＠example.org\n".encode())) == [Row(1, "ann＠example.org", "安娜")]
    assert list(read_rows(b"ann@example.org\nbob@example.org")) == [
        Row(1, "ann@example.org", ""),
        Row(2, "bob@example.org", ""),
    ]
    assert list(read_rows(b"1,ann@example.org,x\n")) == [Row(1, "ann@example.org", "")]


def test_blank_lines_are_left_out_and_quoted_newlines_are_counted() -> None:
    content = b'\n\nemail,name\n\n"ann@example.org","Ann\nLee"\n , \nbob@example.org,Bob\n'
    assert [(row.line, row.email) for row in read_rows(content)] == [(6, "ann@example.org"), (8, "bob@example.org")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\n \r\n", "empty"),
        (b"PK\x03\x04 a workbook", "Excel"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "not a text file"),
        (b"\xff\xfe\x00\xd8", "UTF-8"),
        (b"email\n\xff\xff\xff", "UTF-8"),
        (b"name,phone\nAnn,123", "No column"),
        (b'email\n"ann@example.org' + b"x" * 200_000, "quotation mark"),
    ],
)
def test_what_is_no_csv_file_is_refused_with_a_reason(content: bytes, says: str) -> None:
    with pytest.raises(UnreadableError, match=says):
        list(read_rows(content))


CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)


@given(st.lists(st.tuples(CELL, CELL), max_size=10), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_what_a_csv_writer_writes_is_read_back(rows: list[tuple[str, str]], encoding: str) -> None:
    written = io.StringIO()
    csv.writer(written).writerows([("email", "姓名"), *rows])
    read = list(read_rows(written.getvalue().encode(encoding)))
    assert [(row.email, row.name) for row in read] == [row for row in rows if any(cell.strip() for cell in row)]


@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_a_clear_refusal(content: bytes) -> None:
    refusals: list[str] = []
    try:
        assert all(row.line > 0 for row in read_rows(content))
    except UnreadableError as error:
        refusals.append(str(error))
    assert all(refusal.endswith(".") for refusal in refusals)
