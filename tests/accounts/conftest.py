"""Accounts as they stand in the database: signed up, invited, disabled."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.accounts.passwords import hash_password
from mailer.accounts.rules import AccountState, Role

PASSWORD = "four unrelated quiet words"
MakeAccount = Callable[..., Account]


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Hashed once: argon2 is slow on purpose."""
    return hash_password(PASSWORD)


@pytest.fixture
def make_account(session: Session, password_hash: str) -> MakeAccount:
    """`make_account("li", roles=[…], state=…)`: an account with `PASSWORD`, committed."""

    def make(
        name: str = "li",
        *,
        roles: tuple[Role, ...] = (Role.EDITOR,),
        state: AccountState = AccountState.ACTIVE,
        locale: str = "zh_CN",
    ) -> Account:
        account = Account(
            email=f"{name}@example.org",
            email_key=f"{name}@example.org",
            name=name,
            roles=list(roles),
            state=state,
            locale=locale,
            password_hash=None if state == AccountState.INVITED else password_hash,
        )
        session.add(account)
        session.commit()
        return account

    return make
