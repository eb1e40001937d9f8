"""What a body's paragraphs and cells are, told by where they stand: its pictures and their captions, subtitle and
author at its head, and columns of figures. Each gets a class, which mail, web and print set in their own ways.
"""

import re
from itertools import pairwise

from lxml.html import HtmlElement

from mailer.press.plaintext import width

# Longer ones are text that happens to begin so.
LONGEST_CAPTION = 80
_NUMBER = r"\s*(?:[0-9一二三四五六七八九十]+(?:[-.—][0-9]+)?(?![^\s:：.．、])|[:：])"
_PICTURE_LABEL = re.compile(rf"(?:图|圖|照片|Figure|Fig\.|Photo){_NUMBER}", re.IGNORECASE)
_TABLE_LABEL = re.compile(rf"(?:表|附表|Table){_NUMBER}", re.IGNORECASE)
_FIGURE = re.compile(r"[+\-−±＋－]?(?:[0-9]{1,3}(?:[,，][0-9]{3})+|[0-9]+)(?:[.．][0-9]+)?\s*[%％‰]?")
# What heads the rows of a table stays in one line, up to six Chinese characters.
SHORT_COLUMNS = 12
# Stands in a column of figures where there is none to tell.
_BLANK = frozenset({"", "-", "—", "——", "–", "/", "…", "……", "N/A", "n/a"})


def is_figure(words: str) -> bool:
    """Whether they are a number, or a share, and nothing else."""
    return _FIGURE.fullmatch(words) is not None


def mark_shapes(root: HtmlElement) -> None:
    """Sets the classes ``picture``, ``captioned``, ``caption``, ``subtitle``, ``byline`` on paragraphs of `root`, and
    ``amount`` or ``short`` on cells of its tables. `root` is sanitised: it has no classes yet.
    """
    for paragraph in root.iter("p"):
        if _is_picture(paragraph):
            paragraph.set("class", "picture")
    children = list(root)
    for above, below in pairwise(children):
        if above.get("class") == "picture" and _is_caption(below, _PICTURE_LABEL):
            above.set("class", "picture captioned")
            below.set("class", "caption")
        elif below.tag == "table" and above.get("class") is None and _is_caption(above, _TABLE_LABEL):
            above.set("class", "caption")
    _mark_head(children)
    for table in root.iter("table"):
        _mark_figures(table)


def _mark_head(children: list[HtmlElement]) -> None:
    for child in children:
        if child.get("class") is None and _is_all(child, "strong") and _text(child).startswith("—"):
            child.set("class", "subtitle")
        elif child.get("class") is None and _is_all(child, "em") and len(_text(child)) <= LONGEST_CAPTION:
            child.set("class", "byline")
        else:
            return


def _text(element: HtmlElement) -> str:
    return " ".join(element.text_content().split())


def _is_picture(paragraph: HtmlElement) -> bool:
    return paragraph.find(".//img") is not None and not _text(paragraph)


def _is_all(element: HtmlElement, tag: str) -> bool:
    """Whether `element` is a paragraph whose words all stand in one `tag`."""
    if element.tag != "p" or len(element) != 1 or (element.text or "").strip():
        return False
    return element[0].tag == tag and not (element[0].tail or "").strip() and bool(_text(element))


def _is_caption(element: HtmlElement, label: re.Pattern[str]) -> bool:
    words = _text(element)
    if element.tag != "p" or not words or len(words) > LONGEST_CAPTION:
        return False
    return _is_all(element, "em") or (label.match(words) is not None and words[-1] not in "。；;")


def _mark_figures(table: HtmlElement) -> None:
    """Columns that hold figures and nothing else below their heads. Not where cells span: they share no columns."""
    rows = [
        list(row.iterchildren("td", "th"))
        for part in table.xpath("self::table|thead|tbody|tfoot")
        for row in part.iterchildren("tr")
    ]
    if len(rows) < 2 or len({len(row) for row in rows}) != 1:
        return
    if any(cell.get("colspan", "1") != "1" or cell.get("rowspan", "1") != "1" for row in rows for cell in row):
        return
    for at, column in enumerate(zip(*rows, strict=True)):
        words = [_text(cell) for cell in column]
        if not at and max(map(width, words)) <= SHORT_COLUMNS:
            for cell in column:
                cell.set("class", "short")
        figures = [word for word in words[1:] if word not in _BLANK]
        if figures and all(map(is_figure, figures)):
            for cell in column:
                # Not "figure": the pages' framework has rules for that.
                cell.set("class", "amount")
