"""A page of a PDF → runs: pieces of text that stand on one line without a wide gap, with their place and look."""

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium

from mailer.newsroom.structure.typography import is_cjk

_BOLD_NAME = re.compile(r"bold|black|heavy|semibold|simhei|heiti|黑体", re.IGNORECASE)
# In parts of the type's size: gaps wider than this part two runs.
_GAP = 1.15
_SHIFT = 0.3
_CJK_SPACE = 0.2
_NO_TEXT = re.compile("[\x00-\x1f\x7f\ufeff\ufffe\uffff\u200b-\u200f\u2060]")
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "\u00a0": " "}
# What pdfium says for a hyphen that it takes for the typesetter's.
_HYPHEN = "\x02"


@dataclass(slots=True)
class Run:
    """Text from `left` to `right` on the baseline `y` (points from the page's lower left), `size` in points."""

    text: str
    left: float
    right: float
    y: float
    size: float
    is_bold: bool


class PageText:
    """Reads one text page; the buffers that pdfium writes into are made once."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self._box = pdfium.FS_RECTF()
        self._matrix = pdfium.FS_MATRIX()
        self._characters: dict[int, str] = {}
        self._flags = ctypes.c_int()
        self._name = ctypes.create_string_buffer(128)

    def runs(self) -> list[Run]:
        """Runs in the order of the page's content. Rotated text (watermarks, margins' notes) is left out."""
        found: list[Run] = []
        for first, pieces, places in self._stretches():
            text = "".join(pieces)
            if text.strip():
                lead = next(at for at, piece in enumerate(pieces) if piece.strip())
                size, is_bold, is_upright = self._look(first + lead)
                if is_upright:
                    found.append(Run(text, places[0], places[1], places[2], size, is_bold))
        return found

    def _stretches(self) -> Iterator[tuple[int, list[str], tuple[float, float, float]]]:
        """Index of the first character, characters, and (left, right, baseline) of each run."""
        raw, x, y, box = self._raw, self._x, self._y, self._box
        origin, loose = pdfium.FPDFText_GetCharOrigin, pdfium.FPDFText_GetLooseCharBox
        unicode_of, generated = pdfium.FPDFText_GetUnicode, pdfium.FPDFText_IsGenerated
        pieces: list[str] = []
        first, left, right, ink, baseline, height = 0, 0.0, 0.0, 0.0, 0.0, 1.0
        is_spaced = False
        clean = self._characters
        for at in range(pdfium.FPDFText_CountChars(raw)):
            code = unicode_of(raw, at)
            if code in {0x20, 0x0D, 0x0A} and generated(raw, at):
                # Spaces that pdfium makes of gaps; between ideographs there are none.
                is_spaced = code == 0x20
                continue
            character = clean.get(code)
            if character is None:
                character = clean[code] = _clean(code)
            if not character or not origin(raw, at, x, y) or not loose(raw, at, box):
                continue
            here, line, end = x.value, y.value, box.right
            gap = (here - right) / height
            if not pieces or abs(line - baseline) > _SHIFT * height or not -0.5 <= gap <= _GAP:
                if pieces:
                    yield first, pieces, (left, ink, baseline)
                first, pieces, left, baseline = at, [], here, line
                height = abs(box.top - box.bottom) or height
            elif (is_spaced or gap > _CJK_SPACE) and _is_spaced(pieces[-1], character, gap, is_generated=is_spaced):
                pieces.append(" ")
            is_spaced = False
            pieces.append(character)
            right = end
            # A space at the end of a line is not seen, and says nothing of where the line ends.
            ink = ink if character.isspace() and len(pieces) > 1 else end
        if pieces:
            yield first, pieces, (left, ink, baseline)

    def _look(self, at: int) -> tuple[float, bool, bool]:
        raw, matrix = self._raw, self._matrix
        size = pdfium.FPDFText_GetFontSize(raw, at)
        is_upright = True
        if pdfium.FPDFText_GetMatrix(raw, at, matrix):
            size *= abs(matrix.d) or 1
            is_upright = abs(matrix.b) <= 0.1 * (abs(matrix.a) or 1)
        weight = pdfium.FPDFText_GetFontWeight(raw, at)
        length = pdfium.FPDFText_GetFontInfo(raw, at, self._name, len(self._name), self._flags)
        name = self._name.value.decode("utf-8", "replace") if 0 < length <= len(self._name) else ""
        return size, weight >= 600 or _BOLD_NAME.search(name) is not None, is_upright


def _clean(code: int) -> str:
    if not 0 < code < 0x110000 or 0xD800 <= code < 0xE000:
        return ""
    character = chr(code)
    if character == _HYPHEN:
        return "-"
    return _LIGATURES.get(character, "" if _NO_TEXT.match(character) else character)


def _is_spaced(before: str, after: str, gap: float, *, is_generated: bool) -> bool:
    """Whether a gap (in parts of the line's height) is a space that no character says. Ideographs stand close, so a gap
    between two of them is the author's; between one and a Latin letter most programs leave some, and it says nothing.
    """
    if before.isspace() or after.isspace():
        return False
    if is_cjk(before) and is_cjk(after):
        return gap > _CJK_SPACE
    return is_generated and not is_cjk(before) and not is_cjk(after)
