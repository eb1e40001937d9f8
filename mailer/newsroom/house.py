"""What a newsletter's newsroom has agreed upon: its chain of signatures, how long an approval lasts, who may send, the
words it wants to be shown, and who reads the proofs. `house_writing` writes it.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsroom.chain import SigningStep, chain_of
from mailer.newsroom.models import HouseRules


def get_house_rules(session: Session, newsletter_id: int) -> HouseRules:
    """The newsletter's rules; where nobody has written any, the plain ones, which are not stored."""
    return session.get(HouseRules, newsletter_id) or HouseRules(
        newsletter_id=newsletter_id, steps=[], approval_days=None, sender_ids=[], sensitive_words="", proofreaders=""
    )


def get_chain(session: Session, newsletter_id: int) -> tuple[SigningStep, ...]:
    """The newsletter's chain of signatures, the first that is given at first."""
    return chain_of(get_house_rules(session, newsletter_id).steps)


def names_of(session: Session, account_ids: Sequence[int]) -> list[str]:
    """The names of the accounts that rules speak of, for pages."""
    query = select(Account.name).where(Account.id.in_(account_ids)).order_by(Account.name)
    return list(session.scalars(query)) if account_ids else []


def list_words(rules: HouseRules) -> list[str]:
    """Its sensitive words, one a line."""
    return [word for line in rules.sensitive_words.splitlines() if (word := line.strip())]


def may_send(session: Session, newsletter_id: int, account: Account) -> bool:
    """Whether `account` may send the newsletter's issues: those who are named, or everyone at the desk where nobody
    is. Signing an issue is another right, and so is administering.
    """
    named = get_house_rules(session, newsletter_id).sender_ids
    return account.id in named if named else bool(account.roles)


def check_sender(session: Session, newsletter_id: int, by: Account | None) -> None:
    """Raises `RuleError` unless `by` may send; the service itself may."""
    if by is not None and not may_send(session, newsletter_id, by):
        raise RuleError(N_("You may not send issues of this newsletter. Its settings name those who may."))
