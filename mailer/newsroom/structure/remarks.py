"""What the editor should look at after parsing: every finding that is a guess, a mismatch, or not understood."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailer.i18n import N_
from mailer.newsroom.structure.articles import Article
from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.bulletin import TEXT_KINDS, ParseWarning
from mailer.newsroom.structure.grouping import Part
from mailer.newsroom.structure.lines import PartKind
from mailer.newsroom.structure.listing import Listing
from mailer.newsroom.structure.masthead import Masthead
from mailer.newsroom.structure.matching import normal_form
from mailer.newsroom.structure.titles import Title

_APART = {
    PartKind.SUBTITLE: N_("Kept apart from the text of “%(title)s”, as its subtitle: %(text)s"),
    PartKind.BYLINE: N_("Kept apart from the text of “%(title)s”, as its byline: %(text)s"),
    PartKind.EDITORS_NOTE: N_("Kept apart from the text of “%(title)s”, as its editor's note: %(text)s"),
    PartKind.FOOTNOTE: N_("Kept apart from the text of “%(title)s”, as a footnote: %(text)s"),
    PartKind.CAPTION: N_("Kept apart from the text of “%(title)s”, as a caption: %(text)s"),
    PartKind.TABLE: N_("Kept apart from the text of “%(title)s”, as a table: %(text)s"),
    PartKind.PICTURE: N_("Kept apart from the text of “%(title)s”, as a picture: %(text)s"),
}


# A page with more remarks helps nobody, and a hostile file could make a hundred thousand.
_MOST = 300


@dataclass(frozen=True, slots=True)
class Findings:
    """What the steps of parsing hand over to be remarked on."""

    masthead: Masthead
    listing: Listing
    articles: Sequence[Article]
    unannounced: Sequence[Title]
    subheadings: Sequence[Part]
    furniture: Sequence[Block]


def remarks_on(findings: Findings) -> list[ParseWarning]:
    """All remarks, in the order of the document; those without a line first."""
    remarks = [
        *_on_masthead(findings.masthead),
        *_on_contents(findings),
        *_on_articles(findings),
        *_on_furniture(findings.furniture),
    ]
    remarks.sort(key=lambda remark: remark.line or 0)
    if len(remarks) > _MOST:
        more = N_("More remarks of these kinds, which are not listed: %(count)d.")
        remarks[_MOST:] = [ParseWarning(more, {"count": len(remarks) - _MOST})]
    return remarks


def _on_masthead(masthead: Masthead) -> Iterator[ParseWarning]:
    if masthead.title is None:
        yield ParseWarning(N_("The bulletin's title was not found at its head."))
    if not masthead.number and not masthead.total_number:
        yield ParseWarning(N_("The issue's number was not found at its head."))
    for block in masthead.strays:
        yield ParseWarning(
            N_("Not understood, at the head of the document: %(text)s"), {"text": block.text}, block.line
        )
    for block in masthead.impossible_dates:
        yield ParseWarning(N_("There is no such date in the calendar: %(text)s"), {"text": block.text}, block.line)


def _on_contents(findings: Findings) -> Iterator[ParseWarning]:
    for entry in findings.listing.entries:
        if entry.abstract:
            message = N_("The contents list says of “%(title)s”: %(text)s")
            yield ParseWarning(message, {"title": entry.title, "text": entry.abstract}, entry.lines[-1])
    answered = {id(article.title.entry) for article in findings.articles if article.title}
    for entry in findings.listing.entries:
        if id(entry) not in answered:
            yield ParseWarning(
                N_("The contents list announces “%(title)s”, but no article has that title."),
                {"title": entry.title},
                entry.lines[0],
            )


def _on_articles(findings: Findings) -> Iterator[ParseWarning]:
    unannounced = {id(title) for title in findings.unannounced}
    subheadings = {id(part) for part in findings.subheadings}
    if not any(article.title for article in findings.articles):
        yield ParseWarning(N_("No article's title was found; all of the text stands in one article."))
    for article in findings.articles:
        name = article.title.text if article.title else ""
        if article.title is None:
            first = article.parts[0]
            yield ParseWarning(
                N_("Text above the first title, kept as an article without one: %(text)s"),
                {"text": _short(first.text)},
                first.blocks[0].line,
            )
        else:
            yield from _on_title(article, article.title, is_unannounced=id(article.title) in unannounced)
        for part in article.parts:
            if part.kind in _APART:
                yield ParseWarning(_APART[part.kind], {"title": name, "text": part.text}, part.blocks[0].line)
            elif id(part) in subheadings and findings.listing.entries:
                yield ParseWarning(
                    N_(
                        "“%(text)s” may be a title that the contents list lacks; it is a subheading of “%(title)s” now."
                    ),
                    {"text": part.text, "title": name},
                    part.blocks[0].line,
                )


def _on_title(article: Article, title: Title, *, is_unannounced: bool) -> Iterator[ParseWarning]:
    line = title.blocks[0].line
    if is_unannounced:
        yield ParseWarning(N_("“%(title)s” is an article that the contents list lacks."), {"title": title.text}, line)
    if title.entry is not None and normal_form(title.entry.title) not in _forms(title):
        yield ParseWarning(
            N_("The contents list says “%(contents)s”, the article is headed “%(title)s”; the latter was kept."),
            {"contents": title.entry.title, "title": title.text},
            line,
        )
    if not any(part.kind in TEXT_KINDS for part in article.parts):
        yield ParseWarning(N_("“%(title)s” has no text."), {"title": title.text}, line)


def _forms(title: Title) -> set[str]:
    form = normal_form(title.text)
    return {form, form + normal_form(title.subtitle.text)} if title.subtitle else {form}


def _on_furniture(furniture: Sequence[Block]) -> Iterator[ParseWarning]:
    worded = [block for block in furniture if any(map(str.isalnum, block.text))]
    if worded:
        texts = list(dict.fromkeys(block.text for block in worded))
        shown = " | ".join(texts[:8]) + (" …" if len(texts) > 8 else "")
        yield ParseWarning(
            N_("Left out as running heads and page numbers (lines: %(count)d): %(text)s"),
            {"count": len(worded), "text": shown},
            worded[0].line,
        )


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
