"""PDF → blocks, by pdfium: text with its place, in the order of columns, pages' heads and feet told apart."""

import ctypes
from collections.abc import Sequence
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from mailer.errors import UnreadableError
from mailer.i18n import N_
from mailer.newsroom.readers.content import DocumentContent, Notice
from mailer.newsroom.readers.limits import Limits
from mailer.newsroom.readers.pdf_lines import blocks_of_lines, find_furniture
from mailer.newsroom.readers.pdf_page import Line, ReadingOrder, rows_of
from mailer.newsroom.readers.pdf_text import PageText, Run
from mailer.newsroom.readers.telling import tell

_MOST_CHARACTERS = 3_000_000
_MOST_ON_A_PAGE = 100_000
# What is smaller, in points of its longer side, is an ornament.
_SMALLEST_PICTURE = 40


def read_pdf(content: bytes, limits: Limits) -> DocumentContent:
    """The blocks of a PDF. Raises `UnreadableError`, also for one that holds pictures of pages only."""
    document = _open(content)
    count = len(document)
    if count > limits.max_pages:
        raise UnreadableError(
            N_("The document has %(count)d pages; at most %(limit)d are read."), count=count, limit=limits.max_pages
        )
    pages: list[tuple[list[Run], float]] = []
    has_pictures, characters = False, 0
    for number in range(count):
        runs, length, shows_picture = _read_page(document, number)
        characters += length
        if characters > _MOST_CHARACTERS:
            raise UnreadableError(N_("The document holds more text than any bulletin does."))
        has_pictures = has_pictures or shows_picture
        pages.append((runs, document.get_page_size(number)[0] if runs else 0.0))
        tell(number + 1, count)
    lines = _lines(pages)
    if not any(character.isalnum() for line in lines for character in line.text):
        raise UnreadableError(
            N_(
                "The document holds pictures of pages only (a scan), no text. Run text recognition (OCR) on it, or "
                "export it from Word as PDF, and try that."
            )
            if has_pictures
            else N_("The file holds no text.")
        )
    if len(lines) > limits.max_blocks:
        raise UnreadableError(
            N_("The file has more than %(limit)d lines: no bulletin is that long."), limit=limits.max_blocks
        )
    notices = []
    if has_pictures:
        notices.append(Notice(N_("The PDF holds pictures; they were not taken over. Add them by hand.")))
    blocks = blocks_of_lines(lines)
    return DocumentContent(blocks, "pdf", notices=tuple(notices), is_furniture_known=count > 2)


def _lines(pages: Sequence[tuple[Sequence[Run], float]]) -> list[Line]:
    rows = [rows_of(runs) for runs, _ in pages]
    order = ReadingOrder(find_furniture(rows))
    lines: list[Line] = []
    for number, (page_rows, (_, width)) in enumerate(zip(rows, pages, strict=True), start=1):
        lines += order.lines(page_rows, number, width)
    return lines


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


def _read_page(document: pypdfium2.PdfDocument, number: int) -> tuple[list[Run], int, bool]:
    """Runs of a page, its number of characters, and whether a picture stands on it. A broken page is an empty one."""
    try:
        page = document[number]
        text = page.get_textpage()
    except pypdfium2.PdfiumError:
        return [], 0, False
    try:
        length = pdfium.FPDFText_CountChars(text.raw)
        if length > _MOST_ON_A_PAGE:
            raise UnreadableError(N_("The document holds more text than any bulletin does."))
        return PageText(text.raw).runs(), length, _shows_picture(page)
    finally:
        text.close()
        page.close()


def _shows_picture(page: Any) -> bool:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    for at in range(min(pdfium.FPDFPage_CountObjects(page.raw), 5000)):
        item = pdfium.FPDFPage_GetObject(page.raw, at)
        is_picture = pdfium.FPDFPageObj_GetType(item) == pdfium.FPDF_PAGEOBJ_IMAGE
        if not is_picture or not pdfium.FPDFPageObj_GetBounds(item, left, bottom, right, top):
            continue
        if max(right.value - left.value, top.value - bottom.value) >= _SMALLEST_PICTURE:
            return True
    return False
