"""Finding accounts."""

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.accounts.rules import AccountState, Role
from mailer.addresses import parse_address
from mailer.errors import LinkError, NotFoundError, RuleError
from mailer.i18n import N_
from mailer.links import read_account_token


def get_account(session: Session, account_id: int) -> Account:
    """Raises `NotFoundError`."""
    account = session.get(Account, account_id)
    if account is None:
        raise NotFoundError(N_("There is no such account."))
    return account


def find_account_by_email(session: Session, email: str) -> Account | None:
    """By the address as somebody types it: letter case, full-width forms and blanks do not matter."""
    try:
        key = parse_address(email).key
    except RuleError:
        return None
    return session.scalar(select(Account).where(Account.email_key == key))


def list_accounts(session: Session) -> list[Account]:
    """All of them: those who can sign in, then the invited, then the disabled, by name."""
    place = {AccountState.ACTIVE: 0, AccountState.INVITED: 1, AccountState.DISABLED: 2}
    accounts = session.scalars(select(Account).order_by(Account.name, Account.id)).all()
    return sorted(accounts, key=lambda account: place[AccountState(account.state)])


def acting_admins() -> ColumnElement[bool]:
    """The condition of an account that can administer the service now: `rules.is_acting_admin`, for a query."""
    return and_(Account.state == AccountState.ACTIVE, Account.roles.contains([Role.ADMIN]))


def count_active_admins(session: Session) -> int:
    """How many could administer the service now."""
    return session.scalar(select(func.count()).where(acting_admins())) or 0


def get_account_by_token(session: Session, purpose: str, token: str) -> Account:
    """The account a letter's link was made for; `purpose` is ``invite`` or ``reset``. Raises `LinkError` when it is
    not ours, too old, or void because its account has set a password or was disabled since.
    """
    account_id, version = read_account_token(purpose, token)
    account = session.get(Account, account_id)
    wanted = AccountState.INVITED if purpose == "invite" else AccountState.ACTIVE
    if account is None or account.credential_version != version or account.state != wanted:
        raise LinkError(N_("This link has been used or replaced by a newer one."))
    return account
