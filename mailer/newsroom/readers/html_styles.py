"""What an element of HTML hands on to its text: heading, size, emphasis, place."""

import re
from dataclasses import dataclass, replace
from typing import Any

from mailer.newsroom.structure.spans import PLAIN, Mark, Marks

BLOCKS = frozenset((
    "p", "div", "section", "article", "header", "footer", "main", "aside", "h1", "h2", "h3", "h4", "h5", "h6", "li",
    "dt", "dd", "blockquote", "pre", "figure", "figcaption", "td", "th", "caption", "address", "center", "body", "ul",
    "ol", "dl", "table", "tbody", "thead", "tfoot", "tr", "hr", "html", "details", "summary", "fieldset", "legend",
))  # fmt: skip
_HEADING = re.compile(r"h([1-6])")
_SIZE = re.compile(r"font-size\s*:\s*([\d.]{1,6})\s*(pt|px)", re.IGNORECASE)
_MARKS = {
    "b": Mark.STRONG, "strong": Mark.STRONG, "i": Mark.EMPHASIS, "em": Mark.EMPHASIS, "cite": Mark.EMPHASIS,
    "s": Mark.STRUCK, "strike": Mark.STRUCK, "del": Mark.STRUCK, "u": Mark.UNDERLINED,
    "sup": Mark.RAISED, "sub": Mark.LOWERED,
}  # fmt: skip
# A style has the last word: Google Docs wraps everything into a <b> that is not bold.
_STYLED = (
    (Mark.STRONG, re.compile(r"font-weight\s*:\s*(?:(bold|[6-9]00)|normal|[1-5]00)")),
    (Mark.EMPHASIS, re.compile(r"font-style\s*:\s*(?:(italic|oblique)|normal)")),
    (Mark.STRUCK, re.compile(r"text-decoration(?:-line)?\s*:[^;]*?(?:(line-through)|none)")),
    (Mark.UNDERLINED, re.compile(r"text-decoration(?:-line)?\s*:[^;]*?(?:(underline)|none)")),
    (Mark.RAISED, re.compile(r"vertical-align\s*:\s*(?:(super)|baseline)")),
    (Mark.LOWERED, re.compile(r"vertical-align\s*:\s*(?:(sub)\b|baseline)")),
)


@dataclass(frozen=True, slots=True)
class Style:
    """What an element hands on to its text."""

    level: int | None = None
    size: float | None = None
    marks: Marks = PLAIN
    is_centred: bool = False
    is_listed: bool = False
    is_caption: bool = False


def style_of(element: Any, tag: str, inherited: Style) -> Style:
    """What an element makes of the style it stands in."""
    css, classes = element.get("style", "").lower(), element.get("class", "").lower()
    style = inherited
    if heading := _HEADING.fullmatch(tag):
        style = replace(style, level=int(heading[1]))
    elif "msotitle" in classes:
        style = replace(style, level=0)
    elif "msotoc" in classes:
        style = replace(style, is_listed=True)
    style = replace(style, marks=_marks_of(tag, css, style.marks))
    if tag == "center" or element.get("align", "").lower() == "center" or re.search(r"text-align\s*:\s*center", css):
        style = replace(style, is_centred=True)
    elif tag in BLOCKS and "text-align" in css:
        style = replace(style, is_centred=False)
    if size := _SIZE.search(css):
        points = float(size[1]) if size[1].replace(".", "", 1).isdecimal() else 0
        style = replace(style, size=points * (0.75 if size[2].lower() == "px" else 1) or None)
    return style


def _marks_of(tag: str, css: str, inherited: Marks) -> Marks:
    marks = inherited | {_MARKS[tag]} if tag in _MARKS else inherited
    for mark, pattern in _STYLED if css else ():
        if said := pattern.search(css):
            marks = marks | {mark} if said[1] else marks - {mark}
    return marks
