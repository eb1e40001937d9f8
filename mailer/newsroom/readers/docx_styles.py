"""Styles and numbering of a .docx: what a paragraph looks like, and the number that Word prints before it."""

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING = re.compile(r"(?:heading|标题|標題) ?([1-9])", re.IGNORECASE)
_CONTENTS = re.compile(r"(?:toc|目录|目錄) ?[1-9]", re.IGNORECASE)
_MOST_ANCESTORS = 12
# The label of an item that has no number.
BULLET = "• "
_HAN = "零一二三四五六七八九"
_STEMS, _BRANCHES = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥"


@dataclass(frozen=True, slots=True)
class Look:
    """How a paragraph looks, before its own runs are asked. `level` is 1 for headings of the first depth, 0 for a
    title of the whole document.
    """

    level: int | None = None
    size: float | None = None
    is_bold: bool = False
    is_centred: bool = False
    is_contents: bool = False
    is_caption: bool = False
    numbering: tuple[str, int] | None = None


def flag(element: Any) -> bool:
    """Whether an on/off property is on: present, and not said to be off."""
    return element is not None and element.get(f"{W}val", "true") not in {"false", "0", "off", "none"}


def whole(element: Any, default: int | None = None) -> int | None:
    """The number in an element's `w:val`."""
    try:
        return int(element.get(f"{W}val")) if element is not None else default
    except (TypeError, ValueError):
        return default


class Styles:
    """Looks by style id, inheritance resolved."""

    def __init__(self, root: Any) -> None:
        self._elements = {} if root is None else {e.get(f"{W}styleId", ""): e for e in root.iter(f"{W}style")}
        self._looks: dict[str, Look] = {}
        default = None if root is None else root.find(f"{W}docDefaults/{W}rPrDefault/{W}rPr/{W}sz")
        size = whole(default)
        self._base = Look(size=size / 2 if size else None)
        self.default = next(
            (
                key
                for key, e in self._elements.items()
                if e.get(f"{W}type") == "paragraph" and e.get(f"{W}default") in {"1", "true"}
            ),
            "",
        )

    def look(self, style_id: str | None) -> Look:
        """The look of a paragraph style; of the default one for `None`."""
        key = self.default if style_id is None else style_id
        if key not in self._looks:
            self._looks[key] = self._resolve(key)
        return self._looks[key]

    def run_style_is_bold(self, style_id: str) -> bool:
        """Whether a character style is bold."""
        element = self._elements.get(style_id)
        return element is not None and flag(element.find(f"{W}rPr/{W}b"))

    def _resolve(self, style_id: str) -> Look:
        chain: list[Any] = []
        key: str | None = style_id
        while key in self._elements and len(chain) < _MOST_ANCESTORS:
            element = self._elements[key]
            chain.append(element)
            based = element.find(f"{W}basedOn")
            key = None if based is None else based.get(f"{W}val")
        look = self._base
        for element in reversed(chain):
            look = self._with(look, element)
        return look

    def _with(self, look: Look, element: Any) -> Look:
        name_element = element.find(f"{W}name")
        name = "" if name_element is None else name_element.get(f"{W}val", "")
        look = with_paragraph(look, element.find(f"{W}pPr"))
        properties = element.find(f"{W}rPr")
        if properties is not None:
            size, bold = whole(properties.find(f"{W}sz")), properties.find(f"{W}b")
            look = replace(
                look,
                size=size / 2 if size else look.size,
                is_bold=look.is_bold if bold is None else flag(bold),
            )
        if match := _HEADING.fullmatch(name):
            look = replace(look, level=int(match[1]))
        elif name.lower() in {"title", "标题", "標題"}:
            look = replace(look, level=0)
        elif _CONTENTS.fullmatch(name):
            look = replace(look, is_contents=True, level=None)
        elif name.lower() in {"caption", "题注", "題注"}:
            look = replace(look, is_caption=True)
        return look


def with_paragraph(look: Look, properties: Any) -> Look:
    """A look, changed by a paragraph's own properties."""
    if properties is None:
        return look
    outline = whole(properties.find(f"{W}outlineLvl"))
    if outline is not None:
        look = replace(look, level=outline + 1 if 0 <= outline < 9 else None)
    justification = properties.find(f"{W}jc")
    if justification is not None:
        look = replace(look, is_centred=justification.get(f"{W}val") == "center")
    numbering = properties.find(f"{W}numPr")
    if numbering is not None:
        number = numbering.find(f"{W}numId")
        depth = whole(numbering.find(f"{W}ilvl"), look.numbering[1] if look.numbering else 0) or 0
        identity = look.numbering[0] if number is None and look.numbering else ""
        identity = identity if number is None else number.get(f"{W}val", "")
        look = replace(look, numbering=(identity, depth) if identity not in {"", "0"} else None)
    return look


class Numbering:
    """Counts paragraphs of numbered lists as Word does, and says the number that stands before each."""

    def __init__(self, root: Any) -> None:
        self._levels: dict[tuple[str, int], tuple[str, str, int]] = {}
        self._abstract: dict[str, str] = {}
        self._counts: dict[str, list[int | None]] = defaultdict(lambda: [None] * 9)
        if root is None:
            return
        abstracts = {e.get(f"{W}abstractNumId"): e for e in root.findall(f"{W}abstractNum")}
        for number in root.findall(f"{W}num"):
            identity = number.get(f"{W}numId", "")
            reference = number.find(f"{W}abstractNumId")
            abstract = None if reference is None else reference.get(f"{W}val")
            restarts = number.find(f"{W}lvlOverride/{W}startOverride") is not None
            self._abstract[identity] = identity if restarts else f"a{abstract}"
            for element in abstracts[abstract].findall(f"{W}lvl") if abstract in abstracts else ():
                self._add(identity, element)
            for override in number.findall(f"{W}lvlOverride"):
                if (element := override.find(f"{W}lvl")) is not None:
                    self._add(identity, element)
                start = whole(override.find(f"{W}startOverride"))
                key = (identity, whole_attribute(override))
                if start is not None and key in self._levels:
                    self._levels[key] = (*self._levels[key][:2], start)

    def _add(self, identity: str, element: Any) -> None:
        kind, text = element.find(f"{W}numFmt"), element.find(f"{W}lvlText")
        self._levels[identity, whole_attribute(element)] = (
            "decimal" if kind is None else kind.get(f"{W}val", "decimal"),
            "" if text is None else text.get(f"{W}val", ""),
            whole(element.find(f"{W}start"), 1) or 0,
        )

    def next(self, identity: str, depth: int) -> str:
        """The label of the next paragraph at `depth` (from 0) of a list; empty when it has none, "• " for bullets."""
        if (identity, depth) not in self._levels:
            return ""
        kind, text, start = self._levels[identity, depth]
        counts = self._counts[self._abstract[identity]]
        before = counts[depth]
        counts[depth] = start if before is None else before + 1
        counts[depth + 1 :] = [None] * (8 - depth)
        if kind == "bullet":
            return BULLET
        if kind == "none" or not text:
            return ""

        def label(match: re.Match[str]) -> str:
            at = int(match[1]) - 1
            level = self._levels.get((identity, at))
            if level is None:
                return ""
            count = counts[at]
            return in_format(level[2] if count is None else count, level[0])

        shown = re.sub(r"%([1-9])", label, text)
        # Chinese ordinals (一、) and brackets stand close to the text, others at a distance.
        return shown if shown[-1:] in "、）】．，：" else f"{shown} "


def whole_attribute(element: Any) -> int:
    """The depth an element of numbering speaks of."""
    text = element.get(f"{W}ilvl", "0")
    return int(text) if text.isdecimal() and int(text) < 9 else 0


def in_format(number: int, kind: str) -> str:
    """A number as `w:numFmt` (ECMA-376 part 1, 17.18.59) writes it; in digits for formats nobody uses here."""
    if kind in {"upperLetter", "lowerLetter"}:
        letter = chr(ord("A") + (number - 1) % 26) * ((number - 1) // 26 + 1) if 0 < number < 400 else str(number)
        return letter if kind == "upperLetter" else letter.lower()
    if kind in {"upperRoman", "lowerRoman"}:
        return roman(number) if kind == "upperRoman" else roman(number).lower()
    if kind in {
        "chineseCounting", "chineseCountingThousand", "taiwaneseCounting", "taiwaneseCountingThousand",
        "japaneseCounting", "ideographDigital", "chineseLegalSimplified", "koreanCounting",
    }:  # fmt: skip
        return chinese(number)
    if kind == "ideographTraditional" and 0 < number <= len(_STEMS):
        return _STEMS[number - 1]
    if kind == "ideographZodiac" and 0 < number <= len(_BRANCHES):
        return _BRANCHES[number - 1]
    if kind in {"decimalEnclosedCircle", "decimalEnclosedCircleChinese"} and 0 < number <= 20:
        return chr(0x245F + number)
    if kind == "decimalZero":
        return f"{number:02d}"
    return str(number)


def chinese(number: int) -> str:
    """Up to 99 as it is counted: 十二, 二十一; beyond that digit by digit."""
    if not 0 <= number < 100:
        return "".join(_HAN[int(digit)] for digit in str(abs(number)))
    tens, ones = divmod(number, 10)
    if tens == 0:
        return _HAN[ones]
    return ("" if tens == 1 else _HAN[tens]) + "十" + (_HAN[ones] if ones else "")


def roman(number: int) -> str:
    """Roman numerals, capital; digits for what they cannot write."""
    if not 0 < number < 4000:
        return str(number)
    values = (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1)
    signs = ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I")
    written = ""
    for value, sign in zip(values, signs, strict=True):
        written += sign * (number // value)
        number %= value
    return written
