"""Writes what a newsletter's newsroom has agreed upon (`house`). Issues that wait for a signature go on by the new
chain, and who may give the next one since is told.
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
from mailer.newsletters import get_newsletter
from mailer.newsroom.chain import SigningStep, check_chain, count_signed
from mailer.newsroom.fields import clean_text
from mailer.newsroom.models import HouseRules, Issue
from mailer.newsroom.notices import tell_signatories
from mailer.newsroom.rules import IssueState
from mailer.newsroom.signatories import list_signatories, list_signed_names

WORDS_LIMIT = 20_000
MOST_PROOFREADERS = 10
LONGEST_APPROVAL = 365


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
    # Whoever signs meanwhile signs before the change, or reads that there was one.
    waiting = list(
        session.scalars(
            select(Issue)
            .where(Issue.newsletter_id == newsletter_id, Issue.state == IssueState.IN_REVIEW)
            .order_by(Issue.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )
    newsletter = get_newsletter(session, newsletter_id)
    could = {issue.id: {account.id for account in list_signatories(session, issue, newsletter)} for issue in waiting}
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
    if "steps" in changed:
        for issue in waiting:
            issue.signed_steps = count_signed(chain, list_signed_names(session, issue.id))
            session.flush()
            tell_signatories(session, issue, newsletter, but=could[issue.id], by=by)
    return rules


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
