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
from mailer.newsroom.plain_text import paragraph, subheading, to_plain

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


@dataclass(frozen=True, slots=True)
class Row:
    """A block as a page lists it: its words, its element's name, and whether they may become a title or subheading."""

    text: str
    tag: str
    can_be_title: bool

    @property
    def is_heading(self) -> bool:
        """Whether it is a subheading."""
        return self.tag in _HEADINGS


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


def rows_of(body: str) -> tuple[Row, ...]:
    """The blocks of a body, and what may be done to each."""
    return tuple(_row(block) for block in blocks_of(body))


def _row(block: str) -> Row:
    element = html.fragment_fromstring(block, create_parent="div")[0]
    text, tag = text_of(block), str(element.tag)
    # What mending makes of a block are its words: a table, a list or a picture would lose what it is.
    is_line = (tag == "p" or tag in _HEADINGS) and element.find(".//img") is None
    if not is_line:
        return Row(" ".join(to_plain(block).split()), tag, can_be_title=False)
    return Row(text, tag, can_be_title=0 < len(text) <= _LONGEST_TITLE)


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

    The source goes with the last of the two, where it was printed. Raises `RuleError` for a block that is not there or
    cannot be a title.
    """
    title = _title_of(articles, at, block)
    article, blocks = articles[at], blocks_of(articles[at].body)
    first = replace(article, body="".join(blocks[:block]), source="")
    second = Piece(None, title, article.section, article.source, article.page, "".join(blocks[block + 1 :]))
    return (*articles[:at], first, second, *articles[at + 1 :])


def promote(articles: Sequence[Piece], at: int, block: int) -> tuple[Piece, ...]:
    """A block becomes the title of its article; the title that was there goes above the text as a paragraph.

    Raises `RuleError` as `split` does.
    """
    title = _title_of(articles, at, block)
    article, blocks = articles[at], blocks_of(articles[at].body)
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
    """A paragraph becomes a subheading, a subheading a paragraph. Raises `RuleError` as `split` does."""
    text = _title_of(articles, at, block)
    blocks = list(blocks_of(articles[at].body))
    blocks[block] = paragraph(text) if _row(blocks[block]).is_heading else subheading(text)
    return (*articles[:at], replace(articles[at], body="".join(blocks)), *articles[at + 1 :])


def _title_of(articles: Sequence[Piece], at: int, block: int) -> str:
    """The words of a block as a title."""
    _require(articles, at)
    rows = rows_of(articles[at].body)
    if not 0 <= block < len(rows):
        raise RuleError(N_("That paragraph is not there any more."))
    if not 0 < len(rows[block].text) <= _LONGEST_TITLE:
        raise RuleError(N_("A title has between 1 and %(limit)s characters."), limit=_LONGEST_TITLE)
    if not rows[block].can_be_title:
        raise RuleError(N_("A table, a list or a picture cannot become a title: only its words would be left."))
    return rows[block].text


def _require(articles: Sequence[Piece], at: int) -> None:
    if not 0 <= at < len(articles):
        raise RuleError(N_("That article is not there any more."))
