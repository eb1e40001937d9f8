"""Who could give the signature that an issue waits for: those who are named or have the role, and who stands in for
them, as far as they can sign in and four eyes let them.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.accounts.rules import AccountState
from mailer.newsletters.models import Newsletter
from mailer.newsroom.chain import SigningStep, whose_turn
from mailer.newsroom.deputies import list_deputies_of
from mailer.newsroom.house import get_chain
from mailer.newsroom.models import Issue, Review
from mailer.newsroom.rules import ReviewAct


def get_next_step(session: Session, issue: Issue) -> SigningStep:
    """The step that an issue in review waits for."""
    return whose_turn(get_chain(session, issue.newsletter_id), issue.signed_steps)[0]


def list_signatories(session: Session, issue: Issue, newsletter: Newsletter) -> list[Account]:
    """Who may sign now. Nobody: the issue waits in vain until the rules or the accounts are changed."""
    return list_able(session, get_next_step(session, issue), but=list_seen_by(session, issue, newsletter))


def list_able(session: Session, step: SigningStep, *, but: Collection[int] = ()) -> list[Account]:
    """Whose signature `step` takes, with those who stand in at this moment; `but` are accounts whose eyes do not count
    again, and who lend their right to nobody.
    """
    named = Account.id.in_(step.account_ids) if step.account_ids else Account.roles.contains([step.role])
    query = select(Account).where(Account.state == AccountState.ACTIVE, named).order_by(Account.id)
    signers = [account for account in session.scalars(query) if account.id not in but]
    deputies = list_deputies_of(session, [account.id for account in signers])
    found = {account.id: account for account in (*signers, *deputies)}
    return [account for account in found.values() if account.id not in but]


def list_seen_by(session: Session, issue: Issue, newsletter: Newsletter) -> set[int]:
    """Who has submitted or signed the issue in this round, where the newsletter wants other eyes each time."""
    if not newsletter.is_four_eyes:
        return set()
    return {*list_signed_by(session, issue.id), *([issue.submitted_by] if issue.submitted_by is not None else [])}


def find_submission(session: Session, issue_id: int) -> Review | None:
    """The act that an issue in review was last handed in by."""
    return session.scalar(
        select(Review)
        .where(Review.issue_id == issue_id, Review.act == ReviewAct.SUBMITTED)
        .order_by(Review.id.desc())
        .limit(1)
    )


def list_signed_by(session: Session, issue_id: int) -> list[int]:
    """Who has signed since the issue was submitted."""
    return [review.account_id for review in _list_signed(session, issue_id) if review.account_id is not None]


def list_signed_names(session: Session, issue_id: int) -> list[str]:
    """Which steps have been signed since the issue was submitted, as they were called then."""
    return [review.step for review in _list_signed(session, issue_id)]


def _list_signed(session: Session, issue_id: int) -> Sequence[Review]:
    submitted = find_submission(session, issue_id)
    return session.scalars(
        select(Review).where(
            Review.issue_id == issue_id,
            Review.act == ReviewAct.PASSED,
            Review.id > (submitted.id if submitted else 0),
        )
    ).all()
