"""Who could give the signature that an issue waits for: those who are named or have the role, and who stands in for
them, as far as they can sign in and four eyes let them.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.accounts.rules import AccountState
from mailer.errors import RuleError
from mailer.newsletters.models import Newsletter
from mailer.newsroom.chain import SigningStep, check_eyes, whose_turn
from mailer.newsroom.deputies import list_deputies_of
from mailer.newsroom.house import get_chain
from mailer.newsroom.models import Issue, Review
from mailer.newsroom.rules import ReviewAct


def get_next_step(session: Session, issue: Issue) -> SigningStep:
    """The step that an issue in review waits for."""
    return whose_turn(get_chain(session, issue.newsletter_id), issue.signed_steps)[0]


def list_signatories(session: Session, issue: Issue, newsletter: Newsletter) -> list[Account]:
    """Who may sign now. Nobody: the issue waits in vain until the rules or the accounts are changed."""
    found = list_able(session, get_next_step(session, issue))
    signed = list_signed_by(session, issue.id)
    return [account for account in found if _is_other_eyes(account, issue, newsletter, signed)]


def list_able(session: Session, step: SigningStep) -> list[Account]:
    """Whose signature `step` takes, whoever submitted, with those who stand in at this moment."""
    named = Account.id.in_(step.account_ids) if step.account_ids else Account.roles.contains([step.role])
    query = select(Account).where(Account.state == AccountState.ACTIVE, named).order_by(Account.id)
    signers = session.scalars(query).all()
    deputies = list_deputies_of(session, [account.id for account in signers])
    return list({account.id: account for account in (*signers, *deputies)}.values())


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


def _is_other_eyes(account: Account, issue: Issue, newsletter: Newsletter, signed: Collection[int]) -> bool:
    try:
        check_eyes(
            is_four_eyes=newsletter.is_four_eyes,
            submitted_by=issue.submitted_by,
            signed_by=signed,
            signer=account.id,
        )
    except RuleError:
        return False
    return True
