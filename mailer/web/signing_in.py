"""Flask-Login over the accounts room: a session names an account and the credential version it was made under."""

from typing import Any

from flask import Flask, session
from flask_login import LoginManager, UserMixin, login_user, logout_user
from flask_login import current_user as _current_user

from mailer.accounts.models import Account
from mailer.accounts.rules import AccountState, Role
from mailer.web.database import get_session


class SignedIn(UserMixin):
    """The account behind a request, as templates and guards see it."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def get_id(self) -> str:
        return f"{self.account.id}.{self.account.credential_version}"

    def has_any(self, *roles: Role) -> bool:
        return any(role in self.account.roles for role in roles)


def _load(identity: str) -> SignedIn | None:
    account_id, _, version = identity.partition(".")
    if not (account_id.isdecimal() and version.isdecimal()):
        return None
    account = get_session().get(Account, int(account_id))
    # A changed password, a demotion by an admin or a disabled account ends every session at its next request.
    if account is None or account.state != AccountState.ACTIVE or account.credential_version != int(version):
        return None
    return SignedIn(account)


def sign_in(account: Account) -> None:
    """Starts a session for `account`, which has just proved who it is."""
    login_user(SignedIn(account))
    # Ends after `session_hours` without use, not with the first hours after signing in.
    session.permanent = True


def sign_out() -> None:
    """Ends this browser's session."""
    logout_user()


def get_account() -> Account:
    """The signed-in account; only behind a guard."""
    account: Account = _current_user.account
    return account


def find_account() -> Account | None:
    """The signed-in account, or `None`."""
    return get_account() if _current_user and _current_user.is_authenticated else None


def init_app(app: Flask) -> None:
    manager: Any = LoginManager(app)
    manager.user_loader(_load)
    manager.session_protection = None  # "basic" ends a session when a phone changes networks
