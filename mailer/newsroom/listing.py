"""Issues as lists show them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from mailer.newsletters.models import Newsletter
from mailer.newsroom.models import Article, Issue, Review
from mailer.newsroom.rules import IssueState, ReviewAct

PAGE_SIZE = 30


@dataclass(frozen=True, slots=True)
class IssueLine:
    """An issue with how many articles it has."""

    issue: Issue
    articles: int


@dataclass(frozen=True, slots=True)
class IssuePage:
    """One page of a newsletter's issues; `total` counts all that were asked for."""

    lines: Sequence[IssueLine]
    page: int
    total: int

    @property
    def has_next(self) -> bool:
        """Whether there is a page after this one."""
        return self.page * PAGE_SIZE < self.total


def list_issues(
    session: Session, newsletter_id: int, *, state: IssueState | None = None, search: str = "", page: int = 1
) -> IssuePage:
    """A newsletter's issues, the latest number first. `search` is looked for in title, subject, number and the
    titles of articles.
    """
    wanted: list[ColumnElement[bool]] = [Issue.newsletter_id == newsletter_id]
    if state is not None:
        wanted.append(Issue.state == state)
    if search.strip():
        like = "%" + search.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        in_articles = select(Article.issue_id).where(Article.title.ilike(like))
        wanted.append(
            or_(
                Issue.title.ilike(like),
                Issue.subject.ilike(like),
                Issue.number == search.strip(),
                Issue.total_number == search.strip(),
                Issue.id.in_(in_articles),
            )
        )
    total = session.scalar(select(func.count()).select_from(Issue).where(*wanted)) or 0
    page = max(1, min(page, -(-total // PAGE_SIZE)))
    count = select(func.count()).where(Article.issue_id == Issue.id).correlate(Issue).scalar_subquery()
    rows = session.execute(
        select(Issue, count)
        .where(*wanted)
        .order_by(func.coalesce(Issue.published_on, func.date(Issue.created_at)).desc(), Issue.id.desc())
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    )
    return IssuePage([IssueLine(issue, articles) for issue, articles in rows], page, total)


def list_in_state(session: Session, *states: IssueState, limit: int = 20) -> list[tuple[Issue, Newsletter]]:
    """Issues of every newsletter in one of `states`, changed last first: what waits for somebody."""
    rows = session.execute(
        select(Issue, Newsletter)
        .join(Newsletter, Newsletter.id == Issue.newsletter_id)
        .where(Issue.state.in_(states), Newsletter.archived_at.is_(None))
        .order_by(Issue.changed_at.desc(), Issue.id.desc())
        .limit(limit)
    )
    return [(issue, newsletter) for issue, newsletter in rows]


def find_returned(session: Session, issue_ids: Sequence[int]) -> set[int]:
    """Those of the issues whose last act was that somebody returned them."""
    latest = (
        select(Review.issue_id, Review.act)
        .ext(distinct_on(Review.issue_id))
        .where(Review.issue_id.in_(issue_ids))
        .order_by(Review.issue_id, Review.id.desc())
    ).subquery()
    return set(session.scalars(select(latest.c.issue_id).where(latest.c.act == ReviewAct.RETURNED)))


def count_issues(session: Session) -> dict[int, int]:
    """How many issues each newsletter has, by its id."""
    rows = session.execute(select(Issue.newsletter_id, func.count()).group_by(Issue.newsletter_id))
    return {row[0]: row[1] for row in rows}


def latest_issues(session: Session) -> dict[int, Issue]:
    """The last issue sent of each newsletter, by its id."""
    issues = session.scalars(
        select(Issue)
        .where(Issue.first_sent_at.is_not(None))
        .ext(distinct_on(Issue.newsletter_id))
        .order_by(Issue.newsletter_id, Issue.first_sent_at.desc())
    )
    return {issue.newsletter_id: issue for issue in issues}
