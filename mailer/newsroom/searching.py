"""Search over what was sent: the articles of each issue's newest edition, best first, from one index.

`docs/decisions/0090-search-by-pairs-of-characters.md` says why it is built so; `bench/search.py` what it costs.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, cast, func, literal, select
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session, aliased, defer

from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsroom.edition_models import Edition, EditionArticle
from mailer.newsroom.editions import day_of, published
from mailer.newsroom.models import Issue
from mailer.newsroom.search_terms import QUERY_LENGTH, Term, as_tsquery, read_query

PAGE_SIZE = 20
# Whoever has turned this many pages needs another word, and the thousandth row costs more than the first.
PAGES = 50


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that says what was looked for. `body` is its HTML, to take a snippet from."""

    newsletter_id: int
    issue: Issue
    edition: Edition
    article_id: int
    title: str
    section: str
    body: str
    day: dt.date


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of them; `page` counts from 1."""

    terms: tuple[Term, ...]
    hits: tuple[Hit, ...]
    page: int
    has_next: bool


def search(session: Session, typed: str, newsletter_ids: Sequence[int], *, page: int = 1) -> Hits:
    """Articles of these newsletters that say every term of `typed`: titles before bodies, then the newest first.

    `newsletter_ids` are those whose archive the visitor may read: nothing of another one is looked at. No terms, no
    hits. Raises `RuleError` for a query that is too long.
    """
    if len(typed) > QUERY_LENGTH:
        raise RuleError(N_("Please search for fewer words: at most %(count)s characters."), count=QUERY_LENGTH)
    terms = read_query(typed)
    page = min(max(page, 1), PAGES)
    if not terms or not newsletter_ids:
        return Hits(terms, (), page, has_next=False)
    rows = session.execute(_query(terms, newsletter_ids, page)).all()
    hits = tuple(Hit(*row) for row in rows[:PAGE_SIZE])
    return Hits(terms, hits, page, has_next=len(rows) > PAGE_SIZE and page < PAGES)


def _query(
    terms: Sequence[Term], newsletter_ids: Sequence[int], page: int
) -> Select[int, Issue, Edition, int, str, str, str, dt.date]:
    """The rows of one page and one more, which says whether there is a next."""
    ordered = _in_order(terms, newsletter_ids)
    chosen = select(ordered)
    said = [term.text for term in terms if not term.is_exact]
    if said:
        # Row by row in their order, so that only as many texts are read as the page needs.
        article = aliased(EditionArticle)
        says = (
            select(and_(*(func.strpos(article.said, each) > 0 for each in said)).label("it"))
            .where(article.edition_id == ordered.c.edition_id, article.article_id == ordered.c.article_id)
            .offset(0)
            .lateral("says")
        )
        chosen = chosen.join_from(ordered, says, says.c.it)
    shown = chosen.order_by(*_order(ordered)).limit(PAGE_SIZE + 1).offset((page - 1) * PAGE_SIZE).subquery("shown")
    same = and_(EditionArticle.edition_id == shown.c.edition_id, EditionArticle.article_id == shown.c.article_id)
    return (
        select(
            shown.c.newsletter_id, Issue, Edition, EditionArticle.article_id, EditionArticle.title,
            EditionArticle.section, EditionArticle.body, shown.c.day,
        )
        .join_from(shown, EditionArticle, same)
        .join(Issue, Issue.id == shown.c.issue_id)
        .join(Edition, Edition.id == shown.c.edition_id)
        .options(defer(Edition.html), defer(Edition.text))
        .order_by(*_order(shown))
    )  # fmt: skip


def _in_order(terms: Sequence[Term], newsletter_ids: Sequence[int]) -> Subquery:
    """Keys of all that the index finds, the best first."""
    wanted = cast(literal(as_tsquery(terms)), TSQUERY)
    # By itself: PostgreSQL, which cannot know how rare a pair is, would walk through every issue first.
    matched = (
        select(
            EditionArticle.edition_id,
            EditionArticle.article_id,
            EditionArticle.position,
            EditionArticle.title_grams.op("@@")(wanted).label("is_title"),
        )
        .where(func.archive_grams(EditionArticle.said).op("@@")(wanted))
        .cte("matched")
        .prefix_with("MATERIALIZED")
    )
    found = (
        published(newsletter_ids)
        .with_only_columns(Issue.newsletter_id, Issue.id.label("issue_id"), day_of(Issue).label("day"), *matched.c)
        .join(matched, matched.c.edition_id == Edition.id)
        .subquery("found")
    )
    # Offset 0 keeps it from being taken apart again.
    return select(found).order_by(*_order(found)).offset(0).subquery("ordered")


def _order(rows: Subquery) -> tuple[ColumnElement[Any], ...]:
    return (rows.c.is_title.desc(), rows.c.day.desc(), rows.c.issue_id.desc(), rows.c.position, rows.c.article_id)
