"""Bytes of an upload become text, or one sentence says why not."""

import subprocess
import sys
from pathlib import Path

import pytest

from mailer.errors import UnreadableError
from mailer.i18n import translate
from mailer.newsroom.parsing import parse_document, parse_file
from mailer.newsroom.reading import MAX_LINES, read_file, read_text

TRADITIONAL = (
    "澎川科技簡訊\n第9期\n澎川市政府科技處 編印\n目錄\n★海洋觀測站啟用……1\n海洋觀測站啟用\n本月三日，觀測站正式啟用。"
)
ENGLISH = "Northisle Notes\nNo. 3\nThe “floating” turbine – now in its second winter – works. The café is pleased.\n"
REFUSED = {
    "empty": (b"", "empty"),
    "only blanks": (b" \r\n\t\n", "empty"),
    "a byte-order mark alone": (b"\xef\xbb\xbf", "no text"),
    "only ornaments": ("★☆※\n……\n".encode(), "no text"),
    "a broken PDF": (b"%PDF-1.7\n...", "PDF is damaged"),
    "a broken docx": (b"PK\x03\x04rest", "damaged"),
    "doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as .docx"),
    "an encrypted docx": (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "password"),
    "RTF": (rb"{\rtf1\ansi", "RTF"),
    "PNG": (b"\x89PNG\r\n\x1a\n", "PNG"),
    "JPEG": (b"\xff\xd8\xff\xe0", "JPEG"),
    "gzip": (b"\x1f\x8b\x08", "gzip"),
    "HTML without text": (b"<!doctype HTML><title>x</title>", "no text"),
    "HTML below blanks": (b"\n\n<html><body><script>alert(1)</script>", "no text"),
    "XML": (b'<?xml version="1.0"?>', "XML"),
    "NULs": (b"bulletin\0\0\0\0\0\0\0\0 no. 3 \0\0\1\2\3", ""),
    "noise": (bytes(range(1, 256)) * 40, ""),
    "controls": (b"a\x01\x02\x03\x04\x05\x06b" * 50, "not plain text"),
    "half a UTF-16 character": ("\ufeff第9期".encode("utf-16-le") + b"\x00", "damaged"),
    "page numbers alone": ("— 1 —\n\f— 2 —\n\f— 3 —\n".encode(), "no bulletin"),
}


@pytest.mark.parametrize(("content", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_text_is_refused_with_one_sentence(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError) as refusal:
        parse_document(content, "upload.txt")
    sentence = str(refusal.value)
    assert reason in sentence
    assert "\n" not in sentence
    assert translate("zh_CN", refusal.value.message, **refusal.value.params) != sentence


@pytest.mark.parametrize("name", ["a.doc", "a.wps", "a.xlsx", "a", "a.txt.exe", ".txt"])
def test_other_kinds_of_files_are_told_what_can_be_read(name: str) -> None:
    with pytest.raises(UnreadableError, match=r"\.txt, .*\.docx"):
        parse_document("第9期".encode(), name)


def test_the_name_of_the_kind_may_be_in_capitals() -> None:
    assert read_text("第9期".encode()).text == "第9期"


def test_a_file_over_the_limit_is_refused() -> None:
    with pytest.raises(UnreadableError, match=r"limit of 0\.5 MiB"):
        parse_document(b"a" * (2**19 + 1), "a.txt", max_bytes=2**19)
    assert read_text(b"a" * 2**19, max_bytes=2**19).encoding == "utf-8"


def test_no_more_of_a_file_is_read_than_the_limit() -> None:
    with pytest.raises(UnreadableError, match="larger than the limit"):
        read_file(Path("/dev/zero"), max_bytes=1000)


def test_a_missing_file_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="cannot be opened: No such file"):
        parse_file(tmp_path / "none.txt")


def test_a_file_is_parsed_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "简报.txt"
    path.write_bytes("科技简报\n第3期\n\n标题一则\n\n正文一句。\n".encode("gb18030"))
    assert parse_file(path).number == "3"


def test_a_file_of_too_many_lines_is_refused() -> None:
    with pytest.raises(UnreadableError, match="more than"):
        parse_document(b"a\n" * (MAX_LINES + 1), "log.txt")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TRADITIONAL.encode("big5hkscs"), "big5hkscs"),
        (TRADITIONAL.encode("gb18030"), "gb18030"),
        (ENGLISH.encode("cp1252"), "cp1252"),
        (ENGLISH.encode("utf-16-le"), "utf-16-le"),
        (b"\xef\xbb\xbf" + TRADITIONAL.encode(), "utf-8"),
        (b"\xff\xfe" + TRADITIONAL.encode("utf-16-le"), "utf-16-le"),
        (b"\xfe\xff" + TRADITIONAL.encode("utf-16-be"), "utf-16-be"),
        (b"\xff\xfe\0\0" + TRADITIONAL.encode("utf-32-le"), "utf-32-le"),
        (b"\0\0\xfe\xff" + TRADITIONAL.encode("utf-32-be"), "utf-32-be"),
    ],
)
def test_encodings_are_recognised(content: bytes, encoding: str) -> None:
    reading = read_text(content)
    assert reading.encoding == encoding
    assert reading.text in (TRADITIONAL, ENGLISH)


def test_characters_of_four_bytes_in_gb18030_survive() -> None:
    text = "元素周期表里的新成员：104 号元素为𬬻，105 号为𬭊，109 号为鿏。这些字大多是新造字，输入法和字库并不支持。"
    assert read_text(text.encode("gb18030")).text == text


def test_a_damaged_file_is_refused_with_the_line() -> None:
    good = "第一行是好的文字，足够长。\n" * 40
    with pytest.raises(UnreadableError, match="line 41"):
        parse_document(good.encode() + b"\xe4\xb8", "a.txt")


def test_line_ends_of_every_system_count_alike() -> None:
    text = read_text("一\r\n二\r三\n四\u2028五\v六".encode()).text
    assert text == "一\n二\n三\n四\n五\n六"


def test_invisible_characters_are_taken_out() -> None:
    assert read_text("第\u200b9\ufeff期\u202e".encode()).text == "第9期"


def test_parsing_loads_neither_database_nor_queue_nor_web() -> None:
    script = (
        "import sys; from mailer.newsroom.parsing import parse_document;"
        "parse_document('科技简报\\n第3期\\n\\n标题\\n\\n正文。'.encode(), 'a.txt');"
        "print(sorted({'sqlalchemy', 'psycopg', 'celery', 'redis', 'flask', 'pydantic'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
