"""Who stands in for whom, and from when to when: an approver's holiday stops no issue."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from mailer import accounts
from mailer.accounts.models import Account
from mailer.accounts.rules import AccountState
from mailer.db import now
from mailer.errors import NotFoundError, RuleError
from mailer.i18n import N_
from mailer.newsroom.models import Deputy

LONGEST = dt.timedelta(days=366)


def appoint(
    session: Session,
    account: Account,
    deputy: Account,
    *,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    by: Account | None,
) -> Deputy:
    """From `starts_at` until `ends_at` (aware) `deputy` may sign what `account` may. Raises `RuleError`."""
    if account.id == deputy.id:
        raise RuleError(N_("Somebody else has to stand in."))
    if deputy.state != AccountState.ACTIVE:
        raise RuleError(N_("An account that was chosen cannot sign in any more. Choose another one."))
    if ends_at <= starts_at or ends_at <= now(session):
        raise RuleError(N_("The last day must not lie before the first, nor in the past."))
    if ends_at - starts_at > LONGEST:
        raise RuleError(N_("Somebody stands in for a year at most."))
    appointed = Deputy(
        account_id=account.id,
        deputy_id=deputy.id,
        starts_at=starts_at,
        ends_at=ends_at,
        created_by=None if by is None else by.id,
    )
    session.add(appointed)
    session.flush()
    _record(session, appointed, "appointed", by, at=ends_at.isoformat())
    return appointed


def dismiss(session: Session, deputy_id: int, *, by: Account | None, only_of: int | None = None) -> None:
    """Ends it now; one that has not begun is gone. `only_of` is the account whose deputies may be dismissed.
    Raises `NotFoundError`.
    """
    found = session.get(Deputy, deputy_id)
    if found is None or (only_of is not None and found.account_id != only_of):
        raise NotFoundError(N_("There is no such deputy."))
    _record(session, found, "dismissed", by)
    moment = now(session)
    if found.starts_at >= moment:
        session.delete(found)
    else:
        found.ends_at = min(found.ends_at, moment)
    session.flush()


def list_principals(session: Session, account_id: int) -> list[Account]:
    """Whom `account_id` stands in for at this moment, of those who could sign in themselves."""
    moment = now(session)
    return list(
        session.scalars(
            select(Account)
            .join(Deputy, Deputy.account_id == Account.id)
            .where(
                Deputy.deputy_id == account_id,
                Deputy.starts_at <= moment,
                Deputy.ends_at > moment,
                Account.state == AccountState.ACTIVE,
            )
            .order_by(Deputy.id)
        )
    )


def list_deputies_of(session: Session, account_ids: Sequence[int]) -> list[Account]:
    """Who stands in for any of `account_ids` at this moment."""
    moment = now(session)
    return list(
        session.scalars(
            select(Account)
            .join(Deputy, Deputy.deputy_id == Account.id)
            .where(
                Deputy.account_id.in_(account_ids),
                Deputy.starts_at <= moment,
                Deputy.ends_at > moment,
                Account.state == AccountState.ACTIVE,
            )
            .order_by(Account.id)
        ).unique()
    )


def list_appointments(session: Session, *, of: int | None = None) -> list[tuple[Deputy, str, str]]:
    """What is agreed now and later: (appointment, who is away, who stands in), of one account or of all."""
    away, standing_in = aliased(Account), aliased(Account)
    query = (
        select(Deputy, away.name, standing_in.name)
        .join(away, away.id == Deputy.account_id)
        .join(standing_in, standing_in.id == Deputy.deputy_id)
        .where(Deputy.ends_at > now(session))
        .order_by(Deputy.starts_at, Deputy.id)
    )
    if of is not None:
        query = query.where((Deputy.account_id == of) | (Deputy.deputy_id == of))
    return [(deputy, who, stand_in) for deputy, who, stand_in in session.execute(query)]


def _record(session: Session, deputy: Deputy, act: str, by: Account | None, **details: str) -> None:
    accounts.record(
        session,
        by=by,
        action=f"deputy.{act}",
        subject_type="account",
        subject_id=deputy.account_id,
        deputy=deputy.deputy_id,
        **details,
    )
