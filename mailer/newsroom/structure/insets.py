"""Pictures and footnotes go back to where they stood: they were put aside so that no rule takes them for text."""

from collections.abc import Sequence

from mailer.newsroom.structure.articles import Article
from mailer.newsroom.structure.blocks import Block, Inset
from mailer.newsroom.structure.grouping import Part
from mailer.newsroom.structure.lines import PartKind

_KINDS = {Inset.PICTURE: PartKind.PICTURE, Inset.FOOTNOTE: PartKind.FOOTNOTE}


def place_insets(insets: Sequence[Block], articles: Sequence[Article]) -> list[Block]:
    """Adds each inset to its article, behind the part that stands above it. Returns what belongs to no article: what
    the reader says is the page's, and a picture or note above the first one (a masthead's logo).
    """
    left: list[Block] = []
    starts = [_first_line(article) for article in articles]
    for block in insets:
        at = next((number for number in range(len(starts) - 1, -1, -1) if starts[number] <= block.line), None)
        kind = None if block.inset is None else _KINDS.get(block.inset)
        if kind is None or at is None:
            left.append(block)
            continue
        parts = articles[at].parts
        place = next((i + 1 for i in range(len(parts) - 1, -1, -1) if _last_line(parts[i]) <= block.line), 0)
        # Behind what the same line already brought, before what comes later.
        parts.insert(place, Part(kind, block.text, [block]))
    return left


def _first_line(article: Article) -> int:
    blocks = article.title.blocks if article.title else article.parts[0].blocks
    return blocks[0].line


def _last_line(part: Part) -> int:
    return part.blocks[-1].line
