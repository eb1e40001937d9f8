"""Every saved state of an article, kept as a version: what it was, who saved it and when, also after it was removed."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session, defer

from mailer.accounts.models import Account
from mailer.db import now
from mailer.errors import NotFoundError
from mailer.i18n import N_
from mailer.newsroom.models import Article, ArticleVersion

# What a version holds of its article, besides its place.
CONTENT = ("title", "section", "source", "page", "body")


class VersionKind(StrEnum):
    """How a version came to be. A removed one is the article as it was when it was taken out."""

    SAVED = "saved"
    AUTOSAVED = "autosaved"
    REMOVED = "removed"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Mark:
    """A version, as far as thinning looks at it."""

    id: int
    at: dt.datetime
    kind: str


# Autosaved states this old are kept once in so long: yesterday's every keystroke is of no use to anybody.
THINNING = (
    (dt.timedelta(hours=1), dt.timedelta(minutes=2)),
    (dt.timedelta(days=1), dt.timedelta(minutes=15)),
    (dt.timedelta(days=30), dt.timedelta(hours=2)),
)
RAREST = dt.timedelta(days=1)


def thin(marks: Iterable[Mark], at: dt.datetime) -> list[int]:
    """Which versions are no longer needed at `at`, of `marks` from the oldest to the newest: autosaved ones that
    another followed soon. What a person saved, the first and the newest always stay.
    """
    known = list(marks)
    dropped = []
    for mark, following in pairwise(known[1:]):
        span = next((span for age, span in THINNING if at - mark.at <= age), RAREST)
        stretch = span.total_seconds()
        is_one = mark.at.timestamp() // stretch == following.at.timestamp() // stretch
        if mark.kind == VersionKind.AUTOSAVED and following.kind == VersionKind.AUTOSAVED and is_one:
            dropped.append(mark.id)
    return dropped


def keep(session: Session, article: Article, kind: VersionKind, *, by: Account | None) -> ArticleVersion:
    """Keeps `article` as it stands now, and thins what came before."""
    version = ArticleVersion(
        issue_id=article.issue_id,
        article_id=article.id,
        account_id=None if by is None else by.id,
        kind=kind,
        position=article.position,
        **{name: getattr(article, name) for name in CONTENT},
    )
    session.add(version)
    session.flush()
    if kind is VersionKind.AUTOSAVED:
        _thin(session, article.id)
    return version


def _thin(session: Session, article_id: int) -> None:
    rows = session.execute(
        select(ArticleVersion.id, ArticleVersion.at, ArticleVersion.kind)
        .where(ArticleVersion.article_id == article_id)
        .order_by(ArticleVersion.id)
    )
    if dropped := thin((Mark(*row) for row in rows), now(session)):
        session.execute(
            delete(ArticleVersion).where(ArticleVersion.id.in_(dropped)).execution_options(synchronize_session=False)
        )


def get_version(session: Session, version_id: int) -> ArticleVersion:
    """Raises `NotFoundError`."""
    version = session.get(ArticleVersion, version_id)
    if version is None:
        raise NotFoundError(N_("There is no such version."))
    return version


def list_versions(session: Session, article_id: int) -> list[tuple[ArticleVersion, str | None]]:
    """An article's versions without their bodies, newest first, each with the name of who saved it."""
    rows = session.execute(
        select(ArticleVersion, Account.name)
        .outerjoin(Account, Account.id == ArticleVersion.account_id)
        .where(ArticleVersion.article_id == article_id)
        .options(defer(ArticleVersion.body))
        .order_by(ArticleVersion.id.desc())
    )
    return [(version, name) for version, name in rows]


def list_removed(session: Session, issue_id: int) -> list[tuple[ArticleVersion, str | None]]:
    """Articles that were taken out of an issue and can be brought back, the last one first."""
    newest = (
        select(func.max(ArticleVersion.id))
        .where(ArticleVersion.issue_id == issue_id)
        .group_by(ArticleVersion.article_id)
    )
    rows = session.execute(
        select(ArticleVersion, Account.name)
        .outerjoin(Account, Account.id == ArticleVersion.account_id)
        .where(
            ArticleVersion.id.in_(newest),
            ArticleVersion.kind == VersionKind.REMOVED,
            ~exists().where(Article.id == ArticleVersion.article_id),
        )
        .options(defer(ArticleVersion.body))
        .order_by(ArticleVersion.id.desc())
    )
    return [(version, name) for version, name in rows]
