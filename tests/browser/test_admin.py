"""An admin's way, in a real browser: invited, a list made, readers imported, an address suppressed, a relay set up and
tested, an unknown outcome decided, somebody shut out.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.accounts.rules import Role
from mailer.audience.import_models import ImportRun
from mailer.audience.importing import run_import
from mailer.letters.models import Letter
from tests.web.admin_scene import make_list, make_mailing, make_readers

pytestmark = pytest.mark.browser
PASSWORD = "a long enough pass phrase, seldom used"

Look = Callable[[Page, str], None]
NewContext = Callable[..., BrowserContext]


@pytest.fixture
def house(site: str, session: Session) -> None:
    """A list with readers, a mailing with unknown outcomes, and who invites."""
    founder = accounts.create_account(
        session, email="founder@example.org", name="Founder", roles=list(Role), password=PASSWORD
    )
    weekly = make_list(session)
    readers = make_readers(session, weekly, 4)
    make_mailing(session, weekly, readers, ["accepted", "unknown", "unknown", "rejected"])
    accounts.invite(session, email="chen@example.org", name="陈管理", roles=["admin"], locale="zh_CN", by=founder)
    session.commit()


def invitation(session: Session) -> str:
    session.rollback()
    return str(session.scalars(select(Letter)).one().parameters["url"])


def test_an_admin_comes_in_by_invitation_and_looks_after_the_service(
    house: None, session: Session, new_context: NewContext, look: Look, tmp_path: Path, language: str
) -> None:
    page = new_context(locale=language).new_page()
    page.goto(invitation(session))
    page.goto(f"{page.url}?lang={language.replace('-', '_')}")
    look(page, "invitation")
    page.locator("input[name=password]").fill("short")
    page.locator("input[name=repeated]").fill("short")
    page.locator("main button[type=submit]").click()
    expect(page.locator(".invalid-feedback")).to_be_visible()
    look(page, "refused")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=repeated]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    expect(page).to_have_url(re.compile("/desk/"))

    page.goto("/admin/")
    expect(page.locator("main")).to_contain_text(re.compile("PostgreSQL|Redis"))
    look(page, "attention")
    decide(page, look)
    make_a_list(page, look)
    import_readers(page, look, session, tmp_path)
    suppress(page, look)
    set_up_a_relay(page, look)
    for address in ("audit", "accounts", "accounts/1", "accounts/invite", "system", "lists", "relays"):
        page.goto(f"/admin/{address}")
        look(page, address.replace("/", "-"))
    page.goto("/account/profile")
    look(page, "profile")


def decide(page: Page, look: Look) -> None:
    page.goto("/admin/unknown")
    look(page, "unknown")
    page.locator("form[action*='/keep'] button").first.click()
    expect(page.locator("[role=status]")).to_contain_text(re.compile("已保留现状|left as it is"))
    page.locator("a[href*='send-again']").first.click()
    expect(page).to_have_url(re.compile("send-again"))
    look(page, "unknown-question")
    page.locator("main button[type=submit]").click()
    expect(page.locator("main")).to_contain_text(re.compile("没有待处理的投递|Nothing waits for a decision"))


def make_a_list(page: Page, look: Look) -> None:
    page.goto("/admin/lists/new")
    look(page, "new-list")
    page.locator("#slug").fill("daily")
    page.locator("#name").fill("每日快讯")
    page.locator("main button[type=submit]").click()
    expect(page.locator("main")).to_contain_text("daily.tech.example.org")


def import_readers(page: Page, look: Look, session: Session, folder: Path) -> None:
    file = folder / "订户.csv"
    file.write_bytes("邮箱,姓名\nnew@example.org,新订户\nnot an address,x\n".encode("gb18030"))
    page.goto("/admin/imports/new")
    look(page, "import")
    page.locator("#file").set_input_files(file)
    page.locator("#has_right").check()
    page.locator("main button[type=submit]").click()
    expect(page.locator("[name=column0]")).to_have_value("email")
    look(page, "import-columns")
    page.locator("main form:has([name=column0]) button[type=submit]").click()
    expect(page.locator("progress")).to_be_visible()
    look(page, "import-checking")
    session.rollback()
    run = session.scalars(select(ImportRun.id)).one()
    run_import(run)
    # The page finds out by itself.
    expect(page.locator("main")).to_contain_text("not an address", timeout=10_000)
    look(page, "import-checked")
    page.locator("[data-confirm=begin]").click()
    page.locator("dialog[open] button[type=submit]").click()
    expect(page.locator("progress")).to_be_visible()
    run_import(run)
    expect(page.locator("progress")).to_have_count(0, timeout=10_000)
    look(page, "import-finished")
    page.goto("/admin/subscribers?search=new")
    look(page, "subscribers")
    page.get_by_role("link", name="new@example.org").click()
    expect(page).to_have_url(re.compile(r"/subscribers/\d+$"))
    look(page, "subscriber")


def suppress(page: Page, look: Look) -> None:
    page.goto("/admin/suppressions/new")
    page.locator("#email").fill("reader3@example.org")
    page.locator("#note").fill("asked by phone")
    look(page, "suppress")
    page.locator("main button[type=submit]").click()
    expect(page.locator("main table")).to_contain_text("asked by phone")
    look(page, "suppressions")


def set_up_a_relay(page: Page, look: Look) -> None:
    page.goto("/admin/relays/new")
    look(page, "new-relay")
    page.locator("#name").fill("main")
    page.locator("#host").fill("127.0.0.1")
    page.locator("#port").fill("1")
    page.locator("#security").select_option("none")
    page.locator("main form[method=post] button[type=submit]").last.click()
    page.locator("form[action$='/test'] button").click()
    expect(page.locator("[role=alert]")).to_contain_text(re.compile("无法连接中继|cannot be reached"))
    look(page, "relay-tested")


def test_signing_in_from_the_keyboard_alone(house: None, new_context: NewContext, look: Look, language: str) -> None:
    page = new_context(locale=language).new_page()
    page.goto("/admin/accounts")
    expect(page).to_have_url(re.compile("/account/sign-in"))
    look(page, "sign-in")
    page.locator("#email").focus()
    page.keyboard.type("founder@example.org")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/admin/accounts$"))
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()


def test_without_script_an_account_is_disabled_after_a_question(
    house: None, session: Session, new_context: NewContext
) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto("/account/sign-in")
    page.locator("#email").fill("founder@example.org")
    page.locator("#password").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.goto("/admin/accounts/2")
    page.locator("a[href$='/disable']").click()
    page.locator("main button[type=submit]").click()
    expect(page.locator("main")).to_contain_text("账号已停用")
