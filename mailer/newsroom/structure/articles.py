"""Titles and parts → articles with section, byline, notes and source in their places."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.grouping import Part
from mailer.newsroom.structure.lines import (
    PartKind,
    is_byline_at_end,
    is_byline_below_title,
    is_subtitle,
    source_value,
    split_named_source,
    split_trailing_source,
    split_writer,
    without_dash,
)
from mailer.newsroom.structure.titles import Title


@dataclass(slots=True)
class SectionMark:
    """The name of a section, standing in the body."""

    name: str
    block: Block


Item = Title | SectionMark | Part


@dataclass(slots=True)
class Article:
    """An article under assembly; `title` is `None` for text above the first title."""

    title: Title | None
    section: str | None
    parts: list[Part] = field(default_factory=list)
    source: str | None = None


def assemble(items: Sequence[Item]) -> list[Article]:
    """Walks through titles, section marks and parts in order."""
    _settle_heads(items)
    articles: list[Article] = []
    section: str | None = None
    waiting: list[Part] = []
    for at, item in enumerate(items):
        if isinstance(item, SectionMark):
            section = item.name
        elif isinstance(item, Title):
            articles.append(Article(item, section, waiting))
            waiting = []
            if item.byline is not None:
                articles[-1].parts.append(Part(PartKind.BYLINE, item.byline, [item.blocks[-1]]))
            if item.subtitle is not None:
                articles[-1].parts.append(Part(PartKind.SUBTITLE, without_dash(item.subtitle.text), [item.subtitle]))
        elif _is_note_for_next(items, at):
            waiting.append(item)
        else:
            if not articles:
                articles.append(Article(None, section))
            articles[-1].parts.append(item)
    if waiting:
        articles.append(Article(None, section, waiting))
    for article in articles:
        _settle_source(article)
        _settle_end(article)
    return articles


def _is_note_for_next(items: Sequence[Item], at: int) -> bool:
    """An editor's note right above a title introduces what follows, unless it is an afterword (编后)."""
    item = items[at]
    if not isinstance(item, Part) or item.kind is not PartKind.EDITORS_NOTE or "后" in item.label or "後" in item.label:
        return False
    return at + 1 < len(items) and not isinstance(items[at + 1], Part)


def _settle_heads(items: Sequence[Item]) -> None:
    """Under a title: a dash makes a subtitle, a bare name a byline, as long as nothing but such lines stood above."""
    is_head = False
    for item in items:
        if isinstance(item, Title):
            is_head = True
        elif not isinstance(item, Part) or not is_head or item.kind is not PartKind.PARAGRAPH:
            continue
        elif is_subtitle(item.text) and len(item.blocks) == 1:
            item.kind, item.text = PartKind.SUBTITLE, without_dash(item.text)
        elif is_byline_below_title(item.text):
            item.kind = PartKind.BYLINE
        else:
            is_head = False


def _settle_end(article: Article) -> None:
    """Who wrote may stand in brackets under the text."""
    last = next((part for part in reversed(article.parts) if part.kind is not PartKind.SOURCE), None)
    if last is not None and last.kind is PartKind.PARAGRAPH and len(last.blocks) == 1 and is_byline_at_end(last.text):
        last.kind = PartKind.BYLINE


def _settle_source(article: Article) -> None:
    """The source is a line of its own, or in brackets at the end of the last paragraph."""
    for part in list(article.parts):
        if part.kind is PartKind.SOURCE:
            value, writer = split_writer(source_value(part.text))
            article.source = article.source or value
            if writer:
                article.parts.insert(0, Part(PartKind.BYLINE, writer, part.blocks))
        elif part.kind is PartKind.BYLINE and (named := split_named_source(part.text)):
            part.text, article.source = named
    last = next((part for part in reversed(article.parts) if part.kind is PartKind.PARAGRAPH), None)
    if last is not None and article.source is None:
        text, source = split_trailing_source(last.text)
        if source is not None:
            last.text, article.source = text, source
            article.parts.append(Part(PartKind.SOURCE, source, [last.blocks[-1]]))
