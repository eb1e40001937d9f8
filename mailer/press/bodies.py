"""An article's body on its way into the mail: parsed once, then written as HTML or as text, whole or abridged."""

import copy
import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from lxml import html as lxml_html
from lxml.html import HtmlElement

from mailer.i18n import N_, translate
from mailer.press.abridging import Length, abridge
from mailer.press.bodytext import TextWriter
from mailer.press.linking import LinkRegister
from mailer.press.printblocks import BlockWriter
from mailer.press.sanitising import sanitise_body
from mailer.press.shapes import mark_shapes
from mailer.press.slots import fill_text, place_editors_slots

_BLOCKS = frozenset({"p", "h3", "ul", "ol", "blockquote", "hr", "table"})
# From so many columns on a table is on a phone as wide as on a desk, and scrolls: squeezed, its columns would be one
# character wide.
WIDE_COLUMNS = 5
# Text between tags, as the serialiser writes it; in it slots, which stay whole, and what no line ends in.
_TEXT = re.compile(r"(?<=>)[^<]+")
_LONG_RUN = re.compile(r"(?P<slot>~mailer\.[^~\s]*~)|[^\s~\u2e80-\uffff]{30,}")
_LINES = _BLOCKS | {"li", "tr", "td", "th", "caption", "br"}


class Body:
    """The sanitised body of one article. Pictures come from `own_host` and are at most `picture_width` pixels wide;
    `attributes` are what may stand in braces besides name and address (see `slots`).
    """

    def __init__(
        self,
        html: str,
        *,
        language: str,
        own_host: str,
        picture_width: int = 576,
        attributes: Collection[str] = (),
    ) -> None:
        clean = sanitise_body(html)
        self._root: HtmlElement = lxml_html.fragment_fromstring(clean, create_parent="div")
        _wrap_loose_text(self._root)
        mark_shapes(self._root)
        self._language = language
        self._own_host = own_host
        self._picture_width = picture_width
        self._attributes = attributes

    @property
    def foreign_pictures(self) -> tuple[str, ...]:
        """Addresses of pictures on other hosts: nothing in a mail is loaded from there."""
        return tuple(src for image in self._root.iter("img") if self._is_foreign(src := image.get("src", "")))

    @property
    def pictures_without_words(self) -> int:
        """How many pictures have no `alt` text."""
        return sum(1 for image in self._root.iter("img") if not image.get("alt", "").strip())

    @property
    def picture_words(self) -> tuple[str, ...]:
        """The `alt` texts there are."""
        return tuple(words for image in self._root.iter("img") if (words := image.get("alt", "").strip()))

    @property
    def words(self) -> str:
        """The text, each block and line on a line of its own; slots as editors write them."""
        return "\n".join(line for line in _lines(self._root).split("\n") if line.strip())

    @property
    def is_empty(self) -> bool:
        return not self._root.text_content().strip() and self._root.find(".//img") is None

    def _is_foreign(self, src: str) -> bool:
        return (urlsplit(src).hostname or "") != self._own_host

    def _copy(self, length: Length) -> HtmlElement:
        root = copy.deepcopy(self._root)
        for image in list(root.iter("img")):
            if self._is_foreign(image.get("src", "")):
                _replace_by_link(image, image.get("alt", "").strip() or translate(self._language, N_("Picture")))
        if length is not Length.WHOLE:
            abridge(root, length)
        return root

    def _slotted(self, length: Length) -> HtmlElement:
        root = self._copy(length)
        for element in root.iter():
            # lxml's text and tail are the only places where text stands; attributes stay as typed.
            element.text = place_editors_slots(element.text, self._attributes) if element.text else element.text
            element.tail = place_editors_slots(element.tail, self._attributes) if element.tail else element.tail
        return root

    def is_longer_than(self, length: Length) -> bool:
        """Whether it would lose anything by being cut to an abstract or a brief."""
        cut = self._copy(length)
        return len(_words(cut)) < len(_words(self._root)) or len(cut) < len(self._root)

    def as_html(
        self,
        links: LinkRegister,
        article_key: int | None,
        *,
        length: Length = Length.WHOLE,
        heading: str = "h3",
    ) -> str:
        """Inner HTML with its links registered. `heading` is the level its headings have: h3 or h4 below the title of
        their article, ``p`` in a block of the page, which is no chapter of it.
        """
        root = self._slotted(length)
        # A list, because framing a table moves it.
        for element in list(root.iter("a", "img", "h3", "table", "th")):
            if element.tag == "a" and (href := element.get("href", "")):
                if href.lower().startswith(("http://", "https://")):
                    element.set("href", links.add(href, fill_text(element.text_content(), {}) or href, article_key))
            elif element.tag == "img":
                self._fit(element)
            elif element.tag == "h3" and heading != "h3":
                element.tag = heading
                if heading == "p":
                    element.set("class", "block-title")
            elif element.tag == "table":
                _frame(element)
            elif element.tag == "th" and not element.get("scope"):
                # A row of nothing but headings heads columns (WCAG technique H63).
                element.set("scope", "row" if element.getparent().find("td") is not None else "col")
        inner = _inner_html(root)
        return _let_break(inner) if self._language.startswith("zh") else inner

    def _fit(self, image: HtmlElement) -> None:
        """A width no wider than the page, for Outlook; no height: with pictures off it would be an empty box."""
        image.set("alt", image.get("alt", ""))
        image.attrib.pop("height", None)
        if int(image.get("width", "0")) > self._picture_width:
            image.set("width", str(self._picture_width))

    def as_text(self, links: list[str], *, length: Length = Length.WHOLE) -> str:
        """Wrapped text; each address that a link hides is added to `links`, and its number stands in the text."""
        return TextWriter(self._language, links).write(self._slotted(length))

    def as_blocks(self, pictures: Mapping[str, str], values: Mapping[str, str]) -> list[dict[str, Any]]:
        """The whole body for the print edition (see `printblocks`): `pictures` are files by address, `values` fill
        the slots.
        """
        return BlockWriter(self._language, pictures, values).write(self._slotted(Length.WHOLE))


def _let_break(inner: str) -> str:
    """Long addresses and the like in a span that may be broken anywhere: Chinese text is justified, and one that went
    to the next line as a whole would leave a line of characters standing far apart.
    """

    def mark(run: re.Match[str]) -> str:
        return run[0] if run["slot"] else f'<span class="run">{run[0]}</span>'

    return _TEXT.sub(lambda text: _LONG_RUN.sub(mark, text[0]), inner)


def _frame(table: HtmlElement) -> None:
    """`table` in a box of its own that scrolls where the page is narrower: a page is never wider than a phone's, and
    a table of many columns cannot be as narrow. The box takes the focus, so that arrow keys reach its far end.
    """
    rows = [row for part in table.xpath("self::table|thead|tbody|tfoot") for row in part.iterchildren("tr")]
    columns = max((sum(max(1, int(cell.get("colspan", "1"))) for cell in row) for row in rows), default=0)
    is_wide = columns >= WIDE_COLUMNS
    table.set("class", "data wide" if is_wide else "data")
    table.set("cellspacing", "0")
    box = lxml_html.Element("div", {"class": "scroll"})
    if is_wide:
        box.set("tabindex", "0")
        for caption in table.iterchildren("caption"):
            _hold(caption)
    tail, table.tail = table.tail, None
    parent = table.getparent()
    assert parent is not None
    parent.replace(table, box)
    box.append(table)
    box.tail = tail


def _hold(caption: HtmlElement) -> None:
    """The caption's words in a span, which is no wider than a phone: centred over the whole table they would begin
    beyond its edge.
    """
    span = lxml_html.Element("span", {"class": "held"})
    span.text, caption.text = caption.text, None
    span.extend(list(caption))
    caption.append(span)


def _replace_by_link(image: HtmlElement, words: str) -> None:
    tail, image.tail = image.tail, None
    parent = image.getparent()
    assert parent is not None
    # Inside a link already: its words only, for a link cannot hold another.
    is_linked = next(image.iterancestors("a"), None) is not None
    link = lxml_html.Element("span") if is_linked else lxml_html.Element("a", href=image.get("src", ""))
    link.text, link.tail = f"[{words}]", tail
    parent.replace(image, link)
    if is_linked:
        link.drop_tag()


def _wrap_loose_text(root: HtmlElement) -> None:
    """Text that stands in no block becomes paragraphs, so that it looks like the rest and can be abridged like it."""
    loose = lxml_html.Element("p")
    loose.text, root.text = root.text, None
    for child in list(root):
        tail, child.tail = child.tail, None
        if child.tag in _BLOCKS:
            if loose.text_content().strip() or len(loose):
                child.addprevious(loose)
            loose = lxml_html.Element("p")
            loose.text = tail
        else:
            loose.append(child)
            child.tail = tail
    if loose.text_content().strip() or len(loose):
        root.append(loose)


def _lines(element: HtmlElement) -> str:
    parts = [element.text or ""]
    for child in element:
        edge = "\n" if child.tag in _LINES else ""
        parts += [edge, _lines(child), edge, child.tail or ""]
    return "".join(parts)


def _words(root: HtmlElement) -> str:
    return "".join(root.text_content().split())


def _inner_html(root: HtmlElement) -> str:
    whole: str = lxml_html.tostring(root, encoding="unicode")
    return whole[whole.index(">") + 1 : whole.rindex("</")]
