"""Markdown (CommonMark with tables) → blocks. Lines of a paragraph stay lines: in a masthead each says its own."""

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

from mailer.newsroom.readers.content import DocumentContent
from mailer.newsroom.structure.blocks import Block, Inset
from mailer.newsroom.structure.marks import is_marked
from mailer.newsroom.structure.spans import PLAIN, ListItem, Mark, Run, Span, lines_of

_LEFT_EMPHASIS = re.compile(r"\*\*(?=\S)([^*]{1,2000})(?<=\S)\*\*")
_LONGEST_LINE = 20_000
_STRONG, _SIGN = 1, 2
_MARKS = {"strong": Mark.STRONG, "em": Mark.EMPHASIS, "s": Mark.STRUCK}
_BREAKS = frozenset(("softbreak", "hardbreak"))


def read_markdown(text: str, encoding: str) -> DocumentContent:
    """The blocks of a Markdown text. HTML in it is text like any other; pictures are told by their description."""
    reading = _Reading()
    for token in MarkdownIt("commonmark", {"html": False}).enable("table").parse(text):
        reading.take(token)
    return DocumentContent(reading.blocks, encoding)


class _Reading:
    """Takes the parser's tokens one after the other."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._level: int | None = None
        self._line, self._end = 0, 0
        self._lists: list[int | None] = []
        self._item: ListItem | None = None
        self._cells: list[str] | None = None
        self._tables = 0
        self._is_head = False

    def take(self, token: Token) -> None:
        """One token; nesting is known from those that open and close."""
        if token.map is not None:
            self._line = token.map[0] + 1
        if token.type in {"heading_open", "heading_close"}:
            self._level = int(token.tag[1]) if token.nesting > 0 else None
        elif token.type == "inline":
            self._inline(token)
        elif token.type in {"fence", "code_block", "hr"}:
            self._block(token)
        elif "list" in token.type:
            self._list(token)
        else:
            self._table(token)

    def _list(self, token: Token) -> None:
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            start = token.attrGet("start")
            self._lists.append((int(start) if start is not None else 1) if "ordered" in token.type else None)
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            self._lists.pop()
        elif token.type == "list_item_open":
            self._begin_item()

    def _block(self, token: Token) -> None:
        """Text that is set as it stands, and rules."""
        for at, line in enumerate(["————"] if token.type == "hr" else token.content.split("\n")):
            self._add([Run(line)], self._line + at, is_first=at == 0)
        self._end = token.map[1] if token.map else self._end

    def _begin_item(self) -> None:
        number = self._lists[-1]
        depth = len(self._lists) - 1
        self._item = ListItem(depth, number, "• " if number is None else f"{number}. ")
        if number is not None:
            self._lists[-1] = number + 1

    def _table(self, token: Token) -> None:
        if token.type == "table_open":
            self._tables += 1
            # Markdown has no table without one.
            self._is_head = True
        elif token.type == "tr_open":
            self._cells = []
        elif token.type == "tr_close" and self._cells is not None:
            cells = tuple(self._cells)
            self._cells = None
            if any(cells):
                text = "    ".join(filter(None, cells))
                self.blocks.append(
                    Block(text, self._line, joins=False, cells=cells, table=self._tables, is_head=self._is_head)
                )
                self._is_head = False
                self._end = self._line

    def _inline(self, token: Token) -> None:
        lines: list[list[Token]] = [[]]
        soft = set()
        for child in token.children or ():
            if child.type in _BREAKS:
                if child.type == "softbreak" and not _is_bold(lines[-1]):
                    soft.add(len(lines))
                lines.append([])
            else:
                lines[-1].append(child)
        if self._cells is not None:
            self._cells.append(" ".join(" ".join(_text(line) for line in lines).split()))
            return
        first = self._line
        for at, line in enumerate(lines):
            self._add(
                _runs(line),
                first + at,
                is_first=at == 0,
                is_bold=_is_bold(line),
                is_soft=at in soft,
            )
            for child in line:
                if child.type == "image":
                    alt = child.content or str(child.attrGet("title") or "image")
                    self.blocks.append(Block(alt, first + at, inset=Inset.PICTURE))
        self._end = token.map[1] if token.map else first + len(lines) - 1

    def _add(
        self,
        runs: list[Run],
        line: int,
        *,
        is_first: bool,
        is_bold: bool = False,
        is_soft: bool = False,
    ) -> None:
        """`is_soft` says that the line goes on with the one above it, as Markdown has it, unless it begins an item."""
        spans: tuple[Span, ...]
        text, spans = next(iter(lines_of(runs)), ("", ()))
        shown = text.strip()
        if not shown:
            return
        item, self._item = self._item, None
        self.blocks.append(
            Block(
                (item.label if item else "") + shown,
                line,
                indent=sum(2 if character == "\u3000" else 1 for character in text[: len(text) - len(text.lstrip())]),
                blank_before=max(0, line - self._end - 1) if is_first else 0,
                level=self._level,
                is_bold=is_bold,
                joins=True if is_soft and not is_marked(shown) else None,
                spans=spans,
                item=item,
            )
        )
        self._end = line


def _text(tokens: list[Token]) -> str:
    return "".join(run.text for run in _runs(tokens))


def _runs(tokens: list[Token]) -> list[Run]:
    """The text of a line, and what is set off in it."""
    found: list[Run] = []
    marks, address = PLAIN, ""
    for token in tokens:
        kind, _, side = token.type.rpartition("_")
        if token.type == "link_open":
            address = str(token.attrGet("href") or "")
        elif token.type == "link_close":
            address = ""
        elif kind in _MARKS:
            marks = marks | {_MARKS[kind]} if side == "open" else marks - {_MARKS[kind]}
        elif token.type in {"text", "code_inline", "html_inline"}:
            found.append(Run(token.content, marks, address))
    return _with_left_emphasis(found)


def _with_left_emphasis(runs: list[Run]) -> list[Run]:
    """CommonMark leaves emphasis that touches Chinese punctuation as it stands: 入夏**，气温**升高."""
    text = "".join(run.text for run in runs)
    if "**" not in text or len(text) > _LONGEST_LINE:
        return runs
    told = bytearray(len(text))
    for match in _LEFT_EMPHASIS.finditer(text):
        (start, end), (inner, outer) = match.span(), match.span(1)
        told[start:end] = bytes([_SIGN]) * (end - start)
        told[inner:outer] = bytes([_STRONG]) * (outer - inner)
    found: list[Run] = []
    at = 0
    for run in runs:
        for character in run.text:
            if told[at] != _SIGN:
                marks = run.marks | {Mark.STRONG} if told[at] == _STRONG else run.marks
                found.append(run._replace(text=character, marks=marks))
            at += 1
    return found


def _is_bold(tokens: list[Token]) -> bool:
    """Whether all of a line is strong."""
    shown = [token for token in tokens if token.content.strip() or token.nesting]
    return len(shown) > 2 and shown[0].type == "strong_open" and shown[-1].type == "strong_close"
