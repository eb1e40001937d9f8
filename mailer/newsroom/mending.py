"""Mending what an import got wrong, with one act each: merge, split, promote, demote, on plain articles.

Pure: articles in, articles out, in order; nothing is ever lost. Bodies are HTML as stored; they are taken apart at
their top level only, so that no act can break what an editor made inside.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree, html

from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsroom.plain_text import paragraph, subheading

_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_LONGEST_TITLE = 300


@dataclass(frozen=True, slots=True)
class Piece:
    """An article as mending sees it; `id` is `None` for one that an act made."""

    id: int | None
    title: str
    section: str = ""
    source: str = ""
    page: int | None = None
    body: str = ""


def blocks_of(body: str) -> tuple[str, ...]:
    """The top-level pieces of a body, each whole: paragraphs, headings, lists, tables. Text between them is one too."""
    if not body.strip():
        return ()
    found = []
    items: Any = html.fragments_fromstring(body)
    # Text before the first element comes as a string.
    for item in items:
        if isinstance(item, str):
            if item.strip():
                found.append(paragraph(item.strip()))
            continue
        tail, item.tail = item.tail, None
        found.append(etree.tostring(item, encoding="unicode", method="html"))
        if tail and tail.strip():
            found.append(paragraph(tail.strip()))
    return tuple(found)


def text_of(block: str) -> str:
    """The words of a block, blanks made single."""
    return " ".join("".join(html.fragment_fromstring(block, create_parent="div").itertext()).split())


def merge(articles: Sequence[Piece], at: int) -> tuple[Piece, ...]:
    """The article at `at` becomes the rest of the one above it; its title stays as a subheading, its source as a line.

    Raises `RuleError` for the first article, which has none above.
    """
    _require(articles, at)
    if at == 0:
        raise RuleError(N_("There is no article above the first one."))
    above, below = articles[at - 1], articles[at]
    if not above.source or above.source == below.source:
        source, rest = above.source or below.source, ""
    else:
        source, rest = above.source, paragraph(below.source) if below.source else ""
    body = above.body + subheading(below.title) + below.body + rest
    whole = replace(above, body=body, source=source)
    return (*articles[: at - 1], whole, *articles[at + 1 :])


def split(articles: Sequence[Piece], at: int, block: int) -> tuple[Piece, ...]:
    """Block `block` (from 0) of an article becomes the title of a new one, which takes everything below it.

    The source goes with the last of the two, where it was printed. Raises `RuleError` for a block that is not there,
    cannot be a title, or would leave the first of the two without title and text.
    """
    _require(articles, at)
    article = articles[at]
    blocks = blocks_of(article.body)
    if not 0 <= block < len(blocks):
        raise RuleError(N_("That paragraph is not there any more."))
    title = text_of(blocks[block])
    if not title or len(title) > _LONGEST_TITLE:
        raise RuleError(N_("A title has between 1 and %(limit)s characters."), limit=_LONGEST_TITLE)
    first = replace(article, body="".join(blocks[:block]), source="")
    second = Piece(None, title, article.section, article.source, article.page, "".join(blocks[block + 1 :]))
    return (*articles[:at], first, second, *articles[at + 1 :])


def promote(articles: Sequence[Piece], at: int, block: int) -> tuple[Piece, ...]:
    """A block becomes the title of its article; the title that was there goes above the text as a paragraph.

    Raises `RuleError` as `split` does.
    """
    _require(articles, at)
    article = articles[at]
    blocks = blocks_of(article.body)
    if not 0 <= block < len(blocks):
        raise RuleError(N_("That paragraph is not there any more."))
    title = text_of(blocks[block])
    if not title or len(title) > _LONGEST_TITLE:
        raise RuleError(N_("A title has between 1 and %(limit)s characters."), limit=_LONGEST_TITLE)
    before = paragraph(article.title) if article.title else ""
    body = before + "".join(blocks[:block]) + "".join(blocks[block + 1 :])
    return (*articles[:at], replace(article, title=title, body=body), *articles[at + 1 :])


def demote(articles: Sequence[Piece], at: int) -> tuple[Piece, ...]:
    """An article that is none: its title and text go on as paragraphs of the one above it; of the first article, above
    the text of the one below.

    Raises `RuleError` for an issue's only article.
    """
    _require(articles, at)
    if len(articles) == 1:
        raise RuleError(N_("An issue's only article has no other to go to."))
    article = articles[at]
    source = paragraph(article.source) if article.source else ""
    text = paragraph(article.title) + article.body + source
    if at == 0:
        below = articles[1]
        return (replace(below, body=text + below.body), *articles[2:])
    above = articles[at - 1]
    return (*articles[: at - 1], replace(above, body=above.body + text), *articles[at + 1 :])


def toggle_heading(articles: Sequence[Piece], at: int, block: int) -> tuple[Piece, ...]:
    """A paragraph becomes a subheading, a subheading a paragraph. Raises `RuleError` for a block that is not there."""
    _require(articles, at)
    blocks = list(blocks_of(articles[at].body))
    if not 0 <= block < len(blocks):
        raise RuleError(N_("That paragraph is not there any more."))
    tag = html.fragment_fromstring(blocks[block], create_parent="div")[0].tag
    text = text_of(blocks[block])
    blocks[block] = paragraph(text) if tag in _HEADINGS else subheading(text)
    return (*articles[:at], replace(articles[at], body="".join(blocks)), *articles[at + 1 :])


def _require(articles: Sequence[Piece], at: int) -> None:
    if not 0 <= at < len(articles):
        raise RuleError(N_("That article is not there any more."))
