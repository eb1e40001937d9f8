"""Whether a compiled edition can be read: each text's colour on what lies behind it, as WCAG 2.2 counts contrast.

Only what is inlined is looked at, as the clients that drop the head see it. Text on a picture is not judged.
"""

import re
from dataclasses import dataclass, replace

from lxml import html as lxml_html
from lxml.html import HtmlElement

from mailer.i18n import N_
from mailer.press.colours import CONTRAST, WHITE, contrast, is_colour
from mailer.press.proofreading import THEME, Finding, Severity

BLACK = "#000000"
# Success criterion 1.4.3: from 24 px, or bold from 18.66 px, less will do.
LARGE_CONTRAST, LARGE_PIXELS, LARGE_BOLD_PIXELS = 3.0, 24.0, 18.66
_HEX = re.compile(r"#(?:[0-9a-f]{6}|[0-9a-f]{3})(?![0-9a-f])")
_NAMED = {"white": WHITE, "black": BLACK}
_PIXELS = re.compile(r"([0-9.]+)px")
# What is hidden from sight (the preheader) or holds no text of the page.
_UNSEEN = re.compile(r"display:\s*none|font-size:\s*0|(?<!-)opacity:\s*0(?![.0-9])|visibility:\s*hidden")
_SILENT = frozenset({"head", "script", "style", "title"})


@dataclass(frozen=True, slots=True)
class _Look:
    colour: str = BLACK
    ground: str = WHITE
    pixels: float = 16.0
    is_bold: bool = False

    @property
    def needed(self) -> float:
        is_large = self.pixels >= LARGE_PIXELS or (self.is_bold and self.pixels >= LARGE_BOLD_PIXELS)
        return LARGE_CONTRAST if is_large else CONTRAST


def check_contrast(html: str) -> list[Finding]:
    """One finding for each pair of colours that cannot be read, with the first words it is used for."""
    faint: dict[tuple[str, str], tuple[float, str]] = {}
    _walk(lxml_html.document_fromstring(html), _Look(), faint)
    message = N_(
        "“%(words)s” is %(colour)s on %(ground)s, a contrast of %(ratio)s: many cannot read it. "
        "Choose other colours in the newsletter's settings."
    )
    return [
        Finding(
            Severity.WARNING,
            THEME,
            message,
            {"words": words, "colour": colour, "ground": ground, "ratio": f"{ratio:.1f}"},
        )
        for (colour, ground), (ratio, words) in faint.items()
    ]


def _walk(element: HtmlElement, above: _Look, faint: dict[tuple[str, str], tuple[float, str]]) -> None:
    if not isinstance(element.tag, str) or element.tag in _SILENT:
        return
    style = (element.get("style") or "").lower()
    if _UNSEEN.search(style):
        return
    look = _look(element, style, above)
    words = " ".join(" ".join([element.text or "", *(child.tail or "" for child in element)]).split())
    if any(character.isalnum() for character in words):
        ratio = contrast(look.colour, look.ground)
        if ratio < look.needed:
            faint.setdefault((look.colour, look.ground), (ratio, words[:20]))
    for child in element:
        _walk(child, look, faint)


def _look(element: HtmlElement, style: str, above: _Look) -> _Look:
    look = above
    if element.tag in {"b", "strong", "th", "h1", "h2", "h3", "h4"}:
        look = replace(look, is_bold=True)
    attribute = _colour(element.get("bgcolor") or "")
    if attribute:
        look = replace(look, ground=attribute)
    for declaration in style.split(";"):
        name, _, value = declaration.partition(":")
        match name.strip():
            case "color":
                look = replace(look, colour=_colour(value) or look.colour)
            case "background" | "background-color":
                look = replace(look, ground=_colour(value) or look.ground)
            case "font-size" if found := _PIXELS.search(value):
                look = replace(look, pixels=float(found[1]))
            case "font-weight":
                look = replace(look, is_bold=value.strip() in {"bold", "600", "700", "800", "900"})
    return look


def _colour(value: str) -> str:
    """``#rrggbb`` of a declaration's value, or empty for what is no plain colour."""
    value = value.strip().lower()
    if value in _NAMED:
        return _NAMED[value]
    found = _HEX.search(value)
    if found is None:
        return ""
    colour = found[0] if len(found[0]) == 7 else "#" + "".join(digit * 2 for digit in found[0][1:])
    return colour if is_colour(colour) else ""
