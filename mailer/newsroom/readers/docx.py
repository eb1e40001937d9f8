"""Word documents (.docx, ECMA-376 part 1 chapter 17) → blocks: one a paragraph, with what its styles and runs say.

Tracked changes are read as accepted, fields by their last result, text boxes where they are anchored. What Word prints
and no run holds is made again: numbers of lists, and that a paragraph stands in a table of contents.
"""

import posixpath
from dataclasses import replace
from typing import Any

from mailer.errors import UnreadableError
from mailer.i18n import N_
from mailer.newsroom.readers.content import DocumentContent, Notice
from mailer.newsroom.readers.docx_package import Package
from mailer.newsroom.readers.docx_runs import Gathered, Gatherer
from mailer.newsroom.readers.docx_styles import BULLET, Numbering, Styles, W, flag, with_paragraph
from mailer.newsroom.readers.limits import Limits
from mailer.newsroom.readers.telling import tell
from mailer.newsroom.structure.blocks import Block, Inset, Picture
from mailer.newsroom.structure.layout import read_layout
from mailer.newsroom.structure.spans import ListItem, lines_of, number_in
from mailer.newsroom.structure.typography import is_finished, join

_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MAIN = "word/document.xml"
_MEDIA = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".bmp": "image/bmp",
    ".tif": "image/tiff", ".tiff": "image/tiff", ".webp": "image/webp", ".svg": "image/svg+xml", ".emf": "image/emf",
    ".wmf": "image/wmf",
}  # fmt: skip
_TRANSPARENT = frozenset(f"{W}{name}" for name in ("sdt", "sdtContent", "customXml", "smartTag", "ins", "moveTo"))
# Cells with more text than this hold an article, not a value: the table only arranges the page.
_LONGEST_CELL = 240
_SENTENCE = 60
_MOST_DEPTH = 12
# Paragraphs between two words of how far it has come.
_STEP = 100


def read_docx(content: bytes, limits: Limits) -> DocumentContent:
    """The blocks of a Word document. Raises `UnreadableError`."""
    package = Package(content, limits)
    root = package.xml(_MAIN)
    body = None if root is None else root.find(f"{W}body")
    if body is None:
        raise UnreadableError(N_("The document is damaged: it has no text part. Save it again and try that."))
    return _Reading(package, limits).read(body)


class _Reading:
    """One document on its way through: blocks so far, and where in the document we are."""

    def __init__(self, package: Package, limits: Limits) -> None:
        self._package = package
        self._limits = limits
        self._targets = package.relationships(_MAIN)
        parts = {kind: target for kind, target in self._targets.values() if kind != "image"}
        self._styles = Styles(package.xml(parts.get("styles", "word/styles.xml")))
        self._numbering = Numbering(package.xml(parts.get("numbering", "word/numbering.xml")))
        self._notes: dict[str, dict[str, str]] = {
            kind: _notes(package.xml(parts[kind]), kind[:-1]) for kind in ("footnotes", "endnotes") if kind in parts
        }
        addresses = {name: target for name, (kind, target) in self._targets.items() if kind == "hyperlink"}
        self._gatherer = Gatherer(self._styles, addresses)
        self._blocks: list[Block] = []
        self._pictures: list[Picture] = []
        self._seen: dict[str, int] = {}
        self._picture_bytes = 0
        self._line, self._page, self._blanks, self._tables = 0, 1, 0, 0
        self._is_contents = False
        self._carried: Gathered | None = None

    def read(self, body: Any) -> DocumentContent:
        self._walk(body, 0)
        self._furniture(body)
        blocks = self._blocks
        if any(block.level == 0 for block in blocks):
            blocks = [block if block.level is None else replace(block, level=block.level + 1) for block in blocks]
        text = [block for block in blocks if block.inset is None]
        if read_layout(text).wrap is not None:
            # Every line of the source is a paragraph, as in text that was converted: the text itself must say.
            blocks = [replace(block, joins=None) if block.joins is False else block for block in blocks]
        return DocumentContent(blocks, "docx", tuple(self._pictures), tuple(self._notices()), is_furniture_known=True)

    def _walk(self, container: Any, depth: int) -> None:
        if depth > _MOST_DEPTH:
            return
        for at, element in enumerate(container):
            if depth == 0 and at % _STEP == 0:
                tell(at, len(container))
            if element.tag == f"{W}p":
                self._paragraph(element, depth)
            elif element.tag == f"{W}tbl":
                self._table(element, depth)
            elif element.tag in _TRANSPARENT:
                was = self._is_contents
                gallery = element.find(f"{W}sdtPr/{W}docPartObj/{W}docPartGallery")
                self._is_contents = was or (gallery is not None and "Contents" in gallery.get(f"{W}val", ""))
                self._walk(element, depth + 1)
                self._is_contents = was

    def _paragraph(self, element: Any, depth: int) -> None:
        properties = element.find(f"{W}pPr")
        style = None if properties is None else properties.find(f"{W}pStyle")
        base = self._styles.look(None if style is None else style.get(f"{W}val"))
        look = with_paragraph(base, properties)
        found = self._gatherer.gather(element, look)
        for box in found.boxes:
            self._walk(box, depth + 1)
        if properties is not None and properties.find(f"{W}pageBreakBefore") is not None and self._blocks:
            self._page += 1
        self._line += 1
        if self._carried is not None:
            found = self._carried.followed_by(found)
            self._carried = None
        if properties is not None and properties.find(f"{W}rPr/{W}del") is not None:
            # The mark at the paragraph's end was deleted: it is one with the next.
            self._carried = found
            return
        item = self._item(look.numbering) if look.numbering and found.text.strip() else None
        self._page += found.breaks_before
        is_contents = look.is_contents or self._is_contents or found.is_contents
        lines = lines_of(found.runs)
        if look.level is not None and len(lines) > 1:
            whole = lines[0][0]
            for line, _ in lines[1:]:
                whole = join(whole.rstrip(), line.lstrip())
            lines = [(whole, ())]
        if not lines and not found.pictures:
            self._blanks += 1
        for at, (line, spans) in enumerate(lines):
            self._add(
                Block(
                    (item.label if item and at == 0 else "") + line.strip(),
                    self._line,
                    self._page,
                    _indent(line, properties),
                    self._blanks if at == 0 else 0,
                    level=None if is_contents else look.level,
                    size=found.size,
                    is_bold=found.is_bold,
                    is_centred=look.is_centred,
                    joins=None if at else False,
                    is_listed=is_contents and not look.is_centred,
                    spans=spans,
                    item=item if at == 0 else None,
                )
            )
            self._blanks = 0
        self._insets(found)
        self._page += found.breaks_after

    def _item(self, numbering: tuple[str, int]) -> ListItem | None:
        label = self._numbering.next(*numbering)
        if not label:
            return None
        return ListItem(numbering[1], None if label == BULLET else number_in(label), label)

    def _insets(self, found: Gathered) -> None:
        for kind, identity, mark in found.notes:
            if text := self._notes.get(kind, {}).get(identity):
                self._add(Block(text, self._line, self._page, inset=Inset.FOOTNOTE, joins=False, note=mark))
        for relation, alt in found.pictures:
            self._picture(relation, alt)

    def _picture(self, relation: str, alt: str) -> None:
        kind, target = self._targets.get(relation, ("", ""))
        media = _MEDIA.get(posixpath.splitext(target)[1].lower())
        if kind != "image" or media is None or len(self._pictures) >= self._limits.max_pictures:
            self._add(Block(alt or posixpath.basename(target) or "?", self._line, self._page, inset=Inset.PICTURE))
            return
        if target not in self._seen:
            content = self._package.read(target) if self._picture_bytes < self._limits.max_picture_bytes else None
            if content is not None:
                self._picture_bytes += len(content)
                self._seen[target] = len(self._pictures)
                self._pictures.append(Picture(content, media, alt))
        at = self._seen.get(target)
        shown = alt or posixpath.basename(target)
        self._add(Block(shown, self._line, self._page, inset=Inset.PICTURE, picture=at))

    def _table(self, table: Any, depth: int) -> None:
        rows = [list(row.iter(f"{W}tc")) for row in table.iterchildren(f"{W}tr")]
        texts = [[_cell_text(cell) for cell in row] for row in rows]
        if _arranges_page(table, texts):
            for row in rows:
                for cell in row:
                    if next(cell.iterancestors(f"{W}tbl")) is table:
                        self._walk(cell, depth + 1)
            return
        self._tables += 1
        head = _is_head(next(table.iterchildren(f"{W}tr"), None)) and len(rows) > 1
        for at, (row, cells) in enumerate(zip(rows, texts, strict=True)):
            self._line += 1
            if any(cells):
                self._add(
                    Block(
                        "    ".join(cell for cell in cells if cell),
                        self._line,
                        self._page,
                        blank_before=self._blanks,
                        joins=False,
                        cells=tuple(cells),
                        table=self._tables,
                        is_head=head and at == 0,
                    )
                )
                self._blanks = 0
            for cell in row:
                for paragraph in cell.iterchildren(f"{W}p"):
                    self._insets(self._gatherer.gather(paragraph, self._styles.look(None)))

    def _furniture(self, body: Any) -> None:
        """Headers and footers, each text once: shown as left out, and asked where the body lacks a masthead."""
        seen = set()
        for reference in body.iter(f"{W}headerReference", f"{W}footerReference"):
            _, target = self._targets.get(reference.get(f"{_R}id", ""), ("", ""))
            root = self._package.xml(target) if target else None
            for paragraph in () if root is None else root.iter(f"{W}p"):
                text = self._gatherer.gather(paragraph, self._styles.look(None)).text
                text = " ".join(text.split())
                if text and text not in seen:
                    seen.add(text)
                    self._line += 1
                    self._add(Block(text, self._line, self._page, inset=Inset.FURNITURE))

    def _notices(self) -> list[Notice]:
        found = []
        if self._gatherer.changes:
            message = N_("The document holds tracked changes; they were read as accepted.")
            found.append(Notice(message))
        if any(kind == "comments" for kind, _ in self._targets.values()):
            found.append(Notice(N_("The document's comments in the margin were left out.")))
        return found

    def _add(self, block: Block) -> None:
        if len(self._blocks) >= self._limits.max_blocks:
            raise UnreadableError(
                N_("The file has more than %(limit)d lines: no bulletin is that long."), limit=self._limits.max_blocks
            )
        self._blocks.append(block)


def _indent(line: str, properties: Any) -> int:
    """Columns: blanks that were typed, or a first-line indent that was set (in hundredths of a character or twips)."""
    typed = sum(2 if character == "\u3000" else 1 for character in line[: len(line) - len(line.lstrip())])
    element = None if properties is None else properties.find(f"{W}ind")
    if element is None:
        return typed
    for name, unit in (("firstLineChars", 50), ("firstLine", 120)):
        value = element.get(f"{W}{name}", "")
        if value.isdecimal() and int(value):
            return typed + min(int(value) // unit, 40)
    return typed


def _notes(root: Any, name: str) -> dict[str, str]:
    """Texts of foot- or endnotes by id; separators between them and the text are none."""
    found = {}
    for note in () if root is None else root.iter(f"{W}{name}"):
        if note.get(f"{W}type") is None:
            text = " ".join("".join(t.text or "" for t in p.iter(f"{W}t")) for p in note.iter(f"{W}p"))
            found[note.get(f"{W}id", "")] = " ".join(text.split())
    return found


def _cell_text(cell: Any) -> str:
    if cell.find(f"{W}tcPr/{W}vMerge") is not None and cell.find(f"{W}tcPr/{W}vMerge").get(f"{W}val") != "restart":
        return ""
    lines = ("".join(_visible_text(paragraph)).strip() for paragraph in cell.iter(f"{W}p"))
    whole = ""
    for line in filter(None, lines):
        whole = join(whole, " ".join(line.split()))
    return whole


def _visible_text(paragraph: Any) -> list[str]:
    return [
        element.text or "" if element.tag == f"{W}t" else " "
        for element in paragraph.iter(f"{W}t", f"{W}tab", f"{W}br")
        if next(element.iterancestors(f"{W}del", f"{W}moveFrom"), None) is None
    ]


def _is_head(row: Any) -> bool:
    """Whether a row is repeated on every page, or bold throughout: it names the columns."""
    if row is None:
        return False
    if flag(row.find(f"{W}trPr/{W}tblHeader")):
        return True
    runs = [run for run in row.iter(f"{W}r") if "".join(text.text or "" for text in run.iter(f"{W}t")).strip()]
    return bool(runs) and all(flag(run.find(f"{W}rPr/{W}b")) for run in runs)


def _arranges_page(table: Any, texts: list[list[str]]) -> bool:
    """Whether a table holds no values but arranges text: one column, tables within, or cells of whole paragraphs."""
    if next(table.iterdescendants(f"{W}tbl"), None) is not None or all(len(row) <= 1 for row in texts):
        return True
    cells = [cell for row in texts for cell in row if cell]
    sentences = sum(len(cell) > _SENTENCE and is_finished(cell, soft=False) for cell in cells)
    return sentences * 2 >= len(cells) > 0 or any(len(cell) > _LONGEST_CELL for cell in cells)
