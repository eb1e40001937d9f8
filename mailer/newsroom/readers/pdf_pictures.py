"""Pictures of a PDF: each once, with where it is shown. What covers a page or returns on most belongs to the page."""

import ctypes
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from mailer.newsroom.readers.limits import Limits
from mailer.newsroom.structure.blocks import Picture

# In points of its longer side: what is smaller is an ornament.
_SMALLEST = 40
# In parts of the page: what covers more is its ground, or a scan of it.
_GROUND = 0.8
_MOST_OBJECTS = 5000
_MOST_DEPTH = 8
# Decoded; larger ones are refused when they are kept, too.
_MOST_PIXELS = 25_000_000
# A camera's picture has no mask, and decoding it to find none takes a while.
_MOST_MASKED = 2_000_000
_KINDS = {"DCTDecode": "image/jpeg", "JPXDecode": "image/jp2"}


@dataclass(frozen=True, slots=True)
class Shown:
    """Where a picture stands: its page, its upper edge and its sides in points; `at` is its index among those that are
    kept, `None` for one that could not be taken out.
    """

    page: int
    top: float
    left: float
    right: float
    digest: bytes
    at: int | None


class Pictures:
    """Gathers pictures page by page."""

    def __init__(self, limits: Limits) -> None:
        self.kept: list[Picture] = []
        self.shown: list[Shown] = []
        # Whether some cover a page: then they are not told one by one.
        self.has_grounds = False
        self._limits = limits
        self._known: dict[bytes, int | None] = {}
        self._bytes = 0

    def look(self, page: pypdfium2.PdfPage, number: int) -> None:
        """Takes what is on a page, which is still open."""
        width, height = page.get_size()
        for item, (left, bottom, right, top) in _images(page):
            if max(right - left, top - bottom) < _SMALLEST:
                continue
            if (right - left) * (top - bottom) > _GROUND * width * height:
                self.has_grounds = True
                continue
            image = pypdfium2.PdfImage(item, page=page, pdf=page.pdf)
            digest, at = self._keep(image)
            self.shown.append(Shown(number, top, left, right, digest, at))

    def is_furniture(self, shown: Shown, pages: int) -> bool:
        """Whether a picture returns on most pages, as a logo at their head does."""
        places = {other.page for other in self.shown if other.digest == shown.digest}
        return len(places) > 2 and len(places) * 2 > pages

    def _keep(self, image: pypdfium2.PdfImage) -> tuple[bytes, int | None]:
        try:
            raw = bytes(image.get_data())
            width, height = image.get_px_size()
            filters = image.get_filters()
        except pypdfium2.PdfiumError:
            return b"", None
        digest = hashlib.sha256(raw).digest()
        if digest in self._known:
            return digest, self._known[digest]
        at = None
        is_room = len(self.kept) < self._limits.max_pictures and self._bytes < self._limits.max_picture_bytes
        if is_room and 0 < width * height <= _MOST_PIXELS:
            kind = _KINDS.get(filters[0]) if len(filters) == 1 else None
            found = None if kind and width * height > _MOST_MASKED else _drawn(image, is_masked_only=kind is not None)
            if found is None and kind is not None:
                found = Picture(raw, kind)
            if found is not None:
                at = len(self.kept)
                self.kept.append(found)
                self._bytes += len(found.content)
        self._known[digest] = at
        return digest, at


def has_pictures(page: pypdfium2.PdfPage) -> bool:
    """Whether a page has any."""
    return next(_images(page), None) is not None


def _drawn(image: pypdfium2.PdfImage, *, is_masked_only: bool) -> Picture | None:
    """A picture as the page shows it: turned, and on white where its mask lets the page through. `is_masked_only` asks
    for it only if something does.
    """
    try:
        drawn = image.get_bitmap(render=True).to_pil()
    # The library's own error, or what its arithmetic makes of a matrix without extent.
    except (pypdfium2.PdfiumError, ValueError, ZeroDivisionError):
        return None
    from PIL import Image

    alpha = drawn.getchannel("A") if "A" in drawn.getbands() else None
    is_masked = alpha is not None and alpha.getextrema()[0] < 255
    if is_masked_only and not is_masked:
        return None
    if alpha is not None:
        ground = Image.new("RGB", drawn.size, (255, 255, 255))
        ground.paste(drawn, mask=alpha)
        drawn = ground
    stream = io.BytesIO()
    drawn.save(stream, "PNG", compress_level=1)
    return Picture(stream.getvalue(), "image/png")


def _images(page: pypdfium2.PdfPage) -> Iterator[tuple[Any, tuple[float, float, float, float]]]:
    """Picture objects of a page, also those within forms, with left, bottom, right and top."""
    count = min(pdfium.FPDFPage_CountObjects(page.raw), _MOST_OBJECTS)
    objects = (pdfium.FPDFPage_GetObject(page.raw, at) for at in range(count))
    yield from _images_among(objects, ((1.0, 0.0, 0.0, 1.0, 0.0, 0.0),))


def _images_among(
    objects: Iterator[Any], matrices: tuple[tuple[float, ...], ...]
) -> Iterator[tuple[Any, tuple[float, float, float, float]]]:
    edges = [ctypes.c_float() for _ in range(4)]
    for item in objects:
        kind = pdfium.FPDFPageObj_GetType(item)
        if kind == pdfium.FPDF_PAGEOBJ_IMAGE and pdfium.FPDFPageObj_GetBounds(item, *edges):
            left, bottom, right, top = (edge.value for edge in edges)
            yield item, _placed([(x, y) for x in (left, right) for y in (bottom, top)], matrices)
        elif kind == pdfium.FPDF_PAGEOBJ_FORM and len(matrices) <= _MOST_DEPTH:
            matrix = pdfium.FS_MATRIX()
            if pdfium.FPDFPageObj_GetMatrix(item, matrix):
                own = (matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f)
                count = min(pdfium.FPDFFormObj_CountObjects(item), _MOST_OBJECTS)
                inner = (pdfium.FPDFFormObj_GetObject(item, at) for at in range(count))
                yield from _images_among(inner, (own, *matrices))


def _placed(
    corners: list[tuple[float, float]], matrices: tuple[tuple[float, ...], ...]
) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of what the innermost of some nested forms shows, on the page."""
    for a, b, c, d, e, f in matrices:
        corners = [(a * x + c * y + e, b * x + d * y + f) for x, y in corners]
    across, along = [x for x, _ in corners], [y for _, y in corners]
    return min(across), min(along), max(across), max(along)
