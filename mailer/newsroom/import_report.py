"""What became of every line of an issue's documents: noted when they are imported, and held against the issue as it
stands now, so that nothing in a document is dropped without being shown.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate, chain
from typing import Any

from mailer.i18n import N_
from mailer.newsroom.mending import blocks_of, text_of
from mailer.newsroom.models import Article, ImportReport
from mailer.newsroom.readers.several import FROM_HERE
from mailer.newsroom.structure.bulletin import ParsedBulletin
from mailer.newsroom.structure.lines import PartKind
from mailer.newsroom.structure.matching import SAME, normal_form, similarity
from mailer.newsroom.structure.tracing import LineRole

# The parser's own sentence about such a line.
UNCLEAR = N_("Not understood, at the head of the document: %(text)s")
_IN_FIELDS = frozenset({LineRole.MASTHEAD, LineRole.COLOPHON})
# Of a line that was taken apart (a source and an author in one bracket; a label, an ordinal before a title) so much has
# to be in its article, in pieces of so many letters at least.
_COVERED = 0.65
_SHORTEST = 4


class Standing(StrEnum):
    """Where a line of the source is now."""

    FIELD = "field"
    LIST = "list"
    ARTICLE = "article"
    SECTION = "section"
    LEFT_OUT = "left_out"
    UNCLEAR = "unclear"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of the source, what the import took it for, and where its words are now: in an article, and there in a
    block of its body (from 0), or in its title (`None`).
    """

    number: int
    text: str
    role: str
    standing: Standing
    article_id: int | None = None
    block: int | None = None


@dataclass(frozen=True, slots=True)
class EntryCheck:
    """An entry of the contents list, and the article that it announces, if there is one."""

    title: str
    page: int | None
    line: int | None
    article: Article | None


@dataclass(frozen=True, slots=True)
class Look:
    """The report as it is shown. `files` are names by the line they begin at; `unannounced` articles that the contents
    list lacks, empty where there is no list.
    """

    lines: tuple[SourceLine, ...]
    entries: tuple[EntryCheck, ...]
    unannounced: tuple[Article, ...]
    files: Mapping[int, str]
    at: Mapping[int, SourceLine] = field(default_factory=dict)

    def standing(self, *wanted: Standing) -> list[SourceLine]:
        """The lines that stand so, if they hold a letter or a digit: rules and ornaments say nothing."""
        return [line for line in self.lines if line.standing in wanted and any(map(str.isalnum, line.text))]


def note(bulletin: ParsedBulletin, article_ids: Sequence[int | None]) -> dict[str, Any]:
    """The columns of an `ImportReport` but the issue's; `article_ids` are those of `bulletin.articles`."""
    unclear = {warning.line for warning in bulletin.warnings if warning.message == UNCLEAR}
    lines: dict[tuple[int, str], list[Any]] = {}
    # A source in brackets shares its paragraph's line, and is shown with it.
    for line in sorted(bulletin.lines, key=lambda line: line.role is PartKind.SOURCE):
        article = None if line.article is None else article_ids[line.article]
        doubt = "unclear" if line.line in unclear and line.role is LineRole.MASTHEAD else ""
        lines.setdefault((line.line, line.text), [line.line, line.text, line.role, article, doubt])
    return {
        "lines": sorted(lines.values(), key=lambda values: values[0]),
        "entries": list(_entries(bulletin, article_ids)),
        "files": [
            [warning.line, warning.params["name"]] for warning in bulletin.warnings if warning.message == FROM_HERE
        ],
        "acts": [],
    }


def _entries(bulletin: ParsedBulletin, article_ids: Sequence[int | None]) -> Iterator[dict[str, Any]]:
    waiting = list(enumerate(bulletin.articles))
    for entry in bulletin.contents:
        answer = next((pair for pair in waiting if pair[1].contents_title == entry.title), None)
        if answer is not None:
            waiting.remove(answer)
        yield {
            "title": entry.title,
            "page": entry.page,
            "line": entry.lines[0] if entry.lines else None,
            "article": None if answer is None else article_ids[answer[0]],
        }


def look(report: ImportReport, articles: Sequence[Article]) -> Look:
    """The report held against `articles` as they are now."""
    said = {article.id: _Said(article) for article in articles}
    lines = tuple(_line(values, said) for values in report.lines)
    entries = _answered(report.entries, articles)
    announced = {check.article.id for check in entries if check.article is not None}
    at: dict[int, SourceLine] = {}
    for line in lines:
        at.setdefault(line.number, line)
    return Look(
        lines,
        entries,
        tuple(article for article in articles if article.id not in announced) if entries else (),
        dict(report.files),
        at,
    )


class _Said:
    """An article's words in their normal form, and where each of its blocks begins in them."""

    def __init__(self, article: Article) -> None:
        self.id = article.id
        self.title, self.source, self.section = map(normal_form, (article.title, article.source, article.section))
        forms = [normal_form(text_of(block)) for block in blocks_of(article.body)]
        self.text = "".join(forms)
        self.whole = f"{self.title}\n{self.section}\n{self.source}\n{self.text}"
        self.has_picture = "<img" in article.body
        self._starts = list(accumulate(map(len, forms), initial=0))

    def find(self, form: str) -> int | None:
        """The block in which the words `form` begin; `None` where the article does not have them."""
        place = self.text.find(form)
        return None if place < 0 else max(0, bisect_right(self._starts, place) - 1)

    def cover(self, form: str) -> tuple[int, str]:
        """How many letters of `form` the article says somewhere, in pieces that are no accident, and the longest."""
        covered, longest, at = 0, "", 0
        while at < len(form):
            end = at + _SHORTEST
            while end <= len(form) and form[at:end] in self.whole:
                end += 1
            piece = form[at : end - 1] if end > at + _SHORTEST else ""
            covered += len(piece)
            longest = max(longest, piece, key=len)
            at += len(piece) or 1
        return covered, longest

    def is_titled(self, form: str) -> bool:
        """Whether `form` is a line of the title, or the title with more."""
        return bool(self.title and form) and (form in self.title or self.title in form)


def _line(values: Sequence[Any], said: Mapping[int, _Said]) -> SourceLine:
    number, text, role, expected, doubt = values
    if role == LineRole.FURNITURE:
        return SourceLine(number, text, role, Standing.LEFT_OUT)
    if role in _IN_FIELDS:
        return SourceLine(number, text, role, Standing.UNCLEAR if doubt else Standing.FIELD)
    if role == LineRole.CONTENTS:
        return SourceLine(number, text, role, Standing.LIST)
    form = normal_form(text)
    if role == LineRole.SECTION and any(one.section and one.section in form for one in said.values()):
        return SourceLine(number, text, role, Standing.SECTION)
    # Where it was put first, then anywhere: articles are merged and split. Whole before in pieces.
    own = said.get(expected)
    order = ([own] if own else []) + [one for one in said.values() if one is not own]
    places = chain(
        ((one, _place(form, role, one, is_own=one is own)) for one in order),
        ((one, _place_in_pieces(form, one)) for one in order),
    )
    for one, place in places:
        if place is not _NOWHERE:
            return SourceLine(number, text, role, Standing.ARTICLE, one.id, place)
    return SourceLine(number, text, role, Standing.GONE)


# Not `None`, which is the title.
_NOWHERE = -1


def _place(form: str, role: str, one: _Said, *, is_own: bool) -> int | None:
    """The block of article `one` where a line's words are, `None` for its title, `_NOWHERE`."""
    if not form:  # an ornament
        return None if is_own else _NOWHERE
    # A paragraph that was made a title says the same; of a title of several lines, each says a part.
    if form == one.title or (role == LineRole.TITLE and one.is_titled(form)):
        return None
    if role == PartKind.PICTURE and is_own and one.has_picture:
        return None
    if role == PartKind.SOURCE and one.source and (one.source in form or form in one.source):
        return None
    if not is_own and len(form) < _SHORTEST:
        return _NOWHERE
    block = one.find(form)
    return _NOWHERE if block is None else block


def _place_in_pieces(form: str, one: _Said) -> int | None:
    """The same for a line that the parser took apart: where the longest piece of it is."""
    covered, longest = one.cover(form)
    if not longest or covered < _COVERED * len(form):
        return _NOWHERE
    return one.find(longest)


def _answered(entries: Sequence[Mapping[str, Any]], articles: Sequence[Article]) -> tuple[EntryCheck, ...]:
    """Which article each entry announces: of the same title, else the one that was found at the import, else one that
    is called much alike. An article answers once.
    """
    free = {article.id: article for article in articles}
    forms = {article.id: normal_form(article.title) for article in articles}
    answers: dict[int, Article] = {}

    def take(at: int, article_id: int | None) -> None:
        if article_id in free and at not in answers:
            answers[at] = free.pop(article_id)

    wanted = [normal_form(entry["title"]) for entry in entries]
    for at, form in enumerate(wanted):
        take(at, next((key for key in free if forms[key] == form), None))
    for at, entry in enumerate(entries):
        take(at, entry["article"])
    for at, form in enumerate(wanted):
        take(at, next((key for key in free if similarity(forms[key], form) >= SAME), None))
    return tuple(
        EntryCheck(entry["title"], entry["page"], entry["line"], answers.get(at)) for at, entry in enumerate(entries)
    )
