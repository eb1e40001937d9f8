"""What became of every line of the source: nothing in a document is dropped without being shown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailer.newsroom.structure.articles import Article, Item, SectionMark
from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.lines import PartKind
from mailer.newsroom.structure.regions import Regions


class LineRole(StrEnum):
    """What a line is outside an article's parts, whose roles are `PartKind`s."""

    MASTHEAD = "masthead"
    CONTENTS = "contents"
    SECTION = "section"
    TITLE = "title"
    COLOPHON = "colophon"
    FURNITURE = "furniture"


@dataclass(frozen=True, slots=True)
class TracedLine:
    """A line of the source, what it became, and in which article (index), if in one."""

    line: int
    text: str
    role: LineRole | PartKind
    article: int | None = None


def trace(regions: Regions, items: Sequence[Item], articles: Sequence[Article]) -> tuple[TracedLine, ...]:
    """Every block of the document, in its order."""
    traced = [
        *_all(regions.masthead, LineRole.MASTHEAD),
        *_all(regions.contents, LineRole.CONTENTS),
        *_all(regions.colophon, LineRole.COLOPHON),
        *_all(regions.furniture, LineRole.FURNITURE),
        *_all([item.block for item in items if isinstance(item, SectionMark)], LineRole.SECTION),
    ]
    for number, article in enumerate(articles):
        if article.title is not None:
            traced += _all(article.title.blocks, LineRole.TITLE, number)
        for part in article.parts:
            traced += _all(part.blocks, part.kind, number)
    # A source in brackets at the end of a paragraph shares the paragraph's line.
    return tuple(dict.fromkeys(sorted(traced, key=lambda line: line.line)))


def _all(blocks: Sequence[Block], role: LineRole | PartKind, article: int | None = None) -> Iterator[TracedLine]:
    return (TracedLine(block.line, block.text, role, article) for block in blocks)
