"""HTML → blocks: web pages, and what Word and WPS save or copy. Only text is taken; no markup of the file goes on.

What is hidden, a program or a style is left out. Addresses of pictures are never fetched; pictures inside the file are
kept.
"""

import base64
import binascii
import re
from dataclasses import replace
from typing import Any

from lxml import etree

from mailer.errors import UnreadableError
from mailer.i18n import N_
from mailer.newsroom.readers.content import DocumentContent, Notice
from mailer.newsroom.readers.html_styles import BLOCKS, Style, style_of
from mailer.newsroom.readers.limits import Limits
from mailer.newsroom.reading import decode
from mailer.newsroom.structure.blocks import Block, Inset, Picture
from mailer.newsroom.structure.spans import ListItem, Mark, Run, is_linkable, lines_of

_DECLARED = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]{2,30})", re.IGNORECASE)
_UNSEEN = frozenset((
    "script", "style", "head", "title", "meta", "link", "noscript", "template", "iframe", "object", "embed", "svg",
    "math", "canvas", "audio", "video", "form", "button", "select", "textarea", "input", "nav",
))  # fmt: skip
# What of these was left out is words of the page, and told as left out; the others hold programs and settings.
_WORDED = frozenset(("nav", "form", "button", "noscript", "iframe", "object", "canvas", "audio", "video"))


_LISTS = frozenset(("ul", "ol"))
_BLANKS = re.compile(r"[ \t\r\n\f\xa0]+")
_IGNORABLE = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\xad\u200b-\u200f\u2060\ufeff]")
_DATA = re.compile(r"data:(image/[\w.+-]{1,20});base64,(.+)", re.DOTALL)
_ELSEWHERE = N_("Pictures that lie outside the document were not taken over (%(count)d). Add them by hand.")
# Word's notes stand at the end of the page and lead back to their paragraph.
_NOTE = re.compile(r"((?:ftn|edn)\d{1,4})", re.IGNORECASE)
_NOTED = re.compile(r"#_((?:ftn|edn)\d{1,4})", re.IGNORECASE)
_MOST_DEPTH = 120
_LONGEST_CELL = 240
_MOST_LEFT_OUT = 2000


def read_html(content: bytes, limits: Limits) -> DocumentContent:
    """The blocks of an HTML file. Raises `UnreadableError`."""
    text, encoding = _text(content)
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        root = etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableError(N_("The HTML is damaged and cannot be read.")) from error
    body = None if root is None else root.find("body")
    reading = _Reading(limits)
    if root is not None:
        reading.walk(root if body is None else body, Style(), 0)
        reading.flush()
    if not any(character.isalnum() for block in reading.blocks for character in block.text):
        raise UnreadableError(N_("The file holds no text."))
    blocks = reading.blocks
    if any(block.level == 0 for block in blocks):
        blocks = [block if block.level is None else replace(block, level=block.level + 1) for block in blocks]
    notices = (Notice(_ELSEWHERE, {"count": reading.missing}),) if reading.missing else ()
    return DocumentContent(blocks, encoding, tuple(reading.pictures), notices, is_furniture_known=True)


def _text(content: bytes) -> tuple[str, str]:
    """As the file says, where it can be decoded so; else as for plain text."""
    declared = _DECLARED.search(content[:4096])
    name = declared[1].decode("ascii").lower() if declared else ""
    if not content.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")) and name:
        # GB2312 is what Chinese programs call GB18030.
        name = "gb18030" if name in {"gb2312", "gbk", "gb_2312-80"} else name
        try:
            return _without_declaration(content.decode(name)), name
        except (LookupError, UnicodeDecodeError):
            pass
    text, encoding = decode(content)
    return _without_declaration(text), encoding


def _without_declaration(text: str) -> str:
    return re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", text)


class _Reading:
    """Goes through the elements; text gathers until a block begins or ends."""

    def __init__(self, limits: Limits) -> None:
        self.blocks: list[Block] = []
        self.pictures: list[Picture] = []
        # Pictures that are not in the file, or could not be read.
        self.missing = 0
        self._limits = limits
        self._runs: list[Run] = []
        self._style = Style()
        self._line, self._blanks, self._tables, self._breaks = 0, 0, 0, 0
        self._waiting: list[Block] = []
        self._item: ListItem | None = None
        self._depth = -1
        # The line that each of Word's notes is to.
        self._noted: dict[str, int] = {}

    def walk(self, element: Any, style: Style, depth: int) -> None:
        """Text of an element and what is in it, in order."""
        if depth > _MOST_DEPTH:
            return
        self._depth += element.tag in _LISTS
        self._say(element.text, style)
        counter = _first_number(element)
        for child in element:
            tag = child.tag if isinstance(child.tag, str) else ""
            if tag == "li":
                self.flush()
                self._item = self._item_of(element, counter)
                counter += 1
            if tag and tag not in _UNSEEN and not _is_hidden(child):
                self._element(child, tag, style, depth)
            elif tag and (tag in _WORDED or tag not in _UNSEEN):
                self._leave_out(child)
            self._say(child.tail, style)
        self._depth -= element.tag in _LISTS

    def _item_of(self, around: Any, number: int) -> ListItem:
        depth = max(0, self._depth)
        return ListItem(depth, number, f"{number}. ") if around.tag == "ol" else ListItem(depth, None, "• ")

    def _element(self, child: Any, tag: str, style: Style, depth: int) -> None:
        if tag == "br":
            self._runs.append(Run("\n"))
        elif tag == "img":
            self._picture(child)
        elif tag == "hr":
            self.flush()
            self._add(Block("————", self._next_line()))
        elif tag == "table" and not _arranges_page(child):
            self.flush()
            self._table(child)
        elif tag in BLOCKS:
            self.flush()
            own = style_of(child, tag, style)
            self._style = own
            start = len(self.blocks)
            self.walk(child, own, depth + 1)
            self.flush()
            self._style = style
            if note := _NOTE.fullmatch(child.get("id", "")):
                line = self._noted.get(note[1].lower())
                self.blocks[start:] = [
                    replace(block, inset=Inset.FOOTNOTE, line=line or block.line) for block in self.blocks[start:]
                ]
        else:
            start = len(self._runs)
            self.walk(child, style_of(child, tag, style), depth + 1)
            if tag == "a" and (note := _NOTED.fullmatch(child.get("href", ""))):
                self._noted.setdefault(note[1].lower(), self._line + 1)
            if tag == "a" and is_linkable(address := child.get("href", "").strip()):
                self._runs[start:] = [run._replace(address=address) for run in self._runs[start:]]

    def _say(self, text: str | None, style: Style) -> None:
        if text:
            self._runs.append(Run(_IGNORABLE.sub("", _BLANKS.sub(" ", text)), style.marks))
            if style.size and text.strip() and self._style.size is None:
                self._style = replace(self._style, size=style.size)

    def flush(self) -> None:
        """What was gathered becomes blocks: one for each line that the author broke."""
        shown = lines_of(self._runs)
        bold = bool(shown) and all(Mark.STRONG in run.marks for run in self._runs if run.text.strip())
        if not shown:
            self._blanks += any("\n" in run.text or "\u3000" in run.text for run in self._runs)
        self._runs.clear()
        style, item = self._style, self._item
        for at, (line, spans) in enumerate(shown):
            self._add(
                Block(
                    (item.label if item and at == 0 else "") + line.strip(),
                    self._next_line(),
                    indent=2 * (len(line) - len(line.lstrip("\u3000 "))),
                    blank_before=self._blanks,
                    level=None if style.is_listed else style.level,
                    size=style.size,
                    is_bold=bold,
                    is_centred=style.is_centred,
                    joins=None if len(shown) > 1 else False,
                    is_listed=style.is_listed,
                    spans=spans,
                    item=item if at == 0 else None,
                )
            )
            self._blanks = 0
        if shown:
            self._item = None
        for block in self._waiting:
            self._add(replace(block, line=self._next_line()))
        self._waiting.clear()

    def _leave_out(self, element: Any) -> None:
        """Words that are hidden or no text of the document: shown beside it, behind the paragraph they stand in."""
        etree.strip_elements(element, "script", "style", with_tail=False)
        text = _IGNORABLE.sub("", " ".join("".join(element.itertext()).split()))
        if any(map(str.isalnum, text)):
            self._waiting.append(Block(text[:_MOST_LEFT_OUT], 0, inset=Inset.FURNITURE))

    def _picture(self, element: Any) -> None:
        alt = " ".join((element.get("alt") or "").split())[:500]
        data = _DATA.fullmatch(element.get("src", ""))
        at = None
        if data and len(self.pictures) < self._limits.max_pictures:
            try:
                content = base64.b64decode(data[2], validate=False)
            except (binascii.Error, ValueError):
                content = b""
            if content:
                at = len(self.pictures)
                self.pictures.append(Picture(content, data[1].lower(), alt))
        if at is None:
            self.missing += 1
        if at is not None or alt:
            self._waiting.append(Block(alt or "image", 0, inset=Inset.PICTURE, picture=at))

    def _table(self, table: Any) -> None:
        self._tables += 1
        rows = table.findall(".//tr")
        for at, row in enumerate(rows):
            cells = tuple(" ".join("".join(cell.itertext()).split()) for cell in row.iterchildren("td", "th"))
            if any(cells):
                text = "    ".join(filter(None, cells))
                is_head = at == 0 and len(rows) > 1 and _is_head(row)
                block = Block(text, self._next_line(), blank_before=self._blanks, joins=False, cells=cells)
                self._add(replace(block, table=self._tables, is_head=is_head))
                self._blanks = 0

    def _next_line(self) -> int:
        self._line += 1
        return self._line

    def _add(self, block: Block) -> None:
        if len(self.blocks) >= self._limits.max_blocks:
            raise UnreadableError(
                N_("The file has more than %(limit)d lines: no bulletin is that long."), limit=self._limits.max_blocks
            )
        self.blocks.append(block)


def _is_head(row: Any) -> bool:
    """Whether a row names the columns: in cells made for that, or in bold ones."""
    cells = [cell for cell in row.iterchildren("td", "th") if "".join(cell.itertext()).strip()]
    return all(
        cell.tag == "th"
        or "".join("".join(bold.itertext()) for bold in cell.iter("b", "strong")) == "".join(cell.itertext())
        for cell in cells
    )


def _first_number(element: Any) -> int:
    start = element.get("start", "1") if element.tag == "ol" else "1"
    return int(start) if start.isdecimal() and len(start) < 5 else 1


def _is_hidden(element: Any) -> bool:
    style = element.get("style", "").lower().replace(" ", "")
    return "display:none" in style or "mso-hide:all" in style or "hidden" in element.attrib


def _arranges_page(table: Any) -> bool:
    """Whether a table holds no values but arranges text: one column, tables or headings within, whole paragraphs."""
    if next(table.iterdescendants("table", "h1", "h2", "h3", "h4", "ul", "ol"), None) is not None:
        return True
    rows = [list(row.iterchildren("td", "th")) for row in table.iter("tr")]
    if all(len(row) <= 1 for row in rows):
        return True
    return any(len("".join(cell.itertext())) > _LONGEST_CELL for row in rows for cell in row)
