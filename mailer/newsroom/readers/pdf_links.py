"""Links of a PDF: the words that a page's annotations lie over, and where they lead."""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from mailer.newsroom.readers.pdf_text import cleaned
from mailer.newsroom.structure.spans import is_linkable

_MOST = 400
_LONGEST = 2048


@dataclass(slots=True)
class Link:
    """Where a link lies on a page, in points; `words` are what it covers, a piece a line."""

    left: float
    bottom: float
    right: float
    top: float
    address: str
    words: list[str] = field(default_factory=list)


def links_of(page: pypdfium2.PdfPage, text: Any) -> list[Link]:
    """The links of a page to addresses of the web, with their words. `text` is the page's text page."""
    found = []
    for link in _annotations(page):
        address = _address(page, link)
        if not is_linkable(address):
            continue
        for left, bottom, right, top in _places(link):
            size = pdfium.FPDFText_GetBoundedText(text, left, top, right, bottom, None, 0)
            if not 0 < size <= _LONGEST:
                continue
            units = (ctypes.c_ushort * size)()
            pdfium.FPDFText_GetBoundedText(text, left, top, right, bottom, units, size)
            said = bytes(units).decode("utf-16-le", "replace").rstrip("\0")
            words = [cleaned(line).strip() for line in said.splitlines()]
            found.append(Link(left, bottom, right, top, address, [line for line in words if line]))
    return found


def _annotations(page: pypdfium2.PdfPage) -> Iterator[Any]:
    at, link = ctypes.c_int(0), pdfium.FPDF_LINK()
    for _ in range(_MOST):
        if not pdfium.FPDFLink_Enumerate(page.raw, at, link):
            return
        yield link


def _address(page: pypdfium2.PdfPage, link: Any) -> str:
    action = pdfium.FPDFLink_GetAction(link)
    if not action or pdfium.FPDFAction_GetType(action) != pdfium.PDFACTION_URI:
        return ""
    size = pdfium.FPDFAction_GetURIPath(page.pdf.raw, action, None, 0)
    if not 0 < size <= _LONGEST:
        return ""
    path = ctypes.create_string_buffer(size)
    pdfium.FPDFAction_GetURIPath(page.pdf.raw, action, path, size)
    return path.value.decode("utf-8", "replace").strip()


def _places(link: Any) -> Iterator[tuple[float, float, float, float]]:
    """The boxes of a link: one a line where the file says so."""
    count = pdfium.FPDFLink_CountQuadPoints(link)
    quad = pdfium.FS_QUADPOINTSF()
    for at in range(min(count, _MOST)):
        if pdfium.FPDFLink_GetQuadPoints(link, at, quad):
            across, along = (quad.x1, quad.x2, quad.x3, quad.x4), (quad.y1, quad.y2, quad.y3, quad.y4)
            yield min(across), min(along), max(across), max(along)
    box = pdfium.FS_RECTF()
    if count <= 0 and pdfium.FPDFLink_GetAnnotRect(link, box):
        yield box.left, box.bottom, box.right, box.top
