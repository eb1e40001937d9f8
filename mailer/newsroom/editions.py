"""Editions as others find them: by id for sending; for the archive the one of each issue that it shows."""

import datetime as dt
import re
from collections.abc import Sequence
from html import escape

from sqlalchemy import ColumnElement, Integer, Select, cast, extract, func, select, tuple_
from sqlalchemy.orm import Session, defer

from mailer import links
from mailer.db import now
from mailer.errors import GoneError, LinkError, NotFoundError, RuleError
from mailer.i18n import N_
from mailer.newsletters.models import Newsletter
from mailer.newsroom.edition_models import Edition, EditionArticle
from mailer.newsroom.house import get_house_rules
from mailer.newsroom.models import Issue
from mailer.newsroom.rules import IssueState, expires_at
from mailer.press.slots import READER_SLOT

MISSING = N_("There is no such issue.")


def get_edition(session: Session, edition_id: int) -> Edition:
    """Raises `NotFoundError`."""
    edition = session.get(Edition, edition_id)
    if edition is None:
        raise NotFoundError(MISSING)
    return edition


def latest_edition(session: Session, issue_id: int) -> Edition | None:
    """The newest edition of an issue; `None` where it was never approved."""
    return session.scalar(select(Edition).where(Edition.issue_id == issue_id).order_by(Edition.ordinal.desc()).limit(1))


def list_editions(session: Session, issue_id: int) -> list[Edition]:
    """Every edition of an issue, oldest first."""
    return list(session.scalars(select(Edition).where(Edition.issue_id == issue_id).order_by(Edition.ordinal)))


def get_sendable_edition(session: Session, edition_id: int, *, at: dt.datetime | None = None) -> Edition:
    """As `get_approved_edition`, while the approval lasts (at `at`, where it is to be sent later): what a mailing needs
    when it is begun.
    """
    edition = get_approved_edition(session, edition_id)
    issue = session.get_one(Issue, edition.issue_id)
    until = expires_at(issue.approved_at, get_house_rules(session, issue.newsletter_id).approval_days)
    if until is not None and until <= now(session):
        raise RuleError(N_("The approval of this issue has expired; have it approved again before it is sent."))
    if until is not None and at is not None and until <= at:
        raise RuleError(N_("The approval of this issue runs out before that time. Choose an earlier one."))
    return edition


def get_approved_edition(session: Session, edition_id: int) -> Edition:
    """The edition, if its issue stands approved and not retracted, and no later edition has taken its place; else
    `RuleError`. What a mailing that was begun needs to go on.

    The issue's row is locked until the transaction ends, so that an approval cannot be withdrawn between this
    question and the sending that relies on its answer.
    """
    edition = get_edition(session, edition_id)
    issue = session.scalars(
        select(Issue).where(Issue.id == edition.issue_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if session.get_one(Newsletter, issue.newsletter_id).archived_at is not None:
        raise RuleError(N_("This newsletter is archived; nothing more can be sent."))
    if issue.state != IssueState.APPROVED:
        raise RuleError(N_("The approval of this issue has been withdrawn; approve it again before it is sent."))
    if issue.retracted_at is not None and issue.shown_edition_id == edition.id:
        raise RuleError(N_("This issue has been retracted. Correct it, or lift the retraction, before it is sent."))
    latest = latest_edition(session, issue.id)
    if latest is None or latest.id != edition.id:
        raise RuleError(N_("A later edition of this issue has been approved; send that one."))
    return edition


def _published_year() -> ColumnElement[int]:
    """The year an edition bears, or else the one it was first sent in."""
    return func.coalesce(Edition.masthead["year"].as_integer(), cast(extract("year", Issue.first_sent_at), Integer))


def day_of(issue: type[Issue]) -> ColumnElement[dt.date]:
    """The day an issue bears, or else the one it was first sent on: the archive's order."""
    return func.coalesce(issue.published_on, func.date(issue.first_sent_at))


def published(newsletter_ids: Sequence[int], *, has_retracted: bool = False) -> Select[Issue, Edition]:
    """Every sent issue of these newsletters with the edition that the archive shows of it, in no order; with
    `has_retracted` those too of which it only says so.
    """
    query = (
        select(Issue, Edition)
        .join(Edition, Edition.id == Issue.shown_edition_id)
        # A list of issues names them; what they weigh is read with the one that is opened.
        .options(defer(Edition.html), defer(Edition.text))
        .where(Issue.newsletter_id.in_(newsletter_ids), Issue.first_sent_at.is_not(None))
    )
    return query if has_retracted else query.where(Issue.retracted_at.is_(None))


def list_published(
    session: Session,
    newsletter_id: int,
    *,
    year: int | None = None,
    limit: int | None = None,
    has_retracted: bool = False,
) -> list[tuple[Issue, Edition]]:
    """Sent issues with the edition that is shown, newest first: all, those of one `year`, or the first `limit`."""
    query = published([newsletter_id], has_retracted=has_retracted).order_by(day_of(Issue).desc(), Issue.id.desc())
    if year is not None:
        query = query.where(_published_year() == year)
    return [(issue, edition) for issue, edition in session.execute(query.limit(limit))]


def count_published_by_year(session: Session, newsletter_id: int) -> dict[int, int]:
    """How many sent issues each year has, the retracted among them, the latest year first."""
    year = _published_year().label("year")
    every = published([newsletter_id], has_retracted=True)
    query = every.with_only_columns(year, func.count()).group_by(year).order_by(year.desc())
    return {row[0]: row[1] for row in session.execute(query)}


def count_published_since(session: Session, newsletter_id: int, since: dt.datetime) -> int:
    """How many issues were first sent after `since`: how often the newsletter comes, as readers ask."""
    query = select(func.count()).where(Issue.newsletter_id == newsletter_id, Issue.first_sent_at >= since)
    return session.scalar(query) or 0


def find_neighbours(
    session: Session, issue: Issue
) -> tuple[tuple[Issue, Edition] | None, tuple[Issue, Edition] | None]:
    """The sent issues before and after a sent one, in the archive's order; `None` where it is the first or last."""
    mine = select(day_of(Issue), Issue.id).where(Issue.id == issue.id).subquery()
    place = tuple_(day_of(Issue), Issue.id)
    here = tuple_(*(select(column).scalar_subquery() for column in mine.c))
    query = published([issue.newsletter_id])
    earlier = session.execute(query.where(place < here).order_by(day_of(Issue).desc(), Issue.id.desc()).limit(1))
    later = session.execute(query.where(place > here).order_by(day_of(Issue), Issue.id).limit(1))
    before, after = earlier.first(), later.first()
    return (before[0], before[1]) if before else None, (after[0], after[1]) if after else None


def list_titles(session: Session, edition_ids: Sequence[int]) -> dict[int, list[str]]:
    """Edition id -> the titles of its articles, in order, without reading their bodies."""
    named = list_titles_of_articles(session, edition_ids)
    return {edition_id: [title for _, title in articles] for edition_id, articles in named.items()}


def list_titles_of_articles(session: Session, edition_ids: Sequence[int]) -> dict[int, list[tuple[int, str]]]:
    """Edition id -> (article id, title) of each article, in order."""
    titles: dict[int, list[tuple[int, str]]] = {edition_id: [] for edition_id in edition_ids}
    query = (
        select(EditionArticle.edition_id, EditionArticle.article_id, EditionArticle.title)
        .where(EditionArticle.edition_id.in_(edition_ids))
        .order_by(EditionArticle.edition_id, EditionArticle.position)
    )
    for edition_id, article_id, title in session.execute(query):
        titles[edition_id].append((article_id, title))
    return titles


def get_published(session: Session, newsletter_id: int, issue_id: int) -> tuple[Issue, Edition]:
    """A sent issue with the edition that is shown. Raises `NotFoundError`, also for an issue that was never sent, and
    `GoneError` for one that was retracted.
    """
    issue = session.get(Issue, issue_id)
    if (
        issue is None
        or issue.shown_edition_id is None
        or issue.newsletter_id != newsletter_id
        or issue.first_sent_at is None
    ):
        raise NotFoundError(MISSING)
    if issue.retracted_at is not None:
        raise GoneError(N_("This issue has been retracted."), issue_id=issue.id)
    return issue, session.get_one(Edition, issue.shown_edition_id)


def get_published_article(
    session: Session, newsletter_id: int, issue_id: int, article_id: int
) -> tuple[Issue, Edition, EditionArticle]:
    """An article of a sent issue, out of the latest edition up to the one shown that has it. Raises as
    `get_published`.
    """
    issue, shown = get_published(session, newsletter_id, issue_id)
    found = session.execute(
        select(Edition, EditionArticle)
        .join(EditionArticle, EditionArticle.edition_id == Edition.id)
        .where(
            Edition.issue_id == issue_id,
            Edition.ordinal <= shown.ordinal,
            EditionArticle.article_id == article_id,
        )
        .order_by(Edition.ordinal.desc())
        .limit(1)
    ).first()
    if found is None:
        raise NotFoundError(N_("There is no such article."))
    edition, article = found
    return issue, edition, article


def untracked_html(edition: Edition) -> str:
    """The edition's HTML for looking at: its links lead straight to where they lead, and there is no pixel."""
    click = re.compile(re.escape(links.absolute("/c/")) + r"([A-Za-z0-9_-]+)/" + re.escape(READER_SLOT))

    def straighten(match: re.Match[str]) -> str:
        try:
            return escape(links.read_link_token(match[1]).url)
        except LinkError:  # the secret has been changed since
            return "#"

    pixel = re.compile(r"<img[^>]*" + re.escape(escape(links.pixel_url(READER_SLOT))) + r"[^>]*>")
    return pixel.sub("", click.sub(straighten, edition.html))
