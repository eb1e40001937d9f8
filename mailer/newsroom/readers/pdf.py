"""PDF → blocks, by pdfium: text with its place, in the order of columns, pages' heads and feet told apart."""

import re
from collections.abc import Mapping, Sequence

import pypdfium2
import pypdfium2.raw as pdfium

from mailer.errors import UnreadableError
from mailer.i18n import N_
from mailer.newsroom.readers.content import DocumentContent, Notice
from mailer.newsroom.readers.limits import Limits
from mailer.newsroom.readers.pdf_halves import PdfPage, pages_in_halves
from mailer.newsroom.readers.pdf_lines import blocks_of_lines, find_furniture
from mailer.newsroom.readers.pdf_links import Link, links_of
from mailer.newsroom.readers.pdf_page import Line, ReadingOrder
from mailer.newsroom.readers.pdf_pictures import Pictures, Shown, has_pictures
from mailer.newsroom.readers.pdf_text import PageText
from mailer.newsroom.readers.pdf_words import rows_of
from mailer.newsroom.readers.telling import tell
from mailer.newsroom.structure.blocks import Block, Inset

_MOST_CHARACTERS = 3_000_000
_MOST_ON_A_PAGE = 100_000


def read_pdf(content: bytes, limits: Limits) -> DocumentContent:
    """The blocks of a PDF. Raises `UnreadableError`, also for one that holds pictures of pages only."""
    document = _open(content)
    count = len(document)
    if count > limits.max_pages:
        raise UnreadableError(
            N_("The document has %(count)d pages; at most %(limit)d are read."), count=count, limit=limits.max_pages
        )
    pictures = Pictures(limits)
    pages = _pages(document, count, pictures)
    lines = _lines(pages)
    if not any(character.isalnum() for line in lines for character in line.text):
        raise UnreadableError(
            N_(
                "The document holds pictures of pages only (a scan), no text. Run text recognition (OCR) on it, or "
                "export it from Word as PDF, and try that."
            )
            if pictures.shown or pictures.has_grounds
            else N_("The file holds no text.")
        )
    if len(lines) > limits.max_blocks:
        raise UnreadableError(
            N_("The file has more than %(limit)d lines: no bulletin is that long."), limit=limits.max_blocks
        )
    notices = []
    if pictures.has_grounds:
        notices.append(Notice(N_("Pictures that cover a whole page of the PDF were not taken over.")))
    blocks = blocks_of_lines(lines) + _picture_blocks(pictures, lines, count)
    return DocumentContent(blocks, "pdf", tuple(pictures.kept), tuple(notices), is_furniture_known=count > 2)


def _pages(document: pypdfium2.PdfDocument, count: int, pictures: Pictures) -> list[PdfPage]:
    """The pages in order; their pictures go to `pictures`."""
    own, reading = pages_in_halves(count, lambda number: _read_page(document, number))
    pages: list[PdfPage] = []
    characters = 0
    for page in reading:
        characters += page.length
        if characters > _MOST_CHARACTERS or page.length > _MOST_ON_A_PAGE:
            raise UnreadableError(N_("The document holds more text than any bulletin does."))
        if page.has_pictures:
            shown = document[len(pages)]
            pictures.look(shown, len(pages) + 1)
            shown.close()
        pages.append(page)
        # The others are being read meanwhile.
        tell(min(len(pages) * count // own, count), count)
    return pages


def _lines(pages: Sequence[PdfPage]) -> list[Line]:
    rows = [rows_of(page.runs) for page in pages]
    order = ReadingOrder(find_furniture(rows))
    lines: list[Line] = []
    for number, (page_rows, page) in enumerate(zip(rows, pages, strict=True), start=1):
        found = order.lines(page_rows, number, page.width)
        if page.links:
            _link(found, page.links)
        lines += found
    return lines


def _link(lines: Sequence[Line], links: Sequence[Link]) -> None:
    """Gives each line the links that lie over words of it."""
    for line in lines:
        over = [
            (found.start(), found[0], link.address)
            for link in links
            if link.bottom - line.size / 2 <= line.y <= link.top and link.left < line.right and link.right > line.left
            for words in link.words
            if (found := _spaced(words).search(line.text))
        ]
        line.links = tuple((words, address) for _, words, address in sorted(over))


def _spaced(words: str) -> re.Pattern[str]:
    """The same words wherever spaces are: pdfium sees some between an ideograph and a digit that no line keeps."""
    return re.compile(r"\s*".join(map(re.escape, "".join(words.split()))))


def _picture_blocks(pictures: Pictures, lines: Sequence[Line], pages: int) -> list[Block]:
    """Pictures behind the lines that they stand below."""
    there: dict[int, list[tuple[int, Line]]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.is_furniture:
            there.setdefault(line.page, []).append((number, line))
    blocks = []
    for count, shown in enumerate(pictures.shown, start=1):
        is_furniture = pictures.is_furniture(shown, pages)
        kind = Inset.FURNITURE if is_furniture else Inset.PICTURE
        name = f"picture-{count}"
        at = _line_above(shown, there)
        blocks.append(Block(name, at, shown.page, inset=kind, picture=None if is_furniture else shown.at))
    return blocks


def _line_above(shown: Shown, lines: Mapping[int, Sequence[tuple[int, Line]]]) -> int:
    """The number of the lowest line above a picture, in its column; else of the last line of the pages before."""
    here = lines.get(shown.page, ())
    above = [
        (line.y, number)
        for number, line in here
        if line.y >= shown.top - line.size / 2 and line.left < shown.right and line.right > shown.left
    ]
    if above:
        return min(above)[1]
    before = [numbered[-1][0] for page, numbered in lines.items() if page < shown.page]
    return max(before, default=0) if not here else here[0][0] - 1


def _open(content: bytes) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(content)
        len(document)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            raise UnreadableError(
                N_("The document is protected by a password. Save it without one and try again.")
            ) from error
        raise UnreadableError(N_("The PDF is damaged and cannot be opened. Save it again and try that.")) from error
    return document


def _read_page(document: pypdfium2.PdfDocument, number: int) -> PdfPage:
    """What is on a page. A broken page is an empty one; one with too much text is not read."""
    try:
        page = document[number]
        text = page.get_textpage()
    except pypdfium2.PdfiumError:
        return PdfPage()
    try:
        length = pdfium.FPDFText_CountChars(text.raw)
        if length > _MOST_ON_A_PAGE:
            return PdfPage(length=length)
        runs, links = PageText(text.raw).runs(), links_of(page, text.raw)
        return PdfPage(runs, length, links, page.get_width(), has_pictures(page))
    finally:
        text.close()
        page.close()
