"""An article's body as text: paragraphs, lists and tables wrapped to columns, links as numbered notes."""

from lxml.html import HtmlElement

from mailer.i18n import N_, translate
from mailer.press import plaintext
from mailer.press.texttables import align

# A block of text, or a part of one: whatever is none of them runs on in its line.
_TEXT_BLOCKS = frozenset(
    {"p", "h3", "ul", "ol", "li", "blockquote", "hr", "table", "caption", "thead", "tbody", "tfoot", "tr"}
)
# Figures above and below the line have characters of their own: m², CO₂.
_RAISED = str.maketrans("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")
_LOWERED = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")


class TextWriter:
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
        # In a list or a quotation the margin alone shows where a paragraph belongs.
        indent = "" if margin else self._indent
        blocks: list[str] = []
        loose = element.text or ""
        for child in element:
            if child.tag in _TEXT_BLOCKS:
                blocks += self._paragraph(loose, margin, margin + indent)
                blocks += self._block(child, margin)
                loose = child.tail or ""
            else:
                loose += self._inline(child) + (child.tail or "")
        return blocks + self._paragraph(loose, margin, margin + indent)

    def _paragraph(self, text: str, margin: str, first: str) -> list[str]:
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
        items = list(element.iterchildren("li"))
        digits = len(str(start + len(items) - 1))
        lines: list[str] = []
        for number, item in enumerate(items, start):
            mark = f"{number:>{digits}}. " if element.tag == "ol" else "- "
            hang = margin + " " * len(mark)
            for at, block in enumerate(self._blocks(item, hang)):
                lines.append(margin + mark + block.strip() if not at else block)
        return lines

    def _rows(self, element: HtmlElement, margin: str) -> list[str]:
        rows = [
            [" ".join(self._inside(cell).split()) for cell in row.iterchildren("td", "th")]
            for row in element.iter("tr")
        ]
        caption = element.find("caption")
        title = self._paragraph(self._inside(caption), margin, first=margin) if caption is not None else []
        if aligned := align(rows, plaintext.COLUMNS - len(margin)):
            return title + [margin + line for line in aligned]
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
        if element.tag in _TEXT_BLOCKS:  # in a table's cell, where everything is one line
            return f" {inside} "
        if element.tag == "s" and inside.strip():
            # Without its stroke it would say what was taken back.
            return translate(self._language, N_("[struck out: %(text)s]"), text=inside)
        if element.tag in {"sup", "sub"}:
            return _shifted(inside, _RAISED if element.tag == "sup" else _LOWERED)
        href = element.get("href", "") if element.tag == "a" else ""
        if not href or href.removeprefix("mailto:") == inside.strip():
            return inside
        self._links.append(href)
        # In words: a number in brackets is a note of the article's own.
        return inside + translate(self._language, N_(" (link %(number)s)"), number=len(self._links))


def _shifted(text: str, characters: dict[int, int]) -> str:
    """`text` in raised or lowered characters where each has one; a note's mark in brackets, or words, as they are."""
    is_bracketed = text[:1] in {"[", "("}
    return text.translate(characters) if not is_bracketed and all(ord(one) in characters for one in text) else text
