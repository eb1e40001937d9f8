"""The way of an issue to its edition: submit, return, approve, withdraw. What was submitted is what is approved, and
what was approved is what is sent.
"""

from dataclasses import asdict
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.accounts.models import Account
from mailer.db import now
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsroom.compiling import compile_for, compile_issue, get_content, get_newsletter
from mailer.newsroom.editing import lock_issue
from mailer.newsroom.models import MASTHEAD, Edition, EditionArticle, EditionLink, Issue, Review
from mailer.newsroom.notices import tell_colleagues
from mailer.newsroom.rules import Act, ReviewAct, check_approver, check_note, take_step
from mailer.press.compiling import Compiled
from mailer.press.content import Content

CHANGED_SINCE = N_("This issue has changed since you opened it. Look at it again before you decide.")
NOT_WHAT_WAS_SUBMITTED = N_(
    "The mail would differ from what was submitted, because the newsletter's settings or its theme have changed. "
    "Return the issue, so that it is looked at and submitted again."
)


def submit(session: Session, issue: Issue, *, by: Account | None, note: str = "") -> Review:
    """Hands a draft in. It is compiled once, so that only what can be sent is submitted (`CompositionError`), and
    the hash of that is what an approval will be held against.
    """
    lock_issue(session, issue)
    step = take_step(issue.state, Act.SUBMIT)
    compiled = compile_issue(session, issue)
    issue.state = step.state
    issue.submitted_by = None if by is None else by.id
    return _review(session, issue, by, ReviewAct.SUBMITTED, note.strip(), compiled.content_hash)


def return_(session: Session, issue: Issue, *, by: Account | None, note: str) -> Review:
    """Gives a submitted issue back to its editors, saying why."""
    lock_issue(session, issue)
    step = take_step(issue.state, Act.RETURN)
    reason = check_note(note)
    issue.state = step.state
    return _review(session, issue, by, ReviewAct.RETURNED, reason)


def withdraw(session: Session, issue: Issue, *, by: Account | None, note: str = "") -> Review:
    """Takes a submission or an approval back; the edition made by it stays as it was, but is not to be sent."""
    lock_issue(session, issue)
    step = take_step(issue.state, Act.WITHDRAW)
    issue.state = step.state
    return _review(session, issue, by, ReviewAct.WITHDRAWN, note.strip())


def approve(
    session: Session, issue: Issue, *, by: Account | None, note: str = "", revision: int | None = None
) -> Edition:
    """Approves what was submitted, and freezes it as an edition.

    `revision` is the issue's revision the approver looked at, where a person did. Raises `RuleError` when it is
    another now, when the approver is the submitter and the newsletter wants four eyes, or when the issue no longer
    compiles to what was submitted.
    """
    lock_issue(session, issue)
    step = take_step(issue.state, Act.APPROVE)
    if revision is not None and revision != issue.revision:
        raise RuleError(CHANGED_SINCE)
    check_approver(
        is_four_eyes=get_newsletter(session, issue).is_four_eyes,
        submitted_by=issue.submitted_by,
        approver_id=None if by is None else by.id,
    )
    edition = _freeze(session, issue, submitted_hash=_submitted_hash(session, issue))
    issue.state = step.state
    issue.approved_at = now(session)
    _review(session, issue, by, ReviewAct.APPROVED, note.strip(), edition.content_hash, edition=edition.id)
    return edition


def list_reviews(session: Session, issue_id: int) -> list[tuple[Review, str | None]]:
    """The issue's history, newest first, each act with the name of who did it."""
    rows = session.execute(
        select(Review, Account.name)
        .outerjoin(Account, Account.id == Review.account_id)
        .where(Review.issue_id == issue_id)
        .order_by(Review.id.desc())
    )
    return [(review, name) for review, name in rows]


def _submitted_hash(session: Session, issue: Issue) -> str | None:
    return session.scalar(
        select(Review.content_hash)
        .where(Review.issue_id == issue.id, Review.act == ReviewAct.SUBMITTED)
        .order_by(Review.id.desc())
        .limit(1)
    )


def _freeze(session: Session, issue: Issue, *, submitted_hash: str | None) -> Edition:
    # The number is taken first, because every link inside carries it; the row is written whole and never touched.
    edition_id: int = session.scalar(select(func.nextval(func.pg_get_serial_sequence("editions", "id"))))  # type: ignore[assignment]
    ordinal = session.scalar(
        select(func.coalesce(func.max(Edition.ordinal), 0) + 1).where(Edition.issue_id == issue.id)
    )
    content = get_content(session, issue)
    compiled = compile_for(content, edition_id)
    if compiled.content_hash != submitted_hash:
        raise RuleError(NOT_WHAT_WAS_SUBMITTED)
    edition = Edition(
        id=edition_id,
        issue_id=issue.id,
        ordinal=ordinal,
        subject=compiled.subject,
        preheader=compiled.preheader,
        theme=compiled.theme,
        language=compiled.language,
        html=compiled.html,
        text=compiled.text,
        content_hash=compiled.content_hash,
        masthead=_masthead(content),
        links=_links(compiled),
        articles=_articles(content),
    )
    session.add(edition)
    session.flush()
    return edition


def _masthead(content: Content) -> dict[str, Any]:
    masthead = {name: getattr(content, name) for name in MASTHEAD}
    if content.published_on is not None:
        masthead["published_on"] = content.published_on.isoformat()
    return masthead


def _links(compiled: Compiled) -> list[EditionLink]:
    return [
        EditionLink(ordinal=link.ordinal, url=link.url, article_id=link.article_key, label=link.label[:300])
        for link in compiled.links
    ]


def _articles(content: Content) -> list[EditionArticle]:
    frozen = []
    for position, article in enumerate(content.articles, 1):
        values = asdict(article)
        frozen.append(
            EditionArticle(
                article_id=article.key,
                position=position,
                **{name: values[name] for name in ("title", "section", "source", "page", "body")},
            )
        )
    return frozen


def _review(
    session: Session,
    issue: Issue,
    by: Account | None,
    act: ReviewAct,
    note: str,
    content_hash: str = "",
    **details: Any,
) -> Review:
    account_id = None if by is None else by.id
    review = Review(issue_id=issue.id, account_id=account_id, act=act, note=note, content_hash=content_hash)
    session.add(review)
    session.flush()
    tell_colleagues(session, issue, get_newsletter(session, issue), review, by)
    accounts.record(
        session, by=by, action=f"issue.{act}", subject_type="issue", subject_id=issue.id, hash=content_hash, **details
    )
    return review
