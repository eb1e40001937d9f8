"""The web as a browser sees it: real sessions, real CSRF tokens, taken from the forms that carry them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from mailer.accounts import passwords
from mailer.accounts.models import Account
from mailer.accounts.passwords import hash_password
from mailer.accounts.rules import AccountState, Role
from mailer.settings import Settings, get_settings
from mailer.web import even_times
from mailer.web.app import create_app
from mailer.web.limits import limiter

PASSWORD = "four unrelated quiet words"


@dataclass
class Page:
    """An answer, and what a reader finds on it."""

    response: TestResponse

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def path(self) -> str:
        return self.response.request.path

    @property
    def tree(self) -> html.HtmlElement:
        return html.fromstring(self.response.get_data(as_text=True))

    @property
    def text(self) -> str:
        """The words of the page, blanks folded."""
        return " ".join(" ".join(self.tree.xpath("//main//text()")).split())

    @property
    def heading(self) -> str:
        return " ".join(self.tree.xpath("//h1")[0].text_content().split())

    def errors(self) -> dict[str, str]:
        """Field name -> its error, through aria-describedby as a screen reader goes."""
        found = {}
        for field in self.tree.xpath("//*[@aria-describedby]"):
            for identity in field.get("aria-describedby").split():
                if identity.endswith("-error"):
                    text = self.tree.get_element_by_id(identity).text_content().strip()
                    found[identity.removesuffix("-error")] = text
        return found


class Visitor:
    """A browser without script."""

    def __init__(self, app: Flask, *, language: str = "en") -> None:
        self.client: FlaskClient = app.test_client()
        self.headers = {"Accept-Language": language}

    def get(self, address: str) -> Page:
        return Page(self.client.get(address, headers=self.headers, follow_redirects=True))

    def submit(self, address: str, data: dict[str, Any] | None = None, *, action: str | None = None) -> Page:
        """Fills the form on the page at `address` and sends it. `action` says which, where there are several; fields
        that are not named in `data` keep what the page put into them.
        """
        page = self.get(address)
        form = self._form(page, action)
        sent: dict[str, Any] = {}
        for name, value in form.form_values():
            sent.setdefault(name, []).append(value)
        sent |= data or {}
        target = form.get("action") or page.response.request.full_path.rstrip("?")
        has_file = form.get("enctype") == "multipart/form-data"
        kind = {"content_type": "multipart/form-data"} if has_file else {}
        return Page(self.client.post(target, data=sent, headers=self.headers, follow_redirects=True, **kind))

    def _form(self, page: Page, action: str | None) -> Any:
        forms = [form for form in page.tree.forms if form.get("method") == "post"]
        if action is None:
            main = page.tree.xpath("//main//form[@method='post']")
            return main[-1] if main else forms[0]
        return next(form for form in forms if form.get("action") == action)

    def sign_in(self, account: Account, password: str = PASSWORD) -> Page:
        return self.submit("/account/sign-in", {"email": account.email, "password": password})


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Argon2 is slow on purpose, and every test signs in: here with the library's parameters for tests.
    `tests/accounts` has the real ones.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher.from_parameters(CHEAPEST))
        passwords._decoy.cache_clear()
        yield
    passwords._decoy.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def _no_waiting() -> Iterator[None]:
    """Answers about addresses leave on the beat; `test_even_times.py` has the waits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(even_times, "wait", lambda _seconds: None)
        yield


@pytest.fixture(scope="session")
def apps() -> dict[Settings, Flask]:
    """Applications by their settings, made once: a test needs none of its own routes and templates."""
    return {}


@pytest.fixture
def app(database: str, redis: str, apps: dict[Settings, Flask]) -> Iterator[Flask]:
    """The whole application on the run's PostgreSQL and Redis. What a test sets in its `config` is put back."""
    settings = get_settings()
    if settings not in apps:
        apps[settings] = create_app()
    app = apps[settings]
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = True
    config = dict(app.config)
    yield app
    app.config.clear()
    app.config.update(config)


@pytest.fixture
def own_app(database: str, apps: dict[Settings, Flask]) -> Iterator[Callable[[], Flask]]:
    """Makes another application in mid-test. The process's extensions follow the last one made, so that the others
    are not used again.
    """

    def make() -> Flask:
        app = create_app()
        app.testing = True
        return app

    yield make
    apps.clear()
    # It would count in memory for some seconds more: what a test counted is nothing to the next.
    limiter._storage_dead = False


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    """Somebody who is not signed in and reads English."""
    return Visitor(app)


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Hashed once: argon2 is slow on purpose."""
    return hash_password(PASSWORD)


@pytest.fixture
def make_account(session: Session, password_hash: str) -> Callable[..., Account]:
    """`make_account("li", Role.ADMIN)`: an account with `PASSWORD` that can sign in."""

    def make(name: str, *roles: Role, state: AccountState = AccountState.ACTIVE, locale: str = "en") -> Account:
        account = Account(
            email=f"{name}@example.org",
            email_key=f"{name}@example.org",
            name=name.title(),
            roles=list(roles),
            state=state,
            locale=locale,
            password_hash=None if state == AccountState.INVITED else password_hash,
        )
        session.add(account)
        session.commit()
        return account

    return make


@pytest.fixture
def admin(make_account: Callable[..., Account]) -> Account:
    """An account with the role admin."""
    return make_account("admin", Role.ADMIN)


@pytest.fixture
def signed_in(visitor: Visitor, admin: Account) -> Visitor:
    """A browser in which an admin is signed in."""
    visitor.sign_in(admin)
    return visitor
