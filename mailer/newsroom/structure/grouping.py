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
    is_complete,
    is_subtitle,
    kind_of,
    note_text,
    without_dash,
)
from mailer.newsroom.structure.typography import ends_inside, fold, is_finished, joint

# What may stand between two halves of a paragraph: it belongs to the page, or was set where there was room.
_INTERRUPTIONS = frozenset({PartKind.FOOTNOTE, PartKind.CAPTION, PartKind.TABLE})


_MARKS = frozenset("，。；：、,;:")


@dataclass(slots=True)
class Part:
    """A piece of an article. `rows` are a table's cells; `blocks` the lines it was made of."""

    kind: PartKind
    text: str
    blocks: list[Block] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    label: str = ""


class _Growing:
    """A paragraph to which lines are added; joined once at the end, since a text may have very many lines."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self._pieces = [part.text]

    def add(self, block: Block) -> None:
        last = self._pieces[-1]
        lost, between = joint(last, block.text, has_space=self.part.blocks[-1].has_space_after)
        self._pieces[-1] = last[: len(last) - lost]
        self._pieces.append(between + block.text)
        self.part.blocks.append(block)

    @property
    def context(self) -> str:
        """The text as far as joining asks about it: all of a paragraph of usual length, else its end."""
        return self._pieces[0] if len(self._pieces) == 1 else "".join(self._pieces[-20:])

    def finish(self) -> None:
        # A note's label that nothing follows is kept as it stands.
        self.part.text = "".join(self._pieces) or self.part.label


class Grouper:
    """Builds the parts between two titles, line by line. A paragraph stays open until one begins that does not continue
    it, so that a footnote or a caption at the foot of a page does not cut it.
    """

    def __init__(self, layout: Layout, *, is_below_title: bool) -> None:
        self._layout = layout
        # Until the first paragraph a subtitle or a bare name may stand under the title.
        self._is_head = is_below_title
        self._parts: list[_Growing] = []
        self._open: _Growing | None = None
        # Marks of footnotes met inside paragraphs: a later line that begins with one is the footnote, no list item.
        self._marks: set[str] = set()

    def group(self, lines: Sequence[Block], page_cuts: frozenset[int]) -> list[Part]:
        """The parts of the lines from one title to the next. `page_cuts` are `line`s of blocks that begin a page."""
        at = 0
        while at < len(lines):
            rows = _table_rows(lines, at)
            if rows:
                self._append(_table(lines[at : at + rows]))
            else:
                self._add_line(lines[at], is_page_cut=lines[at].line in page_cuts)
            at += rows or 1
        for growing in self._parts:
            growing.finish()
        return [growing.part for growing in self._parts]

    def _add_line(self, block: Block, *, is_page_cut: bool) -> None:
        if block.joins and self._open is not None and self._open is self._parts[-1]:
            self._open.add(block)
            return
        kind = self._kind(block)
        if kind is PartKind.PARAGRAPH:
            self._marks.update(FOOTNOTE_MARK.findall(fold(block.text), 1))
            target = self._continued(block, is_page_cut=is_page_cut)
            if target is not None:
                target.add(block)
                return
        if kind is PartKind.EDITORS_NOTE:
            text = note_text(block.text)
            label = block.text[: len(block.text) - len(text)]
            self._append(Part(kind, text, [block], label=label))
        else:
            self._append(Part(kind, without_dash(block.text) if kind is PartKind.SUBTITLE else block.text, [block]))

    def _kind(self, block: Block) -> PartKind:
        if self._open is not None and self._open is self._parts[-1] and ends_inside(self._open.context):
            return PartKind.PARAGRAPH
        kind = kind_of(block.text)
        if kind is not PartKind.PARAGRAPH:
            return kind
        mark = FOOTNOTE_MARK.match(fold(block.text[:8]))
        is_reference = bool(self._parts) and self._parts[-1].part.kind is PartKind.FOOTNOTE
        if mark and (mark[0] in self._marks or is_reference):
            return PartKind.FOOTNOTE
        if self._is_head and is_subtitle(block.text):
            return PartKind.SUBTITLE
        if self._is_head and is_byline_below_title(block.text):
            return PartKind.BYLINE
        self._is_head = False
        return kind

    def _continued(self, block: Block, *, is_page_cut: bool) -> _Growing | None:
        """The part that a line of running text continues: the last one, or the paragraph it interrupted."""
        if not self._parts:
            return None
        last, paragraph = self._parts[-1], self._open
        kind = last.part.kind
        if kind is PartKind.PARAGRAPH and last is not paragraph:
            return None
        if last is paragraph:
            return last if self._goes_on(last, block, is_page_cut=is_page_cut) else None
        if kind is PartKind.EDITORS_NOTE and not last.context:
            return last
        if kind in {PartKind.EDITORS_NOTE, PartKind.FOOTNOTE} and not is_finished(last.context):
            return last if self._goes_on(last, block, is_page_cut=is_page_cut) else None
        if paragraph is not None and not is_finished(paragraph.context):
            # What interrupted it stood at the foot of a page, or between two halves of it.
            return paragraph if self._goes_on(paragraph, block, is_page_cut=True) else None
        if kind is PartKind.TABLE or is_page_cut or block.blank_before or is_finished(last.context):
            return None
        return last if is_full(last.part.blocks[-1], block.text, self._layout) else None

    def _goes_on(self, growing: _Growing, block: Block, *, is_page_cut: bool) -> bool:
        if block.joins is not None:
            return block.joins
        lines = growing.part.blocks
        crosses = is_page_cut or block.page != lines[-1].page
        return goes_on(growing.context, lines, block, self._layout, crosses_page=crosses)

    def _append(self, part: Part) -> None:
        self._parts.append(_Growing(part))
        if part.kind is PartKind.PARAGRAPH:
            self._open = None if is_complete(part.text) else self._parts[-1]
        elif part.kind not in _INTERRUPTIONS:
            self._open = None


def _table_rows(lines: Sequence[Block], at: int) -> int:
    """How many lines from `at` on are rows of one table; 0 when there is none. Two columns need three rows."""
    if (table := lines[at].table) is not None:
        return next((end for end in range(at, len(lines)) if lines[end].table != table), len(lines)) - at
    if kind_of(lines[at].text) is not PartKind.PARAGRAPH:
        return 0
    columns = len(cells_of(lines[at].text))
    end = at
    if columns < 2:
        # The cells of a head may stand too close for wide space, where those below it do not.
        columns = len(lines[at].text.split()) if lines[at].is_short else 0
        if columns < 3 or at + 1 == len(lines) or _MARKS & set(lines[at].text):
            return 0
        if columns != len(cells_of(lines[at + 1].text)):
            return 0
        end = at + 1
    while end < len(lines):
        cells = len(cells_of(lines[end].text))
        # Rows with space between them, as Word's paragraphs in cells have it, must be of as many cells.
        is_apart = end > at and lines[end].blank_before > 0
        if cells < 2 or abs(cells - columns) > 1 or (is_apart and not _is_row_apart(lines[end], cells, columns)):
            break
        end += 1
    return end - at if end - at >= (2 if columns > 2 else 3) else 0


def _is_row_apart(block: Block, cells: int, columns: int) -> bool:
    return block.blank_before == 1 and cells == columns > 2


def _table(lines: Sequence[Block]) -> Part:
    return Part(
        PartKind.TABLE,
        "\n".join(block.text for block in lines),
        list(lines),
        rows=[_row_of(block, lines[-1]) for block in lines],
    )


def _row_of(block: Block, last: Block) -> list[str]:
    """The cells of a row; of one whose words are its cells, where the last row has as many."""
    cells = list(block.cells) or cells_of(block.text)
    words = block.text.split()
    return words if len(cells) == 1 and len(words) == len(cells_of(last.text)) else cells
