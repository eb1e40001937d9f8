"""An article's body as the print edition wants it: a tree of plain values, every word of it a string.

Blocks are ``{"kind": …}`` of ``p`` (``inside``, and ``role`` where it is a ``caption``, ``subtitle`` or ``byline``),
``h`` (``inside``), ``list`` (``is_ordered``, ``start``, ``items``: lists of blocks), ``quote`` (``inside``: blocks),
``rule``, ``table`` (see `mailer.press.printtables`) and ``picture`` (``file``, ``alt``, ``is_captioned``). Inline nodes
are ``text``, ``br``, ``a`` (``address``) and ``strong``, ``em``, ``u``, ``s``, ``sub``, ``sup`` with their ``inside``.
The template `templates/print/edition.typ` draws them and evaluates nothing.
"""

import re
from collections.abc import Mapping
from typing import Any

from lxml.html import HtmlElement

from mailer.i18n import N_, translate
from mailer.press.printtables import lay_out
from mailer.press.slots import fill_text

Node = dict[str, Any]
# Zero width space: a line may end there (UAX #14, class ZW).
_BREAK = "\u200b"
_LONG_RUN = re.compile(r"[^\s\u2e80-\uffff]{24,}")
_MARKS = frozenset({"strong", "em", "u", "s", "sub", "sup"})
_ROLES = frozenset({"caption", "subtitle", "byline"})
_BLOCKS = frozenset({"p", "h3", "ul", "ol", "blockquote", "hr", "table"})


def breakable(text: str) -> str:
    """`text` with places where a line may end in what is longer than any word, such as an address: it would run over
    the edge of the paper.
    """
    return _LONG_RUN.sub(lambda match: _BREAK.join(match[0]), text)


class BlockWriter:
    """Walks a sanitised body. `pictures` maps an address to the name of its file; a picture without one is its words.
    `values` fill the slots, for paper is the same for every reader.
    """

    def __init__(self, language: str, pictures: Mapping[str, str], values: Mapping[str, str]) -> None:
        self._language = language
        self._pictures = pictures
        self._values = values

    def write(self, root: HtmlElement) -> list[Node]:
        """The blocks in `root`; loose text between them is a paragraph too."""
        blocks: list[Node] = []
        loose = self._text(root.text)
        for child in root:
            if child.tag in _BLOCKS:
                blocks += [*self._paragraph(loose), *self._block(child)]
                loose = self._text(child.tail)
            else:
                loose += [*self._inline(child), *self._text(child.tail)]
        return blocks + self._paragraph(loose)

    def _paragraph(self, nodes: list[Node]) -> list[Node]:
        """A paragraph, its pictures standing between its parts: they are blocks on paper."""
        blocks: list[Node] = []
        words: list[Node] = []
        for node in [*nodes, None]:
            if node is not None and node["kind"] != "picture":
                words.append(node)
                continue
            if any(word["kind"] != "text" or word["text"].strip() for word in words):
                blocks.append({"kind": "p", "inside": words})
            blocks += [node] if node else []
            words = []
        return blocks

    def _block(self, element: HtmlElement) -> list[Node]:
        if element.tag == "hr":
            return [{"kind": "rule"}]
        if element.tag == "h3":
            return [{"kind": "h", "inside": self._flat(element)}]
        if element.tag in {"ul", "ol"}:
            items = [self.write(item) for item in element.iterchildren("li")]
            start = int(element.get("start", "1"))
            return (
                [{"kind": "list", "is_ordered": element.tag == "ol", "start": start, "items": items}] if items else []
            )
        if element.tag == "blockquote":
            return [{"kind": "quote", "inside": self.write(element)}]
        if element.tag == "table":
            caption = element.find("caption")
            table = lay_out(element, self.write)
            return [{**table, "caption": self._flat(caption) if caption is not None else []}] if table else []
        return self._in_role(self._paragraph(self._inside(element)), element.get("class", ""))

    @staticmethod
    def _in_role(blocks: list[Node], shape: str) -> list[Node]:
        """`blocks` of one paragraph with what `shapes` knows of it."""
        if shape in _ROLES:
            return [{**block, "role": shape} if block["kind"] == "p" else block for block in blocks]
        if "captioned" in shape and blocks:
            blocks[-1]["is_captioned"] = True
        return blocks

    def _inside(self, element: HtmlElement) -> list[Node]:
        nodes = self._text(element.text)
        for child in element:
            nodes += [*self._inline(child), *self._text(child.tail)]
        return nodes

    def _flat(self, element: HtmlElement) -> list[Node]:
        """Inline nodes of a heading or a caption, where a picture is only its words."""
        nodes = self._inside(element)
        return [{"kind": "text", "text": f"[{node['alt']}]"} if node["kind"] == "picture" else node for node in nodes]

    def _inline(self, element: HtmlElement) -> list[Node]:
        if element.tag == "br":
            return [{"kind": "br"}]
        if element.tag == "img":
            words = element.get("alt", "").strip() or translate(self._language, N_("Picture"))
            file = self._pictures.get(element.get("src", ""))
            return [{"kind": "picture", "file": file, "alt": words} if file else {"kind": "text", "text": f"[{words}]"}]
        if element.tag in _MARKS:
            return [{"kind": element.tag, "inside": self._flat(element)}]
        if element.tag == "a":
            inside = self._inside(element)
            pictures = [node for node in inside if node["kind"] == "picture"]
            words = [node for node in inside if node["kind"] != "picture"]
            return [*([{"kind": "a", "address": element.get("href", ""), "inside": words}] if words else []), *pictures]
        return self._inside(element)

    def _text(self, text: str | None) -> list[Node]:
        return [{"kind": "text", "text": breakable(fill_text(text, self._values))}] if text else []
