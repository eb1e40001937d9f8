"""Markdown (CommonMark with tables) → blocks. Lines of a paragraph stay lines: in a masthead each says its own."""

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

from mailer.newsroom.readers.content import DocumentContent
from mailer.newsroom.structure.blocks import Block, Inset, is_linkable
from mailer.newsroom.structure.marks import is_marked

_LEFT_EMPHASIS = re.compile(r"\*\*(?=\S)([^*]{1,2000})(?<=\S)\*\*")
_LONGEST_LINE = 20_000
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
        self._label = ""
        self._cells: list[str] | None = None
        self._tables = 0

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
            self._add(line, self._line + at, is_first=at == 0)
        self._end = token.map[1] if token.map else self._end

    def _begin_item(self) -> None:
        number = self._lists[-1]
        self._label = "• " if number is None else f"{number}. "
        if number is not None:
            self._lists[-1] = number + 1

    def _table(self, token: Token) -> None:
        if token.type == "table_open":
            self._tables += 1
        elif token.type == "tr_open":
            self._cells = []
        elif token.type == "tr_close" and self._cells is not None:
            cells = tuple(self._cells)
            self._cells = None
            if any(cells):
                text = "    ".join(filter(None, cells))
                self.blocks.append(Block(text, self._line, joins=False, cells=cells, table=self._tables))
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
                _text(line),
                first + at,
                is_first=at == 0,
                is_bold=_is_bold(line),
                links=_links(line),
                is_soft=at in soft,
            )
            for child in line:
                if child.type == "image":
                    alt = child.content or str(child.attrGet("title") or "image")
                    self.blocks.append(Block(alt, first + at, inset=Inset.PICTURE))
        self._end = token.map[1] if token.map else first + len(lines) - 1

    def _add(
        self,
        text: str,
        line: int,
        *,
        is_first: bool,
        is_bold: bool = False,
        links: tuple[tuple[str, str], ...] = (),
        is_soft: bool = False,
    ) -> None:
        """`is_soft` says that the line goes on with the one above it, as Markdown has it, unless it begins an item."""
        shown = text.strip()
        if not shown:
            return
        self.blocks.append(
            Block(
                self._label + shown,
                line,
                indent=sum(2 if character == "\u3000" else 1 for character in text[: len(text) - len(text.lstrip())]),
                blank_before=max(0, line - self._end - 1) if is_first else 0,
                level=self._level,
                is_bold=is_bold,
                joins=True if is_soft and not is_marked(shown) else None,
                links=links,
            )
        )
        self._label = ""
        self._end = line


def _text(tokens: list[Token]) -> str:
    text = "".join(token.content for token in tokens if token.type in {"text", "code_inline", "html_inline"})
    # CommonMark leaves emphasis that touches Chinese punctuation as it stands: 入夏**，气温**升高.
    return _LEFT_EMPHASIS.sub(r"\1", text) if "**" in text and len(text) < _LONGEST_LINE else text


def _links(tokens: list[Token]) -> tuple[tuple[str, str], ...]:
    """Words of a line that lead somewhere, each with the address."""
    found: list[tuple[str, str]] = []
    start, address = None, ""
    for at, token in enumerate(tokens):
        if token.type == "link_open":
            start, address = at, str(token.attrGet("href") or "")
        elif token.type == "link_close" and start is not None:
            words = _text(tokens[start:at]).strip()
            if words and is_linkable(address):
                found.append((words, address))
            start = None
    return tuple(found)


def _is_bold(tokens: list[Token]) -> bool:
    """Whether all of a line is strong."""
    shown = [token for token in tokens if token.content.strip() or token.nesting]
    return len(shown) > 2 and shown[0].type == "strong_open" and shown[-1].type == "strong_close"
