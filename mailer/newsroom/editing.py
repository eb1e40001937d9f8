"""Editing an issue and its articles by hand: no colleague is overwritten unseen, no approval survives a change."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.accounts.models import Account
from mailer.db import now
from mailer.errors import NotFoundError, RuleError
from mailer.i18n import N_
from mailer.newsletters import get_newsletter
from mailer.newsletters.models import Newsletter
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.fields import clean_article, clean_issue
from mailer.newsroom.models import Article, Issue, Review
from mailer.newsroom.notices import tell_colleagues
from mailer.newsroom.rules import Act, IssueState, Numbering, Remark, check_numbering, propose_numbering, take_step
from mailer.newsroom.versions import VersionKind, keep
from mailer.press.sanitising import sanitise_body

CHANGED_BY = N_("%(name)s changed this while you were working on it. Nothing of yours has been saved yet.")
CHANGED = N_("Somebody else changed this while you were working on it. Nothing of yours has been saved yet.")
# What the audit trail calls a change of an article that left such a version.
CHANGES = {
    VersionKind.SAVED: "changed",
    VersionKind.AUTOSAVED: "autosaved",
    VersionKind.RESTORED: "restored",
}


def get_issue(session: Session, issue_id: int) -> Issue:
    """Raises `NotFoundError`."""
    issue = session.get(Issue, issue_id)
    if issue is None:
        raise NotFoundError(N_("There is no such issue."))
    return issue


def get_article(session: Session, article_id: int) -> Article:
    """Raises `NotFoundError`."""
    article = session.get(Article, article_id)
    if article is None:
        raise NotFoundError(N_("There is no such article."))
    return article


def lock_issue(session: Session, issue: Issue) -> Issue:
    """`issue` as it stands now, locked until the transaction ends: one act on an issue at a time."""
    return session.scalars(
        select(Issue).where(Issue.id == issue.id).with_for_update().execution_options(populate_existing=True)
    ).one()


def create_issue(session: Session, newsletter_id: int, *, by: Account | None, **fields: Any) -> Issue:
    """A new draft. What `fields` leaves out is proposed: title and publisher of the newsletter, this year, and the
    next numbers.
    """
    newsletter = session.get(Newsletter, newsletter_id)
    if newsletter is None:
        raise NotFoundError(N_("There is no such newsletter."))
    if newsletter.archived_at is not None:
        raise RuleError(N_("This newsletter is archived; nothing new can be written for it."))
    values: dict[str, Any] = {"title": newsletter.title, "publisher": newsletter.publisher}
    if not {"year", "number", "total_number"} & fields.keys():
        year = now(session).year
        proposal = propose_numbering(year, list_numberings(session, newsletter_id))
        values |= {"year": year, "number": proposal.number, "total_number": proposal.total_number}
    issue = Issue(newsletter_id=newsletter_id, created_by=_id(by), changed_by=_id(by), **clean_issue(values | fields))
    session.add(issue)
    session.flush()
    accounts.record(session, by=by, action="issue.created", subject_type="issue", subject_id=issue.id)
    return issue


def change_issue(session: Session, issue: Issue, *, revision: int, by: Account | None, **changes: Any) -> Issue:
    """Changes fields of the issue itself; `revision` is the `masthead_revision` the editor was shown. Raises
    `RuleError` when it has changed since. Saving what stands there already changes nothing, not even an approval.
    """
    lock_issue(session, issue)
    if revision != issue.masthead_revision:
        raise conflict(session, issue)
    changed = {name: value for name, value in clean_issue(changes).items() if getattr(issue, name) != value}
    if changed:
        touch(session, issue, by=by)
        issue.masthead_revision += 1
        for name, value in changed.items():
            setattr(issue, name, value)
        _record(session, issue, by, "issue.changed", fields=sorted(changed))
    return issue


def put_warnings_aside(session: Session, issue: Issue, *, by: Account | None) -> None:
    """The editor has seen what the import was not sure of; content and approval stay as they are."""
    if issue.warnings:
        issue.warnings = []
        _record(session, issue, by, "issue.warnings_put_aside")


def delete_issue(session: Session, issue: Issue, *, by: Account | None) -> None:
    """Throws a draft away with its articles and source. An issue that ever was approved stays: it may have been
    sent, and its editions are evidence.
    """
    lock_issue(session, issue)
    take_step(issue.state, Act.EDIT)
    if session.scalar(select(Edition.id).where(Edition.issue_id == issue.id).limit(1)) is not None:
        raise RuleError(N_("This issue has been approved before; it is kept."))
    _record(session, issue, by, "issue.deleted", title=issue.title, number=issue.number)
    session.execute(delete(Issue).where(Issue.id == issue.id))
    session.expunge(issue)


def add_article(session: Session, issue: Issue, *, by: Account | None, title: str, **fields: Any) -> Article:
    """A new article at the end of the issue; `body` is sanitised here."""
    lock_issue(session, issue)
    values = _sanitised(clean_article({"title": title} | fields))
    touch(session, issue, by=by)
    position = max((article.position for article in issue.articles), default=0) + 1
    article = Article(position=position, **values)
    issue.articles.append(article)
    session.flush()
    keep(session, article, VersionKind.SAVED, by=by)
    _record(session, issue, by, "article.added", article=article.id, title=article.title)
    return article


def change_article(
    session: Session,
    article: Article,
    *,
    revision: int,
    by: Account | None,
    kind: VersionKind = VersionKind.SAVED,
    **changes: Any,
) -> Article:
    """Changes an article and keeps the result as a version; `revision` is the one the editor was shown. Raises
    `RuleError` when it has changed since.
    """
    issue = _lock_with(session, article)
    if revision != article.revision:
        raise conflict(session, issue)
    cleaned = _sanitised(clean_article(changes))
    changed = {name: value for name, value in cleaned.items() if getattr(article, name) != value}
    if changed:
        touch(session, issue, by=by)
        article.revision += 1
        for name, value in changed.items():
            setattr(article, name, value)
        keep(session, article, kind, by=by)
        _record(session, issue, by, f"article.{CHANGES[kind]}", article=article.id, fields=sorted(changed))
    return article


def autosave_article(
    session: Session, article: Article, *, revision: int, by: Account | None, **changes: Any
) -> Article:
    """What an editor is typing, saved as it goes. Only in a draft: nothing but a person's own act takes an issue out
    of review, or an approval back. Raises `RuleError` like `change_article`.
    """
    if lock_issue(session, article.issue).state != IssueState.DRAFT:
        raise RuleError(N_("This issue is in review or approved: only saving it yourself takes it back."))
    return change_article(session, article, revision=revision, by=by, kind=VersionKind.AUTOSAVED, **changes)


def move_article(session: Session, article: Article, *, to: int, by: Account | None) -> None:
    """Moves an article to place `to`, counted from 1; a place beyond either end is that end."""
    issue = _lock_with(session, article)
    order = [other.id for other in issue.articles if other.id != article.id]
    order.insert(max(to, 1) - 1, article.id)
    order_articles(session, issue, order=order, by=by)


def order_articles(session: Session, issue: Issue, *, order: Sequence[int], by: Account | None) -> None:
    """Puts the articles in `order`, which must name each of them once: else somebody has added or removed one."""
    lock_issue(session, issue)
    session.expire(issue, ["articles"])
    present = [article.id for article in issue.articles]
    if sorted(order) != sorted(present):
        raise conflict(session, issue)
    if list(order) == present:
        return
    touch(session, issue, by=by)
    places = {article_id: place for place, article_id in enumerate(order, 1)}
    for article in issue.articles:
        article.position = places[article.id]
    session.flush()
    session.expire(issue, ["articles"])
    _record(session, issue, by, "articles.reordered", order=list(order))


def remove_article(session: Session, article: Article, *, revision: int, by: Account | None) -> None:
    """Takes an article out; editions that hold it keep it. Raises `RuleError` when it has changed since `revision`."""
    issue = _lock_with(session, article)
    if revision != article.revision:
        raise conflict(session, issue)
    touch(session, issue, by=by)
    keep(session, article, VersionKind.REMOVED, by=by)
    issue.articles.remove(article)
    for place, other in enumerate(issue.articles, 1):
        other.position = place
    session.flush()
    _record(session, issue, by, "article.removed", article=article.id, title=article.title)


def list_numberings(session: Session, newsletter_id: int, *, but: int | None = None) -> list[Numbering]:
    """How the newsletter's issues are numbered, without issue `but`."""
    rows = session.execute(
        select(Issue.year, Issue.number, Issue.total_number).where(
            Issue.newsletter_id == newsletter_id, Issue.id.is_distinct_from(but)
        )
    )
    return [Numbering(*row) for row in rows]


def numbering_remarks(session: Session, issue: Issue) -> tuple[Remark, ...]:
    """Gaps and repeats in the numbering that this issue makes."""
    this = Numbering(issue.year, issue.number, issue.total_number)
    return check_numbering(this, list_numberings(session, issue.newsletter_id, but=issue.id))


def touch(session: Session, issue: Issue, *, by: Account | None) -> None:
    """Before every change of content: an issue in review or approved becomes a draft again, visibly."""
    step = take_step(issue.state, Act.EDIT)
    issue.revision += 1
    issue.changed_by = _id(by)
    issue.changed_at = now(session)
    review = None
    if step.review is not None:
        review = Review(issue_id=issue.id, account_id=_id(by), act=step.review, note="")
        session.add(review)
        _record(session, issue, by, "issue.withdrawn", because="changed")
    issue.state = step.state
    if review is not None:
        tell_colleagues(session, issue, get_newsletter(session, issue.newsletter_id), review, by)


def _lock_with(session: Session, article: Article) -> Issue:
    issue = lock_issue(session, article.issue)
    session.refresh(article)
    return issue


def _sanitised(values: dict[str, Any]) -> dict[str, Any]:
    return values | {"body": sanitise_body(values["body"])} if "body" in values else values


def conflict(session: Session, issue: Issue) -> RuleError:
    """What tells an editor that a colleague was faster, by name where that is known."""
    other = session.get(Account, issue.changed_by) if issue.changed_by is not None else None
    return RuleError(CHANGED_BY, name=other.name) if other else RuleError(CHANGED)


def _record(session: Session, issue: Issue, by: Account | None, action: str, **details: Any) -> None:
    accounts.record(session, by=by, action=action, subject_type="issue", subject_id=issue.id, **details)


def _id(by: Account | None) -> int | None:
    return None if by is None else by.id
