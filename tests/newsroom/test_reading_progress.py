"""While a document is read it is said how far that has come; several files are judged one by one, within one limit."""

import io
from types import SimpleNamespace

import pytest

from mailer.errors import UnreadableError, UnreadableFilesError
from mailer.newsroom.parsing import parse_documents
from mailer.newsroom.readers import confined
from mailer.newsroom.readers.kinds import Kind
from mailer.newsroom.readers.limits import Limits, limits_of
from mailer.newsroom.readers.telling import Progress, Stage
from mailer.settings import load_settings
from tests.newsroom.documents import Setting, Way, make_docx, make_pdf

PDF = make_pdf(Setting("A4"))[0]
WORD = make_docx(Way("plain"))[0]


def test_each_page_of_a_pdf_is_told_as_it_is_read() -> None:
    steps: list[tuple[int, int]] = []
    confined.read_confined(PDF, Kind.PDF, Limits(), lambda done, total: steps.append((done, total)))
    pages = steps[-1][1]
    assert pages > 1
    assert steps == [(number, pages) for number in range(1, pages + 1)]


def test_several_files_are_told_one_after_the_other() -> None:
    told: list[Progress] = []
    parse_documents([(WORD, "一.docx"), (PDF, "二.pdf")], tell=told.append)
    assert told[0] == Progress(Stage.READING, "一.docx", 1, 2)
    assert {(step.name, step.file) for step in told[:-1]} == {("一.docx", 1), ("二.pdf", 2)}
    assert any(step.done == step.total > 1 for step in told)
    assert told[-1] == Progress(Stage.ARRANGING)


def test_every_file_that_cannot_be_read_is_named_with_its_reason() -> None:
    with pytest.raises(UnreadableFilesError) as refusal:
        parse_documents([(WORD[:900], "一.docx"), (WORD, "二.docx"), (b"", "三.txt")])
    assert [(name, "damaged" in str(error), "empty" in str(error)) for name, error in refusal.value.problems] == [
        ("一.docx", True, False),
        ("三.txt", False, True),
    ]


def test_the_time_of_reading_is_that_of_all_files_together(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter((100.0, 100.0, 107.2, 150.0))
    # Of this module alone: threads beside the test have a clock, too.
    monkeypatch.setattr("mailer.newsroom.parsing.time", SimpleNamespace(monotonic=lambda: next(clock)))
    given = []

    def read(content: bytes, kind: Kind, limits: Limits, tell: object) -> object:
        given.append(limits.seconds)
        raise UnreadableError("no")

    monkeypatch.setattr(confined, "read_confined", read)
    with pytest.raises(UnreadableFilesError):
        parse_documents([(WORD, "a.docx")] * 3, limits=Limits(seconds=10))
    assert given == [10, 3, 1]


def test_more_files_than_are_allowed_are_refused() -> None:
    with pytest.raises(UnreadableError, match="At most 2 files"):
        parse_documents([(b"x", "a.txt")] * 3, limits=Limits(max_files=2))


@pytest.mark.parametrize("answer", [b"p1 2", b"px 2\n", b"p" + b"1" * 100, b"p1 2\n" + bytes(80)])
def test_a_reader_that_says_nonsense_or_too_much_is_no_reader(answer: bytes) -> None:
    assert confined._hear(io.BytesIO(answer), 64, None) is None


def test_every_limit_is_the_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {
        "MAX_UPLOAD_MB": 3, "DOCUMENT_FILES": 4, "DOCUMENT_SECONDS": 5, "DOCUMENT_MEMORY_MB": 300, "DOCUMENT_PAGES": 6,
        "DOCUMENT_LINES": 700, "DOCUMENT_PICTURES": 8, "DOCUMENT_PICTURES_MB": 9, "DOCUMENT_UNPACKED_MB": 10,
        "DOCUMENT_PART_MB": 11, "DOCUMENT_PARTS": 12, "DOCUMENT_RATIO": 13,
    }  # fmt: skip
    for name, value in names.items():
        monkeypatch.setenv(f"MAILER_{name}", str(value))
    mib = 2**20
    assert limits_of(load_settings()) == Limits(
        max_files=4,
        max_bytes=3 * mib,
        max_unpacked=10 * mib,
        max_part=11 * mib,
        max_parts=12,
        max_ratio=13,
        max_pages=6,
        max_blocks=700,
        max_pictures=9,
        max_picture_bytes=9 * mib,
        memory=300 * mib,
        seconds=5,
    )
