"""A page of a PDF → runs: pieces of text that stand on one line without a wide gap, with their place and look."""

import ctypes
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import pypdfium2.raw as pdfium

from mailer.newsroom.structure.typography import is_cjk

_BOLD_NAME = re.compile(r"bold|black|heavy|semibold|simhei|heiti|黑体", re.IGNORECASE)
# In parts of the type's size: gaps wider than this part two runs.
_GAP = 1.15
_SHIFT = 0.15
# Fonts on one line differ in height by less than this; what differs by more is of another size.
_OTHER_SIZE = 1.6
_CJK_SPACE = 0.2
# Narrower gaps between ideographs are the font's; and at least so many make a line that was drawn apart to its width.
_SEEN = 0.08
_LEAST_SEEN = 4
_NO_TEXT = re.compile("[\x00-\x1f\x7f\ufeff\ufffe\uffff\u200b-\u200f\u2060]")
_IDEOGRAPHS = re.compile("[\u4e00-\u9fff]{3,16}")
# Characters of a run that may fill another's gap, at most.
_FILLING = 4
# Gaps of a line, and lines at one height, that are looked at: no page of text has more.
_MOST_HOLES = 40
_MOST_FILLINGS = 1000
_MADE_UP = frozenset(" \r\n")
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "\u00a0": " "}
# Some fonts show an ideograph and the radical it is by one glyph, and some programs (Chromium) write the radical. Those
# of the supplement (U+2E80) say nothing of it in Unicode's own tables; these are the ones whose shape is a whole word.
_RADICALS = dict(
    zip(
        "⺟⺠⺩⻁⻄⻅⻆⻉⻋⻑⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻪⻬⻮⻰⻳",
        "母民王虎西见角贝车長长门青韦页风飞食马骨鬼鱼鸟卤麦黄黾齐齿龙龟",
        strict=True,
    )
)
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
    # Gaps in it: where in the text, and their left and right ends.
    holes: tuple[tuple[int, float, float], ...] = ()
    # Its place among the runs as they were drawn: a line's words follow each other, lines of two columns do not.
    order: int = 0


class PageText:
    """Reads one text page; the buffers that pdfium writes into are made once."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self._box = pdfium.FS_RECTF()
        self._matrix = pdfium.FS_MATRIX()
        self._flags = ctypes.c_int()
        self._name = ctypes.create_string_buffer(128)

    def runs(self) -> list[Run]:
        """Runs in the order of the page's content. Rotated text (watermarks, margins' notes) is left out."""
        found: list[Run] = []
        for first, pieces, places, gaps in self._stretches():
            text = "".join(pieces)
            if text.strip():
                lead = next(at for at, piece in enumerate(pieces) if piece.strip())
                size, is_bold, is_upright = self._look(first + lead)
                if is_upright:
                    found.append(
                        Run(text, places[0], places[1], places[2], size, is_bold, _holes(pieces, gaps), len(found))
                    )
        return with_holes_filled(found)

    def _stretches(
        self,
    ) -> Iterator[tuple[int, list[str], tuple[float, float, float], list[tuple[int, float, float]]]]:
        """Index of the first character, pieces (there may be none), (left, right, baseline) of each run, and its gaps
        by the piece that follows them.
        """
        raw, x, y, box = self._raw, self._x, self._y, self._box
        origin, loose = pdfium.FPDFText_GetCharOrigin, pdfium.FPDFText_GetLooseCharBox
        letters, spans = self._letters()
        pieces: list[str] = []
        gaps: list[tuple[int, float, float]] = []
        before = 0
        first, left, start, right, ink, baseline, height = 0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0
        # Of the run: its gaps, and the spaces that only they say.
        seen: list[float] = []
        made: list[tuple[int, float]] = []
        top = bottom = line = -1.0
        is_spaced = is_other = False
        after = 0
        for at, character in enumerate(letters):
            if at < after:
                continue
            if character in _MADE_UP and (character != " " or pdfium.FPDFText_IsGenerated(raw, at)):
                # Spaces that pdfium makes of gaps; between ideographs there are none.
                is_spaced = character == " "
                continue
            if not character or not loose(raw, at, box):
                continue
            here = box.left
            if box.top != top or box.bottom != bottom:
                # The baseline is asked for only where it may have changed: calls are what a page costs.
                origin(raw, at, x, y)
                top, bottom, line = box.top, box.bottom, y.value
                is_other = (
                    abs(line - baseline) > _SHIFT * height
                    or not 1 / _OTHER_SIZE < (top - bottom) / height < _OTHER_SIZE
                )
            gap = (here - right) / height
            if is_other or not pieces or not -0.5 <= gap <= _GAP:
                _close(pieces, made, seen)
                yield first, pieces, (left, ink, baseline), gaps
                first, pieces, gaps, left, baseline, is_other = at, [], [], here, line, False
                seen, made = [], []
                height = abs(top - bottom) or height
            elif is_spaced or gap > _CJK_SPACE:
                gaps.append((len(pieces), right, here))
                pitch = (here - start) / height
                if _is_spaced(pieces[-1][-1], character, gap, pitch, is_generated=is_spaced) and (
                    not is_cjk(character) or self._is_apart(before, at)
                ):
                    made.append((len(pieces), gap))
                    pieces.append(" ")
            seen.append(gap)
            is_spaced = False
            pieces.append(character)
            start, right, before = here, box.right, at
            if at in spans and self._is_even(at, spans[at]):
                pieces += letters[at + 1 : spans[at] + 1]
                start, right, after, before = box.left, box.right, spans[at] + 1, spans[at]
            # A space at the end of a line is not seen, and says nothing of where the line ends.
            ink = right if character != " " or len(pieces) == 1 else ink
        _close(pieces, made, seen)
        yield first, pieces, (left, ink, baseline), gaps

    def _is_apart(self, before: int, after: int) -> bool:
        """Whether the second of two ideographs begins too far from the first for one that follows it closely. Asked
        where their boxes say so: in some fonts (Type 3, as Chromium writes) these are no wider than the ink.
        """
        raw, y = self._raw, self._y
        starts = (ctypes.c_double(), ctypes.c_double())
        for at, x in zip((before, after), starts, strict=True):
            pdfium.FPDFText_GetCharOrigin(raw, at, x, y)
        size, _, _ = self._look(before)
        return starts[1].value - starts[0].value > (1 + _CJK_SPACE / 2) * size or not is_cjk(
            chr(pdfium.FPDFText_GetUnicode(raw, before) % 0x110000)
        )

    def _is_even(self, first: int, last: int) -> bool:
        """Whether the ideographs from one index to another stand close on one line, so that those between need not be
        looked at: all are as wide as the first, whose box was just read. Reads the last one's.
        """
        box = self._box
        left, top, bottom, width = box.left, box.top, box.bottom, box.right - box.left
        if not pdfium.FPDFText_GetLooseCharBox(self._raw, last, box) or box.top != top or box.bottom != bottom:
            return False
        return bool(abs(box.left - left - (last - first) * width) < _CJK_SPACE / 2 * width)

    def _letters(self) -> tuple[list[str], dict[int, int]]:
        """The characters of the page, each as it is to be read, by their index; empty ones are none. And where a few
        ideographs follow each other: first and last index.
        """
        raw = self._raw
        count = pdfium.FPDFText_CountChars(raw)
        units = (ctypes.c_ushort * (count + 1))()
        if pdfium.FPDFText_GetText(raw, 0, count, units) == count + 1:
            text = bytes(units)[:-2].decode("utf-16-le", "surrogatepass")
            # A hyphen of the typesetter's is no character there.
            if len(text) == count and "\ufffe" not in text:
                spans = {match.start(): match.end() - 1 for match in _IDEOGRAPHS.finditer(text)}
                return list(map(_CLEANED.__getitem__, text)), spans
        # Where some characters are none, or two units, one by one.
        codes = (pdfium.FPDFText_GetUnicode(raw, at) for at in range(count))
        return [_CLEANED[chr(code)] if code < 0x110000 else "" for code in codes], {}

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


def _close(pieces: list[str], made: Sequence[tuple[int, float]], gaps: Sequence[float]) -> None:
    """Takes the spaces that gaps made out of a line whose ideographs were drawn apart, to fill it or as a heading; one
    whose gap is clearly wider than the others of the line stays. `made` are their places in `pieces`, and the gaps.
    """
    seen = sorted(gap for gap in gaps if gap > _SEEN) if made else []
    if len(seen) >= _LEAST_SEEN and len(seen) * 2 > len(pieces) - len(made):
        usual = seen[len(seen) // 2]
        for at, gap in made:
            if gap <= usual + _CJK_SPACE and is_cjk(pieces[at - 1][-1:] or " ") and is_cjk(pieces[at + 1][:1] or " "):
                pieces[at] = ""


def _holes(pieces: list[str], gaps: list[tuple[int, float, float]]) -> tuple[tuple[int, float, float], ...]:
    """Gaps by their place in the text; of a run that is all gaps none, for no line of text is so."""
    if not gaps or len(gaps) > _MOST_HOLES:
        return ()
    places = list(accumulate(map(len, pieces), initial=0))
    return tuple((places[at], left, right) for at, left, right in gaps)


def with_holes_filled(runs: list[Run]) -> list[Run]:
    """The same runs; a short one that stands in another's gap is put into its text. Programs that take quotation marks
    from another font than the ideographs (LibreOffice) may write them behind the line, not where they are seen.
    """
    rows: dict[int, list[tuple[int, Run]]] = {}
    for number, run in enumerate(runs):
        if run.holes:
            for y in range(round(run.y) - 1, round(run.y) + 2):
                rows.setdefault(y, []).append((number, run))
    if not rows:
        return runs
    fillings: dict[int, list[tuple[int, str]]] = {}
    gone: set[int] = set()
    # A page of text has a few hundred such runs.
    short = [(number, run) for number, run in enumerate(runs) if len(run.text) <= _FILLING][:_MOST_FILLINGS]
    for number, run in short:
        for host, other in rows.get(round(run.y), ())[:_MOST_HOLES]:
            near = 0.3 * other.size
            hole = next(
                (at for at, left, right in other.holes if left - near <= run.left and run.right <= right + near), 0
            )
            if hole and host != number and host not in gone:
                fillings.setdefault(host, []).append((hole, run.text.strip()))
                gone.add(number)
                break
    for host, pieces in fillings.items():
        text = runs[host].text
        for at, piece in sorted(pieces, reverse=True):
            text = text[:at].rstrip() + piece + text[at:].lstrip()
        runs[host].text = text
    return [run for number, run in enumerate(runs) if number not in gone]


class _Cleaned(dict[str, str]):
    """What a character of the file is read as. Line ends stay, for pdfium makes them of gaps, as it does spaces."""

    def __missing__(self, character: str) -> str:
        if character == _HYPHEN:
            read = "-"
        elif "\ud800" <= character < "\ue000" or (character not in "\r\n" and _NO_TEXT.match(character)):
            read = ""
        elif "\u2f00" <= character < "\u2fe0":
            read = unicodedata.normalize("NFKC", character)
        else:
            read = _LIGATURES.get(character) or _RADICALS.get(character, character)
        self[character] = read
        return read


_CLEANED = _Cleaned()


def cleaned(text: str) -> str:
    """A text of the file as it is to be read."""
    return "".join(map(_CLEANED.__getitem__, text))


def _is_spaced(before: str, after: str, gap: float, pitch: float, *, is_generated: bool) -> bool:
    """Whether a gap is a space that no character says; it and the `pitch`, from where one character begins to where the
    next does, are in parts of the line's height. Ideographs stand close, so a gap between two of them is the author's,
    unless the font says that the first is narrower than ideographs are; between one and a Latin letter most programs
    leave some, and it says nothing.
    """
    if before.isspace() or after.isspace():
        return False
    if is_cjk(before) and is_cjk(after):
        return gap > _CJK_SPACE and (pitch > 1 + _CJK_SPACE or not before.isalnum())
    return is_generated and not is_cjk(before) and not is_cjk(after)
