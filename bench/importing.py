"""Import of hundred-page documents: time as a ratio to reading the file with a library alone, and the memory it takes.

`python bench/importing.py`: makes a Word document and a PDF of a hundred pages, reads each several times in turn with
its library and with Mailer, and prints the medians. The library alone gives no structure: python-docx the text of
paragraphs and cells; pdfium the plain text, and the text with the place of every character, which is what finding
columns and paragraphs needs.
"""

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.newsroom.bulletins import ARTICLES

PAGES = 100
ROUNDS = 5


def articles() -> list[tuple[str, list[str]]]:
    """Enough for a hundred pages: some 75,000 characters, which is 750 a page."""
    chance = random.Random(4)
    texts = [text for _, paragraphs in ARTICLES for text in paragraphs]
    return [
        (f"第{number}篇：{ARTICLES[number % len(ARTICLES)][0]}", [chance.choice(texts) * 2 for _ in range(11)])
        for number in range(1, PAGES + 1)
    ]


def word() -> bytes:
    import docx

    document = docx.Document()
    for line in ("望川科技要情", "2025年第11期（总第138期）"):
        document.add_paragraph(line)
    for title, paragraphs in articles():
        document.add_heading(title, 1)
        for text in paragraphs:
            paragraph = document.add_paragraph(text[:20])
            paragraph.add_run(text[20:]).italic = True
        document.add_page_break()
    stream = BytesIO()
    document.save(stream)
    return stream.getvalue()


def pdf() -> bytes:
    import typst

    source = ['#set page(paper: "a4", footer: context align(center)[— #counter(page).display() —])']
    source.append('#set text(size: 12pt, lang: "zh", font: ("Libertinus Serif", "Noto Serif CJK SC"))')
    source.append("#set par(justify: true, first-line-indent: (amount: 2em, all: true))")
    source.append("望川科技要情\n\n2025年第11期（总第138期）\n")
    for title, paragraphs in articles():
        source.append(f'#block(text(size: 18pt, weight: "bold")[{title}])\n')
        source += [f"{text}\n" for text in paragraphs]
        source.append("#pagebreak(weak: true)")
    return typst.compile("\n".join(source).encode(), format="pdf")


def library_docx(content: bytes) -> None:
    import docx

    document = docx.Document(BytesIO(content))
    for paragraph in document.paragraphs:
        _ = paragraph.text, paragraph.style.name
    for table in document.tables:
        for row in table.rows:
            _ = [cell.text for cell in row.cells]


def library_pdf_text(content: bytes) -> None:
    import pypdfium2

    for page in pypdfium2.PdfDocument(content):
        page.get_textpage().get_text_range()


def library_pdf_places(content: bytes) -> None:
    import pypdfium2

    for page in pypdfium2.PdfDocument(content):
        text = page.get_textpage()
        text.get_text_range()
        for at in range(text.count_chars()):
            text.get_charbox(at, loose=True)


def library_pypdf(content: bytes) -> None:
    import pypdf

    for page in pypdf.PdfReader(BytesIO(content)).pages:
        page.extract_text()


def ours(name: str) -> Callable[[bytes], None]:
    from mailer.newsroom.parsing import parse_document

    def parse(content: bytes) -> None:
        assert len(parse_document(content, name).articles) == PAGES

    return parse


def seconds(work: Callable[[bytes], None], content: bytes) -> float:
    began = time.perf_counter()
    work(content)
    return time.perf_counter() - began


def memory_of(path: Path) -> tuple[int, int]:
    """MB at most of `mailer parse` itself, and of the process that reads the file."""
    script = (
        "import re, resource, json; from pathlib import Path; from mailer.newsroom.parsing import parse_file;"
        f"parse_file(Path({str(path)!r}));"
        # The kernel's own mark: ru_maxrss of a new process begins with what its parent had.
        "own = int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]) // 1024;"
        "print(json.dumps([own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024]))"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    own, child = json.loads(shown.stdout)
    return own, child


def compare(name: str, content: bytes, libraries: dict[str, Callable[[bytes], None]]) -> None:
    works = {**libraries, "mailer": ours(name)}
    times: dict[str, list[float]] = {label: [] for label in works}
    for _ in range(ROUNDS):
        for label, work in works.items():
            times[label].append(seconds(work, content))
    medians = {label: statistics.median(taken) for label, taken in times.items()}
    print(f"{name}: {len(content) / 2**20:.1f} MiB")
    for label, median in medians.items():
        print(f"  {label:<44}{median:7.2f} s   mailer takes {medians['mailer'] / median:5.2f} times that")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        own, child = memory_of(path)
    print(f"  memory at most: {own} MB, and {child} MB in the process that reads the file (a long PDF: in each of two)")


if __name__ == "__main__":
    compare("a.docx", word(), {"python-docx: paragraphs, styles, cells": library_docx})
    compare(
        "a.pdf",
        pdf(),
        {
            "pdfium: plain text": library_pdf_text,
            "pdfium: text and place of each character": library_pdf_places,
            "pypdf: plain text": library_pypdf,
        },
    )
