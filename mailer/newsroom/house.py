"""What a newsletter's newsroom has agreed upon: its chain of signatures, how long an approval lasts, who may send, the
words it wants to be shown, and who reads the proofs.
"""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.accounts.models import Account
from mailer.accounts.rules import AccountState
from mailer.addresses import parse_address
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsroom.chain import SigningStep, chain_of, check_chain
from mailer.newsroom.fields import clean_text
from mailer.newsroom.models import HouseRules

WORDS_LIMIT = 20_000
MOST_PROOFREADERS = 10
LONGEST_APPROVAL = 365


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


def change_house_rules(
    session: Session,
    newsletter_id: int,
    *,
    by: Account | None,
    steps: Sequence[SigningStep],
    approval_days: int | None,
    sender_ids: Sequence[int],
    sensitive_words: str,
    proofreaders: str,
) -> HouseRules:
    """Writes the rules of a newsletter. Raises `RuleError` for a chain that nobody could ever sign, and for what is
    no address among the proofreaders.
    """
    chain = check_chain(steps)
    _check_accounts(session, [*sender_ids, *(number for step in chain for number in step.account_ids)])
    if approval_days is not None and not 1 <= approval_days <= LONGEST_APPROVAL:
        raise RuleError(N_("An approval lasts between 1 and %(most)s days."), most=str(LONGEST_APPROVAL))
    values: dict[str, Any] = {
        "steps": [step.as_json() for step in chain],
        "approval_days": approval_days,
        "sender_ids": sorted(set(sender_ids)),
        "sensitive_words": clean_text(sensitive_words, WORDS_LIMIT),
        "proofreaders": _check_proofreaders(proofreaders),
    }
    rules = session.get(HouseRules, newsletter_id)
    if rules is None:
        rules = HouseRules(newsletter_id=newsletter_id, **values)
        session.add(rules)
        changed = sorted(values)
    else:
        changed = sorted(name for name, value in values.items() if getattr(rules, name) != value)
        for name in changed:
            setattr(rules, name, values[name])
    session.flush()
    if changed:
        kept = {name: values[name] for name in changed if name in {"steps", "approval_days", "sender_ids"}}
        accounts.record(
            session,
            by=by,
            action="newsletter.house_rules_changed",
            subject_type="newsletter",
            subject_id=newsletter_id,
            fields=changed,
            **kept,
        )
    return rules


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


def _check_accounts(session: Session, numbers: Sequence[int]) -> None:
    wanted = set(numbers)
    active = set(
        session.scalars(select(Account.id).where(Account.id.in_(wanted), Account.state == AccountState.ACTIVE))
    )
    if wanted - active:
        raise RuleError(N_("An account that was chosen cannot sign in any more. Choose another one."))


def _check_proofreaders(text: str) -> str:
    parts = [part for part in re.split(r"[\s,;，；、]+", text) if part]
    addresses = {parsed.key: parsed.email for parsed in map(parse_address, parts)}
    if len(addresses) > MOST_PROOFREADERS:
        raise RuleError(N_("A test goes to at most %(most)s addresses."), most=str(MOST_PROOFREADERS))
    return "\n".join(addresses.values())
