"""Mending what an import got wrong, with one act each: merge, split, promote, demote, dissolve, on plain articles.

Pure: articles in, articles out, in order; nothing is ever lost. Bodies are HTML as stored; they are taken apart at
their top level only, so that no act can break what an editor made inside.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree, html

from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsroom.plain_text import paragraph, subheading, to_plain

_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_LISTS = frozenset(("ul", "ol"))
_LONGEST_TITLE = 300
# What stands by itself inside an item of a list.
_APART = frozenset(("p", "table", "blockquote", "h3", "hr"))
_NOT_THERE = N_("That paragraph is not there any more.")
# A title in brackets at the head of its paragraph, and what heads one too long for a title: its first clause.
_BRACKETED = re.compile(r"\s*【([^【】]{2,80})】\s*(?=\S)")
_CLAUSE = re.compile(r"\s*([^。！？：；!?:;]{2,80})[。！？：；!?:;]\s*(?=\S)")
_OPENING = 30


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
    """A block as a page lists it: its words, its element's name, whether all of them may become a title or subheading,
    and the title it gives: those words or, where it holds more than a title, its head. Empty where it can give none.
    """

    text: str
    tag: str
    can_be_title: bool
    title: str

    @property
    def is_heading(self) -> bool:
        """Whether it is a subheading."""
        return self.tag in _HEADINGS

    @property
    def is_list(self) -> bool:
        """Whether it is a list, whose items may become paragraphs."""
        return self.tag in _LISTS


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
        return Row(" ".join(to_plain(block).split()), tag, can_be_title=False, title="")
    can_be_title = 0 < len(text) <= _LONGEST_TITLE
    head = _head_in(text, can_be_title=can_be_title)
    if head:
        return Row(text, tag, can_be_title, title=head[1])
    # No clause says where a title would end: the opening words stand for one until the editor writes it.
    return Row(text, tag, can_be_title, title=text if can_be_title or not text else text[:_OPENING].rstrip() + "…")


def _head_in(words: str, *, can_be_title: bool) -> re.Match[str] | None:
    """What heads a block that holds more than a title, up to where its text begins."""
    return _BRACKETED.match(words) or (None if can_be_title else _CLAUSE.match(words))


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
    """A new article begins at block `block` (from 0) and takes everything below it; the block gives the title.

    A line is the title. Of a paragraph with 【a title】 at its head, or one too long for a title, the head is, and the
    rest its first paragraph. The source goes with the last of the two, where it was printed. Raises `RuleError` for a
    block that is not there or cannot give a title.
    """
    title, rest = _head_of(articles, at, block)
    article, blocks = articles[at], blocks_of(articles[at].body)
    first = replace(article, body="".join(blocks[:block]), source="")
    second = Piece(None, title, article.section, article.source, article.page, rest + "".join(blocks[block + 1 :]))
    return (*articles[:at], first, second, *articles[at + 1 :])


def promote(articles: Sequence[Piece], at: int, block: int) -> tuple[Piece, ...]:
    """A block, or its head as in `split`, becomes the title of its article; the title that was there goes above the
    text as a paragraph.

    Raises `RuleError` as `split` does.
    """
    title, rest = _head_of(articles, at, block)
    article, blocks = articles[at], blocks_of(articles[at].body)
    before = paragraph(article.title) if article.title else ""
    body = before + "".join(blocks[:block]) + rest + "".join(blocks[block + 1 :])
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
    """A paragraph becomes a subheading, a subheading a paragraph. Raises `RuleError` as `split` does, and for a
    paragraph too long for one.
    """
    text = _line_of(articles, at, block)
    blocks = list(blocks_of(articles[at].body))
    blocks[block] = paragraph(text) if _row(blocks[block]).is_heading else subheading(text)
    return (*articles[:at], replace(articles[at], body="".join(blocks)), *articles[at + 1 :])


def dissolve(articles: Sequence[Piece], at: int, block: int) -> tuple[Piece, ...]:
    """The items of a list become paragraphs that begin with their number or a bullet. Raises `RuleError` for a block
    that is not there or is no list.
    """
    _require(articles, at)
    blocks = list(blocks_of(articles[at].body))
    if not 0 <= block < len(blocks):
        raise RuleError(_NOT_THERE)
    element = html.fragment_fromstring(blocks[block], create_parent="div")[0]
    if element.tag not in _LISTS:
        raise RuleError(N_("That is no list."))
    blocks[block] = "".join(_lines_of(element))
    return (*articles[:at], replace(articles[at], body="".join(blocks)), *articles[at + 1 :])


def _lines_of(element: Any) -> Iterator[str]:
    """The items of a list, each before those of the lists in it."""
    start = element.get("start", "1")
    number = int(start) if start.isdecimal() else 1
    for item in element.iterchildren("li"):
        within = [child for child in item if child.tag in _LISTS]
        for child in within:
            item.remove(child)
        blocks = list(item)
        if not any(child.tag in _APART for child in blocks):
            item.tag = "p"
            blocks = [item]
        elif blocks[0].tag != "p" or (item.text or "").strip():
            first = etree.Element("p")
            first.text = item.text
            blocks.insert(0, first)
        blocks[0].text = (f"{number}. " if element.tag == "ol" else "• ") + (blocks[0].text or "").lstrip()
        number += 1
        yield from (etree.tostring(child, encoding="unicode", method="html").strip() for child in blocks)
        for child in within:
            yield from _lines_of(child)


def _line_of(articles: Sequence[Piece], at: int, block: int) -> str:
    """All words of a block, as a title."""
    row = _row_at(articles, at, block)
    if not row.can_be_title:
        raise RuleError(N_("A title has between 1 and %(limit)s characters."), limit=_LONGEST_TITLE)
    return row.text


def _head_of(articles: Sequence[Piece], at: int, block: int) -> tuple[str, str]:
    """The title that a block gives, and what is left of the block."""
    row = _row_at(articles, at, block)
    whole = blocks_of(articles[at].body)[block]
    element = html.fragment_fromstring(whole, create_parent="div")[0]
    words = "".join(element.itertext())
    head = _head_in(words, can_be_title=row.can_be_title)
    if head:
        _cut(element, head.end())
        return row.title, etree.tostring(element, encoding="unicode", method="html")
    # Only a title that says all of it may take its place.
    return row.title, "" if row.title == row.text else whole


def _cut(element: Any, length: int) -> int:
    """Takes the first `length` characters from an element's text, and says how many are still to be taken behind it;
    the markup stays around what is left, and goes where nothing is.
    """
    text = element.text or ""
    element.text, length = text[length:], max(0, length - len(text))
    for child in list(element):
        if not length:
            break
        length = _cut(child, length)
        tail = child.tail or ""
        child.tail, length = tail[length:], max(0, length - len(tail))
        if not len(child) and not child.text:
            child.drop_tree()
    return length


def _row_at(articles: Sequence[Piece], at: int, block: int) -> Row:
    """A block that can give a title."""
    _require(articles, at)
    rows = rows_of(articles[at].body)
    if not 0 <= block < len(rows):
        raise RuleError(_NOT_THERE)
    if not rows[block].text:
        raise RuleError(N_("A title has between 1 and %(limit)s characters."), limit=_LONGEST_TITLE)
    if not rows[block].title:
        raise RuleError(N_("A table, a list or a picture cannot become a title: only its words would be left."))
    return rows[block]


def _require(articles: Sequence[Piece], at: int) -> None:
    if not 0 <= at < len(articles):
        raise RuleError(N_("That article is not there any more."))
