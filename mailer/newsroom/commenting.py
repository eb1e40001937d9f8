"""What colleagues say about an article or the whole issue: threads that are settled, and opened again."""

from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.accounts.models import Account
from mailer.db import now
from mailer.errors import NotFoundError, RuleError
from mailer.i18n import N_
from mailer.newsroom.fields import clean_text
from mailer.newsroom.models import Article, Comment, Issue

LONGEST = 4_000


@dataclass(slots=True)
class Remark:
    """A comment with the name of who wrote it, its answers, and who settled it."""

    comment: Comment
    name: str | None
    settled_by: str | None = None
    answers: list["Remark"] = field(default_factory=list)


def say(
    session: Session,
    issue: Issue,
    text: str,
    *,
    by: Account,
    article: Article | None = None,
    answers: Comment | None = None,
) -> Comment:
    """A new thread about `article` or the whole issue, or an answer in the thread of `answers`, which is open again
    by it. Raises `RuleError` when nothing is said.
    """
    words = clean_text(text, LONGEST)
    if not words:
        raise RuleError(N_("A comment needs words."))
    thread = None if answers is None else (get_comment(session, answers.thread_id) if answers.thread_id else answers)
    if thread is not None and thread.issue_id != issue.id:
        raise NotFoundError(N_("There is no such comment."))
    made = Comment(
        issue_id=issue.id,
        article_id=thread.article_id if thread else (article.id if article else None),
        thread_id=thread.id if thread else None,
        account_id=by.id,
        text=words,
    )
    session.add(made)
    if thread is not None:
        thread.resolved_at, thread.resolved_by = None, None
    session.flush()
    _record(session, made, "added", by)
    return made


def settle(session: Session, comment: Comment, *, by: Account) -> None:
    """The thread is dealt with."""
    if comment.thread_id is not None:
        raise RuleError(N_("A whole thread is settled, not an answer in it."))
    if comment.resolved_at is None:
        comment.resolved_at, comment.resolved_by = now(session), by.id
        _record(session, comment, "settled", by)


def reopen(session: Session, comment: Comment, *, by: Account) -> None:
    """It was not dealt with after all."""
    if comment.resolved_at is not None:
        comment.resolved_at, comment.resolved_by = None, None
        _record(session, comment, "reopened", by)


def get_comment(session: Session, comment_id: int) -> Comment:
    """Raises `NotFoundError`."""
    comment = session.get(Comment, comment_id)
    if comment is None:
        raise NotFoundError(N_("There is no such comment."))
    return comment


def list_threads(session: Session, issue_id: int, *, article_id: int | None = None) -> list[Remark]:
    """The threads of an issue, or of one of its articles: the open ones first, then as they came."""
    query = select(Comment).where(Comment.issue_id == issue_id).order_by(Comment.id)
    if article_id is not None:
        query = query.where(Comment.article_id == article_id)
    comments = session.scalars(query).all()
    wanted = {number for one in comments for number in (one.account_id, one.resolved_by) if number is not None}
    rows = session.execute(select(Account.id, Account.name).where(Account.id.in_(wanted)))
    names: dict[int | None, str] = {row[0]: row[1] for row in rows}
    threads: dict[int, Remark] = {}
    for comment in comments:
        remark = Remark(comment, names.get(comment.account_id), names.get(comment.resolved_by))
        if comment.thread_id is None:
            threads[comment.id] = remark
        elif comment.thread_id in threads:
            threads[comment.thread_id].answers.append(remark)
    return sorted(threads.values(), key=lambda thread: thread.comment.resolved_at is not None)


def count_open(session: Session, issue_id: int) -> dict[int | None, int]:
    """How many threads wait to be dealt with: article id (`None` for the whole issue) -> number."""
    rows = session.execute(
        select(Comment.article_id, func.count())
        .where(Comment.issue_id == issue_id, Comment.thread_id.is_(None), Comment.resolved_at.is_(None))
        .group_by(Comment.article_id)
    )
    return {row[0]: row[1] for row in rows}


def _record(session: Session, comment: Comment, act: str, by: Account) -> None:
    accounts.record(
        session,
        by=by,
        action=f"comment.{act}",
        subject_type="issue",
        subject_id=comment.issue_id,
        article=comment.article_id,
        comment=comment.id,
    )
