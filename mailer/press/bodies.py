"""An article's body on its way into the mail: parsed once, then written as HTML or as text, whole or abridged."""

from urllib.parse import urlsplit

from lxml import html as lxml_html
from lxml.html import HtmlElement

from mailer.i18n import N_, translate
from mailer.press import plaintext
from mailer.press.linking import LinkRegister
from mailer.press.sanitising import sanitise_body
from mailer.press.slots import place_editors_slots

# An abstract is whole paragraphs up to about this many columns: some 220 Chinese characters.
ABSTRACT_COLUMNS = 440


class Body:
    """The sanitised body of one article. Pictures come from `own_host` and are at most `picture_width` pixels wide."""

    def __init__(self, html: str, *, language: str, own_host: str, picture_width: int = 576) -> None:
        clean = sanitise_body(html)
        self._root: HtmlElement = lxml_html.fragment_fromstring(clean, create_parent="div")
        self._language = language
        self._own_host = own_host
        self._picture_width = picture_width

    @property
    def foreign_pictures(self) -> tuple[str, ...]:
        """Addresses of pictures on other hosts: nothing in a mail is loaded from there."""
        return tuple(src for image in self._root.iter("img") if self._is_foreign(src := image.get("src", "")))

    @property
    def pictures_without_words(self) -> int:
        """How many pictures have no `alt` text."""
        return sum(1 for image in self._root.iter("img") if not image.get("alt", "").strip())

    @property
    def is_empty(self) -> bool:
        return not self._root.text_content().strip() and self._root.find(".//img") is None

    def _is_foreign(self, src: str) -> bool:
        return (urlsplit(src).hostname or "") != self._own_host

    def _copy(self, *, is_abridged: bool) -> HtmlElement:
        root: HtmlElement = lxml_html.fragment_fromstring(
            lxml_html.tostring(self._root, encoding="unicode"), create_parent=False
        )
        for image in list(root.iter("img")):
            if self._is_foreign(image.get("src", "")):
                _replace_by_link(image, image.get("alt", "").strip() or translate(self._language, N_("Picture")))
        if is_abridged:
            _abridge(root)
        for element in root.iter():
            # lxml's text and tail are the only places where text stands; attributes stay as typed.
            element.text = place_editors_slots(element.text) if element.text else element.text
            element.tail = place_editors_slots(element.tail) if element.tail else element.tail
        return root

    def as_html(self, links: LinkRegister, article_key: int, *, is_abridged: bool, is_demoted: bool) -> str:
        """Inner HTML with its links registered. `is_demoted`: headings become h4, below a section's article title."""
        root = self._copy(is_abridged=is_abridged)
        for element in root.iter("a", "img", "h3", "table"):
            if element.tag == "a" and (href := element.get("href", "")):
                if href.lower().startswith(("http://", "https://")):
                    element.set("href", links.add(href, element.text_content() or href, article_key))
            elif element.tag == "img":
                self._fit(element)
            elif element.tag == "h3" and is_demoted:
                element.tag = "h4"
            elif element.tag == "table":
                element.set("class", "data")
                element.set("cellspacing", "0")
        return _inner_html(root)

    def _fit(self, image: HtmlElement) -> None:
        """A width no wider than the page, for Outlook; no height: with pictures off it would be an empty box."""
        image.set("alt", image.get("alt", ""))
        image.attrib.pop("height", None)
        if int(image.get("width", "0")) > self._picture_width:
            image.set("width", str(self._picture_width))

    def as_text(self, links: list[str], *, is_abridged: bool) -> str:
        """Wrapped text; each address that a link hides is added to `links`, and its number stands in the text."""
        return _TextWriter(self._language, links).write(self._copy(is_abridged=is_abridged))


def _replace_by_link(image: HtmlElement, words: str) -> None:
    tail, image.tail = image.tail, None
    link = lxml_html.Element("a", href=image.get("src", ""))
    link.text, link.tail = f"[{words}]", tail
    parent = image.getparent()
    if parent is not None:
        parent.replace(image, link)


def _abridge(root: HtmlElement) -> None:
    """Leaves the first paragraphs of `root`: at least one, whole ones only."""
    used, is_full = 0, False
    for child in list(root):
        if is_full:
            root.remove(child)
            continue
        used += plaintext.width(child.text_content())
        is_full = used >= ABSTRACT_COLUMNS


def _inner_html(root: HtmlElement) -> str:
    whole: str = lxml_html.tostring(root, encoding="unicode")
    return whole[whole.index(">") + 1 : whole.rindex("</")]


_BLOCKS = {"p", "h3", "ul", "ol", "li", "blockquote", "hr", "table", "caption", "thead", "tbody", "tfoot", "tr"}


class _TextWriter:
    """Walks a body and writes its blocks."""

    def __init__(self, language: str, links: list[str]) -> None:
        self._links = links
        self._language = language
        # A Chinese paragraph begins with two characters' space.
        self._indent = "\u3000\u3000" if language.startswith("zh") else ""

    def write(self, root: HtmlElement) -> str:
        return "\n\n".join(self._blocks(root, ""))

    def _blocks(self, element: HtmlElement, margin: str) -> list[str]:
        """The blocks in `element`, each a string of lines; loose text between blocks is a paragraph too."""
        blocks: list[str] = []
        loose = element.text or ""
        for child in element:
            if child.tag in _BLOCKS:
                blocks += self._paragraph(loose, margin)
                blocks += self._block(child, margin)
                loose = child.tail or ""
            else:
                loose += self._inline(child) + (child.tail or "")
        return blocks + self._paragraph(loose, margin)

    def _paragraph(self, text: str, margin: str, first: str | None = None) -> list[str]:
        first = margin + self._indent if first is None else first
        lines = [
            plaintext.wrap(line, first=first if not number else margin, rest=margin)
            for number, line in enumerate(text.split("\v"))
            if line.strip()
        ]
        return ["\n".join(lines)] if lines else []

    def _block(self, element: HtmlElement, margin: str) -> list[str]:
        if element.tag == "h3":
            return self._paragraph(self._inside(element), margin, first=f"{margin}■ ")
        if element.tag in {"ul", "ol"}:
            return ["\n".join(self._items(element, margin))]
        if element.tag == "table":
            return ["\n".join(self._rows(element, margin))]
        if element.tag == "hr":
            return [f"{margin}* * *"]
        return self._blocks(element, f"{margin}  " if element.tag == "blockquote" else margin)

    def _items(self, element: HtmlElement, margin: str) -> list[str]:
        start = int(element.get("start", "1")) if element.tag == "ol" else 1
        lines: list[str] = []
        for number, item in enumerate(element.iterchildren("li"), start):
            mark = f"{number}. " if element.tag == "ol" else "- "
            hang = margin + " " * len(mark)
            for at, block in enumerate(self._blocks(item, hang)):
                lines.append(margin + mark + block.strip() if not at else block)
        return lines

    def _rows(self, element: HtmlElement, margin: str) -> list[str]:
        rows = [[self._inside(cell) for cell in row.iterchildren("td", "th")] for row in element.iter("tr")]
        caption = element.find("caption")
        title = self._paragraph(self._inside(caption), margin, first=margin) if caption is not None else []
        return title + [plaintext.wrap(" | ".join(row), first=margin, rest=margin + "  ") for row in rows]

    def _inside(self, element: HtmlElement) -> str:
        """The text in `element` as running text; a vertical tab marks a line break that was meant."""
        return (element.text or "") + "".join(self._inline(child) + (child.tail or "") for child in element)

    def _inline(self, element: HtmlElement) -> str:
        if element.tag == "br":
            return "\v"
        if element.tag == "img":
            words = element.get("alt", "").strip() or translate(self._language, N_("Picture"))
            return f"[{words}]"
        inside = self._inside(element)
        href = element.get("href", "") if element.tag == "a" else ""
        if not href or href.removeprefix("mailto:") == inside.strip():
            return inside
        self._links.append(href)
        return f"{inside}[{len(self._links)}]"
