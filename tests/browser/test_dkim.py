"""Keys made, their record copied, activated: an admin's way in a real browser, in both languages."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.dispatch.dkim import keys as dkim_keys
from mailer.dispatch.dkim.rules import record_name, record_value
from mailer.settings import get_settings
from tests.dispatch.name_server import NameServer
from tests.web.admin_scene import make_list

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
Look = Callable[[Page, str], None]


@pytest.fixture
def password(site: str, session: Session) -> str:
    """Of an admin; a newsletter of example.org goes out unsigned."""
    made = accounts.create_first_admin(session, "founder@example.org", "王主任")
    make_list(session)
    session.commit()
    return made


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    with NameServer({}) as server:
        monkeypatch.setenv("MAILER_DNS_SERVER", server.address)
        get_settings.cache_clear()
        yield server


def test_an_admin_makes_publishes_and_activates_keys(
    password: str, dns: NameServer, session: Session, new_context: NewContext, look: Look, language: str
) -> None:
    page = new_context(locale=language, permissions=["clipboard-read", "clipboard-write"]).new_page()
    page.goto("/account/sign-in")
    page.locator("#email").fill("founder@example.org")
    page.locator("#password").fill(password)
    page.locator("main button[type=submit]").click()

    page.goto("/admin/dkim")
    look(page, "nothing")
    page.locator(".alert-warning a[href$='domain=example.org']").click()
    expect(page.locator("#domain")).to_have_value("example.org")
    look(page, "form")
    page.locator("#selector").fill("spring")
    page.locator("main button[type=submit]").click()
    expect(page.locator("main tbody tr")).to_have_count(2)

    page.locator("main a", has_text="spring-rsa").click()
    expect(page).to_have_url(re.compile(r"/admin/dkim/\d+$"))
    look(page, "key")
    (key,) = [key for key in dkim_keys.list_keys(session) if key.selector == "spring-rsa"]
    name, value = record_name(key.domain, key.selector), record_value(key.algorithm, key.public_key)
    for field, text in (("record-name", name), ("record-value", value)):
        button = page.locator(f"[data-copy={field}]")
        copied = button.get_attribute("data-copied") or ""
        button.click()
        expect(button).to_contain_text(copied)
        assert page.evaluate("navigator.clipboard.readText()") == text

    dns.records[name] = [value]
    page.locator("a[href$='/activate']").click()
    expect(page).to_have_url(re.compile("/activate$"))
    look(page, "activate")
    expect(page.locator("main .btn-danger")).to_have_count(0)
    page.locator("main button[type=submit]").click()
    expect(page.locator("main tbody .bg-green-lt")).to_have_count(1)
    look(page, "list")
