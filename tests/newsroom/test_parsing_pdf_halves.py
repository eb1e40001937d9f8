"""A long PDF is read by two processes, and nothing shows it."""

import os
import signal
import subprocess

import pytest

from mailer.newsroom.readers import confined, pdf_halves
from mailer.newsroom.readers.limits import LIMITS
from mailer.newsroom.readers.pdf import read_pdf
from mailer.newsroom.readers.pdf_halves import PdfPage, pages_in_halves
from mailer.newsroom.readers.pdf_links import Link
from mailer.newsroom.readers.pdf_text import Run
from mailer.newsroom.readers.telling import be_told
from tests.newsroom.test_parsing_pictures_and_links import FONTS, picture, shown

# The reading process has one thread; pytest may have more, of which Python 3.12 warns.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
PAGES = 20


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_halves, "_processors", lambda: 2)


def long_pdf() -> bytes:
    import typst

    source = [f'#set page(paper: "a5")\n#set text(size: 11pt, lang: "zh", font: {FONTS})']
    for number in range(1, PAGES + 1):
        source.append(f'第{number}页的正文，详见#link("https://example.org/{number}")[公报{number}]，H#sub[2]O。')
        if number in {3, 12, 18}:
            source.append(shown(picture("#%02x4080" % (number * 10))))
        source.append("#pagebreak(weak: true)")
    return typst.compile("\n\n".join(source).encode(), format="pdf")


def test_two_processes_read_what_one_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    content = long_pdf()
    in_two = read_pdf(content, LIMITS)
    monkeypatch.setattr(pdf_halves, "_WORTHWHILE", PAGES + 1)
    in_one = read_pdf(content, LIMITS)
    assert in_two == in_one
    assert len(in_two.pictures) == 3
    assert [span.address for block in in_two.blocks for span in block.spans] == [
        f"https://example.org/{number}" for number in range(1, PAGES + 1)
    ]


def test_all_pages_are_told_once_they_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr("mailer.newsroom.readers.telling._hearers", [])
    be_told(lambda done, total: told.append((done, total)))
    read_pdf(long_pdf(), LIMITS)
    assert told == sorted(told)
    assert told[0] == (2, PAGES)
    assert told[-1] == (PAGES, PAGES)


def test_the_other_process_reads_the_second_half_only() -> None:
    here = os.getpid()
    run = Run("字", 1.5, 2.5, 3.0, 11.0, False, ((1, 2.0, 2.5),), 4)
    link = Link(1, 2, 3, 4, "https://example.org/", ["字"])

    def read(number: int) -> PdfPage:
        return PdfPage([run], number, [link], 1.0 if os.getpid() == here else 2.0, number == 19)

    own, pages = pages_in_halves(PAGES, read)
    found = list(pages)
    assert own == 10
    assert [page.length for page in found] == list(range(PAGES))
    assert [page.width for page in found] == [1.0] * 10 + [2.0] * 10
    assert [page.has_pictures for page in found] == [False] * 19 + [True]
    assert all(page.runs == [run] and page.links == [link] for page in found)


def test_a_process_that_did_not_come_through_is_no_half_of_a_document() -> None:
    here = os.getpid()

    def read(number: int) -> PdfPage:
        if os.getpid() != here:
            os._exit(3)
        return PdfPage(length=number)

    _, pages = pages_in_halves(PAGES, read)
    with pytest.raises(ChildProcessError):
        list(pages)


def test_short_documents_and_a_single_processor_are_read_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    here = os.getpid()

    def read(number: int) -> PdfPage:
        return PdfPage(width=float(os.getpid()))

    own, pages = pages_in_halves(15, read)
    assert own == 15
    assert {page.width for page in pages} == {float(here)}
    monkeypatch.setattr(pdf_halves, "_processors", lambda: 1)
    assert {page.width for page in pages_in_halves(PAGES, read)[1]} == {float(here)}


def test_with_the_reading_process_ends_what_it_started() -> None:
    # The second process holds the pipe open as long as it lives.
    command = ["sh", "-c", "sleep 600 & echo started; wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        confined._end(process)
        assert process.stdout.read() == b""
    assert process.returncode == -signal.SIGKILL
