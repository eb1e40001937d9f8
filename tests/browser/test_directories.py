"""A directory set up, tried, switched on, stopped by its limit and agreed to: an admin's way in a real browser."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.audience.directories.models import DirectoryRun
from mailer.audience.directories.syncing import run_directory
from mailer.settings import get_settings
from tests.web.admin_scene import make_list

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
Look = Callable[[Page, str], None]


@pytest.fixture
def password(site: str, session: Session) -> str:
    """Of an admin; there is a list."""
    made = accounts.create_first_admin(session, "founder@example.org", "王主任")
    make_list(session)
    session.commit()
    return made


@pytest.fixture
def folder(site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "hr"
    made.mkdir()
    monkeypatch.setenv("MAILER_DIRECTORY_DIR", str(made))
    monkeypatch.setenv("MAILER_DIRECTORY_HOSTS", "ldap.example.org:636,hr.example.org")
    get_settings.cache_clear()
    return made


def write(folder: Path, count: int) -> None:
    people = [f"reader{number}@example.org,李{number},物理所\n" for number in range(count)]
    (folder / "staff.csv").write_text("mail,name,unit\n" + "".join(people) + "nobody,,\n", encoding="utf-8")


def work(session: Session) -> None:
    """What a worker does with the newest run."""
    session.rollback()
    run_directory(session.scalars(select(DirectoryRun.id).order_by(DirectoryRun.id.desc()).limit(1)).one())


@pytest.mark.timeout(300)
def test_an_admin_lets_a_list_follow_a_directory(
    password: str, folder: Path, session: Session, new_context: NewContext, look: Look, language: str
) -> None:
    write(folder, 8)
    page = new_context(locale=language).new_page()
    page.goto("/account/sign-in")
    page.locator("#email").fill("founder@example.org")
    page.locator("#password").fill(password)
    page.locator("main button[type=submit]").click()

    # An account keeps its language; a page can be asked for in another.
    page.goto(f"/admin/directories?lang={language.replace('-', '_')}")
    expect(page.locator("h1")).to_have_text("Directories" if language == "en" else "人员目录")
    look(page, "nothing")
    page.locator("main .btn-primary").first.click()
    expect(page).to_have_url(re.compile("/admin/directories/new"))
    look(page, "kinds")
    for kind in ("ldap", "https"):
        page.goto(f"/admin/directories/new/{kind}")
        look(page, f"form-{kind}")
    page.goto("/admin/directories/new/file")
    page.locator("main form button[type=submit]").click()
    expect(page.locator("#location-error")).to_be_visible()
    look(page, "form-refused")
    for field, value in {
        "name": "研究所在职人员", "location": "staff.csv", "email": "mail", "attributes": "department = unit",
        "decided_by": "院办公室〔2026〕3号", "decided_on": "2026-01-05", "limit_percent": "50",
    }.items():  # fmt: skip
        page.locator(f"#{field}").fill(value)
    page.locator("main form button[type=submit]").click()
    expect(page.locator("h1")).to_have_text("研究所在职人员")
    look(page, "draft")

    page.locator("form[action$='/try'] button").click()
    expect(page.locator("#run-state[hx-get]")).to_be_visible()
    look(page, "waiting")
    work(session)
    # The page finds it out by itself.
    expect(page.locator("section[aria-labelledby=report] tbody tr")).to_have_count(9, timeout=15_000)
    look(page, "tried")
    page.locator("form[action$='/on'] button").click()
    page.locator("form[action$='/run'] button").click()
    work(session)
    expect(page.locator("section[aria-labelledby=report]")).to_be_visible(timeout=15_000)

    write(folder, 2)
    page.locator(".page-pretitle a").click()
    page.locator("form[action$='/run'] button").click()
    work(session)
    expect(page.locator(".alert-warning")).to_be_visible(timeout=15_000)
    look(page, "stopped")
    page.goto("/admin/")
    look(page, "attention")
    page.goto("/admin/directories")
    look(page, "list")
    page.locator("main tbody td:first-child a").click()
    expect(page).to_have_url(re.compile(r"/admin/directories/\d+$"))
    look(page, "waits")
    page.locator(".alert-warning a").click()
    page.locator("[data-confirm=approve]").click()
    expect(page.locator("dialog#approve")).to_be_visible()
    look(page, "asks")
    page.locator("dialog#approve button[type=submit]").click()
    work(session)
    expect(page.locator("section[aria-labelledby=report]")).to_be_visible(timeout=15_000)
    look(page, "agreed")
    page.goto("/admin/subscribers?state=removed")
    look(page, "removed")
    page.locator("main tbody a").first.click()
    expect(page).to_have_url(re.compile(r"/subscribers/\d+$"))
    look(page, "reader")
