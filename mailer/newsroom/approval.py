"""The way of an issue to its edition: submit, sign step by step, return, withdraw, expire. What was submitted is what
is approved, and what was approved is what is sent.
"""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from mailer import accounts
from mailer.accounts.models import Account
from mailer.accounts.rules import AccountState
from mailer.db import now
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsroom.chain import Signatory, SigningStep, check_eyes, find_capacity, whose_turn
from mailer.newsroom.compiling import compile_issue, get_newsletter
from mailer.newsroom.deputies import list_principals
from mailer.newsroom.editing import lock_issue
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.freezing import NOT_WHAT_WAS_SUBMITTED, freeze
from mailer.newsroom.house import get_chain
from mailer.newsroom.link_checking import ask_for_checks
from mailer.newsroom.models import HouseRules, Issue, Review
from mailer.newsroom.notices import tell_colleagues
from mailer.newsroom.rules import Act, IssueState, ReviewAct, check_note, take_step
from mailer.newsroom.signatories import find_submission, list_seen_by, list_signed_by

CHANGED_SINCE = N_("This issue has changed since you opened it. Look at it again before you decide.")
RULES_CHANGED = N_(
    "The rules of the newsletter have been changed since you opened this issue, and with them what it waits for. "
    "Look at it again before you decide."
)
# What whoever was slower is told, by what a colleague has done meanwhile.
OVERTAKEN: dict[ReviewAct, str] = {
    ReviewAct.PASSED: N_(
        "%(name)s has signed “%(step)s” meanwhile. What it waits for now is another signature: look at it again."
    ),
    ReviewAct.APPROVED: N_("%(name)s has approved this issue meanwhile; nothing is left to sign."),
    ReviewAct.RETURNED: N_("%(name)s has returned this issue meanwhile."),
    ReviewAct.WITHDRAWN: N_("%(name)s has taken this issue back meanwhile; it is a draft again."),
    ReviewAct.CHANGED: N_("%(name)s has changed this issue meanwhile; it is a draft again."),
}
# The same, where it was they themselves, with one click too many or in another window.
DONE_ALREADY: dict[ReviewAct, str] = {
    ReviewAct.PASSED: N_("You have signed “%(step)s” already."),
    ReviewAct.APPROVED: N_("You have approved this issue already."),
    ReviewAct.RETURNED: N_("You have returned this issue already."),
}
NOT_YOURS = N_("It is not your turn to sign this issue.")
OTHERS_FIRST = N_("Another signature comes before the last one.")


@dataclass(frozen=True, slots=True)
class Turn:
    """Which signature an issue waits for, and whether it is the last. `for_account` is the account in whose right the
    one who asks may give it; `None` where they may not, and `refusal` says why not. `seen` names this very turn: it
    changes with every act on the issue and with the chain, and a decision brings it back from the page.
    """

    step: SigningStep
    is_last: bool
    for_account: int | None
    refusal: RuleError | None
    seen: str


def submit(session: Session, issue: Issue, *, by: Account | None, note: str = "") -> Review:
    """Hands a draft in. It is compiled once, so that only what can be sent is submitted (`CompositionError`), and
    the hash of that is what an approval will be held against.
    """
    lock_issue(session, issue)
    step = take_step(issue.state, Act.SUBMIT)
    compiled = compile_issue(session, issue)
    issue.state = step.state
    issue.signed_steps = 0
    issue.submitted_by = None if by is None else by.id
    if by is not None:
        ask_for_checks(session, issue)
    return _review(session, issue, by, ReviewAct.SUBMITTED, note.strip(), compiled.content_hash)


def return_(session: Session, issue: Issue, *, by: Account | None, note: str, seen: str | None = None) -> Review:
    """Gives a submitted issue back to its editors, saying why. Raises `RuleError` unless it is `by`'s turn. A signature
    that a colleague has given since (`seen`) does not stop it.
    """
    _lock(session, issue, by)
    if issue.state != IssueState.IN_REVIEW:
        _check_seen(session, issue, by, seen)
    step = take_step(issue.state, Act.RETURN)
    reason = check_note(note)
    turn = get_turn(session, issue, by)
    if by is not None and turn.for_account is None and by.id not in list_signed_by(session, issue.id):
        raise RuleError(NOT_YOURS)
    issue.state = step.state
    return _review(session, issue, by, ReviewAct.RETURNED, reason, **_in_name_of(turn, by))


def withdraw(session: Session, issue: Issue, *, by: Account | None, note: str = "") -> Review:
    """Takes a submission or an approval back; the edition made by it stays as it was, but is not to be sent."""
    lock_issue(session, issue)
    step = take_step(issue.state, Act.WITHDRAW)
    issue.state = step.state
    return _review(session, issue, by, ReviewAct.WITHDRAWN, note.strip())


def sign(
    session: Session,
    issue: Issue,
    *,
    by: Account | None,
    note: str = "",
    revision: int | None = None,
    seen: str | None = None,
) -> Edition | None:
    """Gives the signature that the issue waits for: the last one approves what was submitted and freezes it as an
    edition; `None` where another has to follow.

    `revision` is the issue's revision the approver looked at, and `seen` the turn (`Turn.seen`), where a person did.
    Raises `RuleError` when it is another now, when it is not this account's turn, when the newsletter wants another
    pair of eyes, or when the issue no longer compiles to what was submitted.
    """
    _lock(session, issue, by)
    _check_seen(session, issue, by, seen)
    turn = get_turn(session, issue, by)
    step = take_step(issue.state, Act.APPROVE if turn.is_last else Act.PASS)
    if revision is not None and revision != issue.revision:
        raise RuleError(CHANGED_SINCE)
    if turn.refusal is not None:
        raise turn.refusal
    submitted = find_submission(session, issue.id)
    edition: Edition | None = None
    details: dict[str, Any] = {}
    if turn.is_last:
        edition = freeze(session, issue, submitted_hash=submitted.content_hash if submitted else None)
        issue.approved_at = now(session)
        content_hash, details = edition.content_hash, {"edition": edition.id}
    else:
        content_hash = compile_issue(session, issue).content_hash
        if submitted is None or content_hash != submitted.content_hash:
            raise RuleError(NOT_WHAT_WAS_SUBMITTED)
    issue.state = step.state
    issue.signed_steps += 1
    act = ReviewAct.APPROVED if turn.is_last else ReviewAct.PASSED
    _review(session, issue, by, act, note.strip(), content_hash, **_in_name_of(turn, by), **details)
    return edition


def approve(
    session: Session, issue: Issue, *, by: Account | None, note: str = "", revision: int | None = None
) -> Edition:
    """The last signature; like `sign`, but raises `RuleError` where another comes first. `by=None` is the service
    itself, which gives all of them at once.
    """
    lock_issue(session, issue)
    edition = (
        None
        if by is not None and not get_turn(session, issue, by).is_last
        else sign(session, issue, by=by, note=note, revision=revision)
    )
    if edition is None:
        raise RuleError(OTHERS_FIRST)
    return edition


def get_turn(session: Session, issue: Issue, by: Account | None) -> Turn:
    """Which signature the issue waits for, or would wait for, and whether `by` may give it."""
    newsletter = get_newsletter(session, issue)
    chain = get_chain(session, issue.newsletter_id)
    if by is None:
        return Turn(chain[-1], is_last=True, for_account=None, refusal=None, seen="")
    step, is_last = whose_turn(chain, issue.signed_steps)
    newest = _find_newest(session, issue)
    turn = Turn(
        step,
        is_last=is_last,
        for_account=None,
        refusal=None,
        seen=f"{newest.id if newest else 0}/{int(is_last)}/{step.name}",
    )
    # Who may not sign because they have submitted, or signed before, lends that right to nobody either.
    seen_by = list_seen_by(session, issue, newsletter)
    principals = [Signatory(one.id, one.roles) for one in list_principals(session, by.id) if one.id not in seen_by]
    capacity = find_capacity(step, Signatory(by.id, by.roles), principals)
    if capacity is None or by.state != AccountState.ACTIVE:
        return replace(turn, refusal=RuleError(NOT_YOURS))
    try:
        check_eyes(
            is_four_eyes=newsletter.is_four_eyes,
            submitted_by=issue.submitted_by,
            signed_by=list_signed_by(session, issue.id),
            signer=by.id,
        )
    except RuleError as error:
        return replace(turn, refusal=error)
    return replace(turn, for_account=capacity)


def expire_due(session: Session) -> list[Issue]:
    """Issues whose approval has lasted as long as their newsletter lets it, and that were never sent, are drafts
    again. What was sent stays as it is: sending it once more asks for a fresh approval (`editions`).
    """
    due = session.scalars(
        select(Issue)
        .join(HouseRules, HouseRules.newsletter_id == Issue.newsletter_id)
        .where(
            Issue.state == IssueState.APPROVED,
            Issue.first_sent_at.is_(None),
            HouseRules.approval_days.is_not(None),
            # In hours, as `rules.expires_at` counts: a day of PostgreSQL's time zone may have 23 of them, or 25.
            Issue.approved_at + func.make_interval(0, 0, 0, 0, 24 * HouseRules.approval_days) <= now(session),
        )
        .order_by(Issue.id)
        .with_for_update(of=Issue, skip_locked=True)
    ).all()
    for issue in due:
        issue.state = take_step(issue.state, Act.EXPIRE).state
        _review(session, issue, None, ReviewAct.EXPIRED, "")
    return list(due)


def list_reviews(session: Session, issue_id: int) -> list[tuple[Review, str | None, str | None]]:
    """The issue's history, newest first: each act, who did it, and for whom they stood in."""
    principal = aliased(Account)
    rows = session.execute(
        select(Review, Account.name, principal.name)
        .outerjoin(Account, Account.id == Review.account_id)
        .outerjoin(principal, principal.id == Review.on_behalf_of)
        .where(Review.issue_id == issue_id)
        .order_by(Review.id.desc())
    )
    return [(review, name, on_behalf_of) for review, name, on_behalf_of in rows]


def _lock(session: Session, issue: Issue, by: Account | None) -> None:
    """One act on the issue at a time; and `by` with the rights that they have now, not those that their page began
    with: an admin who takes one away waits for this act, or this act for them.
    """
    lock_issue(session, issue)
    if by is not None:
        session.refresh(by, with_for_update={"read": True})


def _find_newest(session: Session, issue: Issue) -> Review | None:
    """The last act on the issue."""
    return session.scalar(select(Review).where(Review.issue_id == issue.id).order_by(Review.id.desc()).limit(1))


def _check_seen(session: Session, issue: Issue, by: Account | None, seen: str | None) -> None:
    """Raises `RuleError`, saying what has happened, where the turn is not the one that `by` has looked at."""
    if seen is None or by is None or seen == get_turn(session, issue, by).seen:
        return
    newest = _find_newest(session, issue)
    if newest is None or seen.partition("/")[0] == str(newest.id):
        raise RuleError(RULES_CHANGED)
    said = DONE_ALREADY.get(newest.act) if newest.account_id == by.id else None
    other = session.get(Account, newest.account_id) if newest.account_id is not None else None
    said = said or (OVERTAKEN.get(newest.act) if other else None)
    raise RuleError(said or CHANGED_SINCE, name=other.name if other else "", step=newest.step)


def _in_name_of(turn: Turn, by: Account | None) -> dict[str, Any]:
    is_deputy = by is not None and turn.for_account not in {None, by.id}
    return {"step": turn.step.name, "on_behalf_of": turn.for_account if is_deputy else None}


def _review(
    session: Session,
    issue: Issue,
    by: Account | None,
    act: ReviewAct,
    note: str,
    content_hash: str = "",
    *,
    step: str = "",
    on_behalf_of: int | None = None,
    **details: Any,
) -> Review:
    review = Review(
        issue_id=issue.id,
        account_id=None if by is None else by.id,
        act=act,
        note=note,
        content_hash=content_hash,
        step=step,
        on_behalf_of=on_behalf_of,
    )
    session.add(review)
    session.flush()
    tell_colleagues(session, issue, get_newsletter(session, issue), review, by)
    told: dict[str, Any] = {"hash": content_hash} | ({"step": step} if step else {})
    told |= {"on_behalf_of": on_behalf_of} if on_behalf_of is not None else {}
    accounts.record(session, by=by, action=f"issue.{act}", subject_type="issue", subject_id=issue.id, **told, **details)
    return review
