"""Lines of the body → parts: paragraphs made whole across line ends and page edges, everything else kept apart."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.layout import Layout, goes_on, is_full
from mailer.newsroom.structure.lines import (
    FOOTNOTE_MARK,
    PartKind,
    cells_of,
    is_byline_below_title,
    is_section_shape,
    is_subtitle,
    kind_of,
    note_text,
    without_dash,
)
from mailer.newsroom.structure.typography import ends_inside, fold, is_finished, join


# What may stand between two halves of a paragraph: it belongs to the page, or was set where there was room.
_INTERRUPTIONS = frozenset({PartKind.FOOTNOTE, PartKind.CAPTION, PartKind.TABLE})


@dataclass(slots=True)
class Part:
    """A piece of an article. `rows` are a table's cells; `blocks` the lines it was made of."""

    kind: PartKind
    text: str
    blocks: list[Block] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    label: str = ""


class Grouper:
    """Builds the parts between two titles, line by line. A paragraph stays open until one begins that does not continue
    it, so that a footnote or a caption at the foot of a page does not cut it.
    """

    def __init__(self, layout: Layout, *, is_below_title: bool) -> None:
        self.parts: list[Part] = []
        # Until the first paragraph a subtitle or a bare name may stand under the title.
        self._is_head = is_below_title
        self._layout = layout
        self._open: Part | None = None
        self._last: Part | None = None

    def add(self, lines: Sequence[Block], page_cuts: frozenset[int]) -> None:
        """Adds the lines from one title to the next. `page_cuts` are the `line`s of blocks that begin a page."""
        at = 0
        while at < len(lines):
            rows = _table_rows(lines, at)
            if rows:
                self._append(_table(lines[at : at + rows]))
                at += rows
            else:
                self._add_line(lines[at], is_page_cut=lines[at].line in page_cuts)
                at += 1

    def _add_line(self, block: Block, *, is_page_cut: bool) -> None:
        kind = self._kind(block)
        if kind is PartKind.PARAGRAPH:
            target = self._continued(block, is_page_cut=is_page_cut)
            if target is not None:
                target.text = join(target.text, block.text, has_space=target.blocks[-1].has_space_after)
                target.blocks.append(block)
                return
            if self._last is not None and self._last.kind is PartKind.EDITORS_NOTE and not self._last.text:
                self._last.text = block.text
                self._last.blocks.append(block)
                return
        text = note_text(block.text) if kind is PartKind.EDITORS_NOTE else block.text
        text = without_dash(text) if kind is PartKind.SUBTITLE else text
        label = block.text[: len(block.text) - len(text)] if kind is PartKind.EDITORS_NOTE else ""
        self._append(Part(kind, text, [block], label=label))

    def _kind(self, block: Block) -> PartKind:
        if self._open is not None and self._open is self._last and ends_inside(self._open.text):
            return PartKind.PARAGRAPH
        kind = kind_of(block.text)
        if (
            kind is PartKind.PARAGRAPH
            and (mark := FOOTNOTE_MARK.match(fold(block.text[:8])))
            and self._is_noted(mark[0])
        ):
            return PartKind.FOOTNOTE
        if kind is PartKind.PARAGRAPH and self._is_head:
            if is_subtitle(block.text):
                return PartKind.SUBTITLE
            if is_byline_below_title(block.text):
                return PartKind.BYLINE
            self._is_head = False
        return kind

    def _is_noted(self, mark: str) -> bool:
        """Whether a footnote's mark stands inside an earlier paragraph: then it is no list item."""
        if mark.isdecimal():
            return False
        return any(mark in fold(part.text[1:]) for part in self.parts[-60:] if part.kind is PartKind.PARAGRAPH)

    def _continued(self, block: Block, *, is_page_cut: bool) -> Part | None:
        """The part that a line of running text continues: the last one, or the paragraph it interrupted."""
        last, paragraph = self._last, self._open
        if last is None or (last.kind is PartKind.PARAGRAPH and last is not paragraph):
            return None
        if last is paragraph:
            return last if self._goes_on(last, block, is_page_cut=is_page_cut) else None
        if last.kind in {PartKind.EDITORS_NOTE, PartKind.FOOTNOTE} and not is_finished(last.text):
            return last if last.text and self._goes_on(last, block, is_page_cut=is_page_cut) else None
        if paragraph is not None and not is_finished(paragraph.text):
            # What interrupted it stood at the foot of a page, or between two halves of it.
            return paragraph if self._goes_on(paragraph, block, is_page_cut=True) else None
        if last.kind is PartKind.TABLE or is_page_cut or block.blank_before:
            return None
        return last if is_full(last.blocks[-1], block.text, self._layout) and not is_finished(last.text) else None

    def _goes_on(self, part: Part, block: Block, *, is_page_cut: bool) -> bool:
        crosses = is_page_cut or block.page != part.blocks[-1].page
        return goes_on(part.text, part.blocks, block, self._layout, crosses_page=crosses)

    def _append(self, part: Part) -> None:
        self.parts.append(part)
        self._last = part
        if part.kind is PartKind.PARAGRAPH:
            self._open = None if is_section_shape(part.text) else part
        elif part.kind not in _INTERRUPTIONS:
            self._open = None


def _table_rows(lines: Sequence[Block], at: int) -> int:
    """How many lines from `at` on are rows of one table; 0 when there is none. Two columns need three rows."""
    if kind_of(lines[at].text) is not PartKind.PARAGRAPH:
        return 0
    columns = len(cells_of(lines[at].text))
    if columns < 2:
        return 0
    end = at
    while end < len(lines) and (lines[end].blank_before == 0 or end == at):
        cells = len(cells_of(lines[end].text))
        if cells < 2 or abs(cells - columns) > 1:
            break
        end += 1
    return end - at if end - at >= (2 if columns > 2 else 3) else 0


def _table(lines: Sequence[Block]) -> Part:
    return Part(
        PartKind.TABLE,
        "\n".join(block.text for block in lines),
        list(lines),
        rows=[cells_of(block.text) for block in lines],
    )
