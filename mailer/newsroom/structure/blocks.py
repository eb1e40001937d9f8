"""What every reader hands to the structure: blocks of text in reading order, with whatever hints their format has.

A plain-text line is a block, so is a paragraph of a word-processor file or a line of a PDF page. Structure code never
asks which format it came from; it asks for hints, and a format without a hint leaves it at its default.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from mailer.newsroom.structure.spans import ListItem, Span

_HEADING = re.compile(r"(#{1,6})[ \t]+(?=\S)")
_BOLD = re.compile(r"(\*\*|__)(?=\S)([^*_]+)(?<=\S)\1")
_QUOTE = re.compile(r"[ \t]*(?:> ?)+")
_MAIL_HEADER = re.compile(
    r"(from|to|cc|subject|date|sent|reply-to|发件人|收件人|抄送|主题|日期|时间|发送时间|"
    r"寄件者|收件者|副本|主旨) ?[:：]",
    re.IGNORECASE,
)
_SENDERS = frozenset({"from", "发件人", "寄件者"})
_MOST_HEADERS = 12
_INDENT_WIDTH = {"\u3000": 2, "\t": 4}


class Inset(StrEnum):
    """What a format itself sets apart from the running text."""

    FOOTNOTE = "footnote"
    PICTURE = "picture"
    FURNITURE = "furniture"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the document as it was found: not judged, not re-encoded. `alt` is what the document says of it."""

    content: bytes
    media_type: str
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """One line or paragraph, stripped; `text` is never empty, a picture's is its description in brackets.

    `line` is its place in the source, from 1 (a line of a text file, a paragraph elsewhere); `page` counts from 1 as
    far as the source tells; `indent` and `size` are columns and points; `level` is a heading style's depth, from 1;
    `blank_before` is the number of empty lines above; `picture` is an index into the document's pictures.
    """

    text: str
    line: int
    page: int = 1
    indent: int = 0
    blank_before: int = 0
    level: int | None = None
    size: float | None = None
    is_bold: bool = False
    # Whether a single space stood at its end: between a digit and an ideograph it is the author's, also at a line end.
    has_space_after: bool = False
    is_centred: bool = False
    # Whether it goes on from the block above, where format or geometry say so; `None` asks the text.
    joins: bool | None = None
    # Of a contents list that the format itself marks as one: a table-of-contents field or style.
    is_listed: bool = False
    # A row of a table: its cells, and the number of the table in the document. `text` has the cells wide apart.
    cells: tuple[str, ...] = ()
    table: int | None = None
    # Whether that row names the columns.
    is_head: bool = False
    # What stands beside the text and is no part of its flow.
    inset: Inset | None = None
    picture: int | None = None
    # What is set off inside it, in its order.
    spans: tuple[Span, ...] = ()
    # Of a list that the format itself marks as one; `text` begins with its label.
    item: ListItem | None = None
    # The mark that a note has in the text, where the format counts its notes.
    note: str = ""

    @property
    def is_short(self) -> bool:
        """Whether it may be anything but running text; pattern matching looks at short blocks only."""
        return len(self.text) <= 200


def blocks_of_text(text: str) -> list[Block]:
    """Lines of plain text, with form feeds as page breaks and Markdown's headings and bold as hints."""
    blocks: list[Block] = []
    page, blanks = 1, 0
    for number, line in enumerate(_unquoted(text.split("\n")), start=1):
        for position, piece in enumerate(line.split("\f")):
            page += position > 0
            stripped = piece.strip()
            if stripped:
                blocks.append(_block(piece, stripped, number, page, blanks))
                blanks = 0
            elif position == 0:
                blanks += 1
    return _with_mail_head_aside(blocks)


def _with_mail_head_aside(blocks: list[Block]) -> list[Block]:
    """The same blocks; what a mail program wrote above the text of a mail is no part of it."""
    end = 0
    while end < min(len(blocks), _MOST_HEADERS) and (
        _MAIL_HEADER.match(blocks[end].text) or (end and blocks[end].indent and not blocks[end].blank_before)
    ):
        end += 1
    names = {match[1].lower() for block in blocks[:end] if (match := _MAIL_HEADER.match(block.text))}
    if not names & _SENDERS or len(names) < 3 or end == len(blocks):
        return blocks
    return [replace(block, inset=Inset.FURNITURE) for block in blocks[:end]] + blocks[end:]


def _unquoted(lines: list[str]) -> list[str]:
    """The same lines without the marks of a mail that quotes them all: "> 本期目录"."""
    filled = [line for line in lines if line.strip()]
    quoted = sum(line.lstrip().startswith(">") for line in filled)
    if len(filled) < 4 or quoted * 10 < len(filled) * 9:
        return lines
    return [_QUOTE.sub("", line) for line in lines]


def _block(piece: str, stripped: str, line: int, page: int, blanks: int) -> Block:
    leading = piece[: len(piece) - len(piece.lstrip())]
    indent = sum(_INDENT_WIDTH.get(character, 1) for character in leading)
    level, is_bold = None, False
    if len(stripped) <= 200:
        if heading := _HEADING.match(stripped):
            level, stripped = len(heading[1]), stripped[heading.end() :].strip("# \t") or stripped
        is_bold = _BOLD.fullmatch(stripped) is not None
        stripped = _BOLD.sub(r"\2", stripped)
    has_space = piece[-1:] == " " and piece[-2:-1] != " "
    return Block(stripped, line, page, indent, blanks, level=level, is_bold=is_bold, has_space_after=has_space)
