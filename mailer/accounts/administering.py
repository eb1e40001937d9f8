"""What an admin does to another's account; the last one who can do so is never lost."""

from collections.abc import Iterable

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.lookup import acting_admins
from mailer.accounts.models import Account
from mailer.accounts.rules import AccountEvent, AccountState, Role, is_acting_admin, next_state, order_roles
from mailer.errors import RuleError
from mailer.i18n import N_


def change_roles(
    session: Session, account: Account, roles: Iterable[str], *, by: Account | None, ip: str | None = None
) -> None:
    """Raises `RuleError` for no role at all, and when nobody would be left who can administer the service."""
    wanted = order_roles(roles)
    if not wanted:
        raise RuleError(N_("Choose at least one role."))
    _lock_admins(session, account)
    before = order_roles(account.roles)
    if wanted == before:
        return
    if is_acting_admin(AccountState(account.state), account.roles) and Role.ADMIN not in wanted:
        _refuse_if_last(session, account)
    account.roles = wanted
    record(
        session,
        by=by,
        action="account.roles_changed",
        subject_type="account",
        subject_id=account.id,
        ip=ip,
        before=before,
        after=wanted,
    )


def disable(session: Session, account: Account, *, by: Account | None, ip: str | None = None) -> None:
    """Ends the account's sessions and voids its links at once; what it did stays in the trail. Raises `RuleError`
    for the last active admin.
    """
    _lock_admins(session, account)
    if is_acting_admin(AccountState(account.state), account.roles):
        _refuse_if_last(session, account)
    _move(account, AccountEvent.DISABLE)
    account.credential_version += 1
    record(session, by=by, action="account.disabled", subject_type="account", subject_id=account.id, ip=ip)


def enable(session: Session, account: Account, *, by: Account | None, ip: str | None = None) -> None:
    """Lets a disabled account sign in again; one that never set a password is invited again by `invite_again`."""
    _lock_admins(session, account)
    _move(account, AccountEvent.ENABLE)
    record(session, by=by, action="account.enabled", subject_type="account", subject_id=account.id, ip=ip)


def _move(account: Account, event: AccountEvent) -> None:
    state = next_state(AccountState(account.state), event, has_password=account.password_hash is not None)
    if state is None:
        raise RuleError(N_("The account is not in a state in which this can be done."))
    account.state = state


def _lock_admins(session: Session, account: Account) -> None:
    """Locks this account and every active admin, and reads them anew, so that two admins who demote each other at
    the same moment cannot both succeed. Always in the order of their ids: no deadlock.
    """
    session.flush()
    wanted = select(Account).where(or_(acting_admins(), Account.id == account.id)).order_by(Account.id)
    session.scalars(wanted.with_for_update().execution_options(populate_existing=True)).all()


def _refuse_if_last(session: Session, account: Account) -> None:
    others = select(Account.id).where(acting_admins(), Account.id != account.id)
    if session.scalars(others.limit(1)).first() is None:
        raise RuleError(N_("This is the last active admin. Make somebody else an admin first."))
