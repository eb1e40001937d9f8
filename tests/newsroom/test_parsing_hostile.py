"""Files of strangers: bombs, entities, macros, passwords, lies about what they are, and what a fuzzer makes of them."""

import random
import struct
import time
import zipfile
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.errors import UnreadableError
from mailer.i18n import translate
from mailer.newsroom.parsing import parse_document, parse_documents
from mailer.newsroom.readers import child, confined, packing
from mailer.newsroom.readers.kinds import Kind, kind_of_file
from mailer.newsroom.readers.limits import LIMITS, Limits
from mailer.newsroom.structure.document import parse_blocks
from tests.newsroom.documents import Setting, Way, make_docx, make_pdf

WORD = make_docx(Way("plain"))[0]
PDF = make_pdf(Setting("plain", has_contents=False))[0]
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def with_part(name: str, content: bytes) -> bytes:
    """The Word document with one part replaced or added."""
    stream = BytesIO()
    with zipfile.ZipFile(BytesIO(WORD)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if entry.filename != name:
                new.writestr(entry.filename, old.read(entry))
        new.writestr(name, content)
    return stream.getvalue()


def document_of(inside: str) -> bytes:
    return f'<?xml version="1.0"?><w:document xmlns:w="{W}"><w:body>{inside}</w:body></w:document>'.encode()


def with_flag(content: bytes) -> bytes:
    """Every entry of the ZIP marked as encrypted."""
    out = bytearray(content)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = out.find(mark)
        while at >= 0:
            out[at + offset] |= 1
            at = out.find(mark, at + 4)
    return bytes(out)


def lying_about_size(content: bytes) -> bytes:
    """A directory that says every part unpacks to ten bytes."""
    out = bytearray(content)
    at = out.find(b"PK\x01\x02")
    while at >= 0:
        struct.pack_into("<I", out, at + 24, 10)
        at = out.find(b"PK\x01\x02", at + 4)
    return bytes(out)


def spreadsheet() -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return stream.getvalue()


ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    + f'<w:document xmlns:w="{W}"><w:body><w:p><w:r><w:t>&b;&f;</w:t></w:r></w:p></w:body></w:document>'.encode()
)
REFUSED = {
    "a bomb": (lambda: with_part("word/media/bomb.bin", bytes(260 * 2**20)), "unpacks to more than"),
    "a bomb of XML": (lambda: with_part("word/document.xml", document_of(" " * 60 * 2**20)), "unpacks to more than"),
    "a bomb whose directory lies": (
        lambda: lying_about_size(with_part("word/document.xml", bytes(60 * 2**20))),
        "damaged",
    ),
    "entities": (lambda: with_part("word/document.xml", ENTITIES), "entities"),
    "macros": (lambda: with_part("word/vbaProject.bin", b"\xd0\xcf"), "macros"),
    "a password on the parts": (lambda: with_flag(WORD), "password"),
    "broken XML": (lambda: with_part("word/document.xml", b"<w:document"), "well-formed"),
    "no text part": (lambda: with_part("word/document.xml", b"<a/>"), "no text part"),
    "half of it": (lambda: WORD[: len(WORD) // 2], "damaged"),
    "nothing in it": (lambda: with_part("word/document.xml", document_of("<w:p/>")), "no bulletin"),
    "a spreadsheet": (spreadsheet, "Excel"),
}


@pytest.mark.parametrize(("make", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_a_dangerous_word_document_is_refused_with_one_sentence(make, reason: str) -> None:
    content = make()
    with pytest.raises(UnreadableError) as refusal:
        parse_document(content, "a.docx", max_bytes=300 * 2**20)
    sentence = str(refusal.value)
    assert reason in sentence
    assert "\n" not in sentence
    assert translate("zh_CN", refusal.value.message, **refusal.value.params) != sentence


def encrypted_pdf() -> bytes:
    from pypdf import PdfWriter

    writer = PdfWriter(clone_from=BytesIO(PDF))
    writer.encrypt("secret", algorithm="AES-256")
    stream = BytesIO()
    writer.write(stream)
    return stream.getvalue()


PDF_REFUSED = {
    "a password": (encrypted_pdf(), "password"),
    "half of it": (PDF[:600], "damaged"),
    "a header alone": (b"%PDF-1.7\n", "damaged"),
    "no PDF at all": (b"bulletin no. 3", "no PDF document"),
}


@pytest.mark.parametrize(("content", "reason"), PDF_REFUSED.values(), ids=PDF_REFUSED.keys())
def test_a_pdf_that_cannot_be_read_is_refused_with_one_sentence(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        parse_document(content, "a.pdf")


@pytest.mark.parametrize(("content", "name"), [(WORD, "a.pdf"), (WORD, "a.txt"), (PDF, "a.docx"), (PDF, "a.txt")])
def test_a_file_under_another_extension_is_read_as_what_it_is(content: bytes, name: str) -> None:
    assert parse_document(content, name).title == "望川科技要情"


def test_a_text_file_called_docx_is_refused_by_its_name() -> None:
    with pytest.raises(UnreadableError, match="no Word document"):
        parse_document("第9期".encode(), "简报.docx")


def test_a_document_of_too_many_pages_is_refused() -> None:
    with pytest.raises(UnreadableError, match="at most 1 are read"):
        parse_document(make_pdf(Setting("A5", paper="a5"))[0], "a.pdf", limits=Limits(max_pages=1))


def test_a_reader_that_takes_too_long_is_stopped_and_nothing_hangs() -> None:
    heavy = b"<html>" + b"<p>x" * 200_000
    began = time.monotonic()
    with pytest.raises(UnreadableError, match=r"more than \d seconds"):
        confined.read_confined(heavy * 4, Kind.HTML, Limits(seconds=1, max_blocks=10**9))
    assert time.monotonic() - began < 30


def test_a_reader_that_takes_too_much_memory_is_stopped() -> None:
    with pytest.raises(UnreadableError, match="64 MiB"):
        confined.read_confined(WORD + bytes(80 * 2**20), Kind.DOCX, Limits(memory=64 * 2**20))


def test_the_reader_sees_no_secret_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_SECRET_KEY", "not for readers")
    assert set(confined.child_environment()) <= {"PATH", "SYSTEMROOT"}


def test_a_broken_file_among_several_is_named() -> None:
    with pytest.raises(UnreadableError, match="damaged") as refusal:
        parse_documents([(WORD, "一.docx"), (WORD[:900], "二.docx")])
    assert refusal.value.place == "二.docx"


def mutated(content: bytes, seed: int) -> bytes:
    """The file with a few of its bytes changed, cut or doubled."""
    chance = random.Random(seed)
    out = bytearray(content)
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(out))
        match chance.randrange(4):
            case 0:
                out[at] = chance.randrange(256)
            case 1:
                del out[at : at + chance.randint(1, 40)]
            case 2:
                out[at:at] = out[at : at + chance.randint(1, 200)]
            case _:
                out[at : at + 4] = struct.pack("<I", chance.choice((0, 2**31 - 1, 2**32 - 1)))
    return bytes(out)


def read_here(content: bytes, name: str) -> None:
    """Reads in this process, where a crash or an exception of another kind is seen."""
    try:
        kind = kind_of_file(content, name)
        document = child.read(content, kind, LIMITS)
    except UnreadableError:
        return
    assert packing.unpacked(packing.packed(document)) == document
    told = parse_blocks(document.blocks, encoding=document.encoding, pictures=document.pictures).as_json()
    assert set(told) >= {"title", "articles", "warnings"}


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_a_mutated_zip_is_read_or_refused(seed: int) -> None:
    read_here(mutated(WORD, seed), "a.docx")


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_mutated_xml_in_a_sound_zip_is_read_or_refused(seed: int) -> None:
    with zipfile.ZipFile(BytesIO(WORD)) as archive:
        xml = archive.read("word/document.xml")
    read_here(with_part("word/document.xml", mutated(xml, seed)), "a.docx")


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_a_mutated_pdf_is_read_or_refused(seed: int) -> None:
    read_here(mutated(PDF, seed), "a.pdf")


TAGS = ("p", "div", "table", "tr", "td", "h1", "h2", "li", "ol", "ul", "b", "img", "br", "script", "style", "a", "pre")
markup = st.lists(
    st.one_of(
        st.sampled_from([f"<{tag}>" for tag in TAGS]),
        st.sampled_from([f"</{tag}>" for tag in TAGS]),
        st.sampled_from(
            ["目录", "第3期", "标题……3", "正文一句。", "&nbsp;", "<img src='data:image/png;base64,AAAA' alt='图'>"]
        ),
        st.text(max_size=20),
    ),
    max_size=60,
).map("".join)


@settings(max_examples=120, deadline=None)
@given(markup)
def test_any_markup_is_read_or_refused(text: str) -> None:
    read_here(f"<html>{text}".encode("utf-8", "replace"), "a.html")


@settings(max_examples=120, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            (
                "# 标题",
                "## 小节",
                "正文一句。",
                "| 甲 | 乙 |",
                "|---|---|",
                "1. 项",
                "- 项",
                "![图](a.png)",
                "> 引",
                "",
                "**粗**",
                "```",
                "---",
                "<b>",
            )
        ),
        max_size=40,
    )
)
def test_any_markdown_is_read_or_refused(lines: list[str]) -> None:
    try:
        told = parse_document("\n".join(lines).encode(), "a.md").as_json()
    except UnreadableError:
        return
    assert told["articles"] or told["title"] or told["contents"]
