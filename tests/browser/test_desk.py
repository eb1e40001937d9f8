"""An issue's way at the desk, in a real browser: imported, edited, reordered, submitted, approved, ready to send."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.audience.models import Subscriber, Subscription
from mailer.newsletters import create_list
from mailer.newsroom.models import Issue
from tests.newsroom.making import make_newsletter
from tests.newsroom.test_importing import BULLETIN

pytestmark = pytest.mark.browser
PASSWORD = "a long enough pass phrase, seldom used"

Look = Callable[[Page, str], None]
NewContext = Callable[..., BrowserContext]


@pytest.fixture
def house(session: Session) -> None:
    """A newsletter with a list, an editor and an approver."""
    for name, roles in (("anna", ["editor"]), ("bao", ["approver"]), ("chen", ["admin"])):
        accounts.create_account(session, email=f"{name}@example.org", name=name.title(), roles=roles, password=PASSWORD)
    newsletter = make_newsletter(session, title="云漓科技简报")
    made = create_list(session, newsletter, slug="all", name="全体订户")
    for number in range(120):
        address = f"reader{number}@{('qq.com.example', 'example.org', 'example.com')[number % 3]}"
        subscriber = Subscriber(email=address, email_key=address, domain=address.partition("@")[2])
        subscriber.subscriptions.append(Subscription(list_id=made.id, state="confirmed", source="test"))
        session.add(subscriber)
    session.commit()


def enter(new_context: NewContext, name: str, language: str) -> Page:
    page = new_context(locale=language).new_page()
    page.goto(f"/account/sign-in?lang={language.replace('-', '_')}")
    page.locator("input[name=email]").fill(f"{name}@example.org")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    expect(page).to_have_url(re.compile("/desk/"))
    return page


def test_an_issue_goes_from_the_file_to_its_approval(
    house: None, session: Session, new_context: NewContext, look: Look, tmp_path: Path, language: str
) -> None:
    bulletin = tmp_path / "第4期.txt"
    bulletin.write_bytes(BULLETIN.replace("新技术……3", "新技术“示范”……3").encode())
    anna = enter(new_context, "anna", language)
    look(anna, "overview")
    anna.goto("/desk/newsletters")
    look(anna, "newsletters")
    anna.goto("/desk/newsletters/1")
    look(anna, "newsletter")

    anna.goto("/desk/newsletters/1/upload")
    look(anna, "upload")
    anna.locator("input[type=file]").set_input_files(bulletin)
    anna.locator("main form button[type=submit]").last.click()
    expect(anna).to_have_url(re.compile("/import$"))
    look(anna, "import")

    anna.goto("/desk/issues/1")
    look(anna, "issue")
    rows = anna.locator(".article-list > li")
    expect(rows).to_have_count(2)
    rows.nth(0).locator("button[name=to]").nth(1).focus()
    anna.keyboard.press("Enter")
    expect(rows.nth(0)).to_contain_text("北渚县")
    handles = anna.locator(".drag-handle")
    handles.nth(0).drag_to(handles.nth(1), target_position={"x": 5, "y": 20})
    expect(rows.nth(0)).to_contain_text("云漓市启动中试基地建设")

    rows.nth(0).locator("a").first.click()
    expect(anna.locator(".ProseMirror")).to_be_visible()
    look(anna, "article")
    write_a_table_and_a_link(anna)
    anna.locator("main form button[type=submit]").first.click()
    expect(anna).to_have_url(re.compile(r"/desk/issues/1"))
    session.expire_all()
    body = session.get_one(Issue, 1).articles[0].body
    assert "<table>" in body
    assert '<a href="https://example.com/quelle">' in body
    assert "style=" not in body

    anna.goto("/desk/issues/1/edit")
    look(anna, "masthead")
    for view in ("desktop", "phone", "text"):
        anna.goto(f"/desk/issues/1/preview?view={view}")
        look(anna, f"preview-{view}")
    # The frame is as wide as what it is called, on a narrow page too.
    anna.set_viewport_size({"width": 390, "height": 900})
    for view, width in (("tablet", 766), ("phone", 300), ("desktop", 638)):
        anna.goto(f"/desk/issues/1/preview?view={view}")
        assert anna.locator("iframe").evaluate("frame => frame.clientWidth") >= width
    anna.set_viewport_size({"width": 1280, "height": 900})
    mail = anna.frame_locator("iframe")
    expect(mail.locator("body")).to_contain_text("云漓市启动中试基地建设")
    anna.locator("form[action$='/submit'] button").click()
    expect(anna.locator(".step-item.active")).to_have_count(1)
    look(anna, "submitted")

    bao = enter(new_context, "bao", language)
    look(bao, "waiting")
    bao.goto("/desk/issues/1/preview")
    look(bao, "decision")
    bao.locator("form[action$='/approve'] textarea").fill("同意")
    bao.locator("form[action$='/approve'] button[type=submit]").first.click()
    expect(bao.locator("form[action$='/approve']")).to_have_count(0)
    look(bao, "approved")
    bao.goto("/desk/editions/1")
    look(bao, "edition")
    bao.goto("/desk/issues/1/send")
    look(bao, "send")
    bao.locator("input[name=lists]").check()
    bao.locator("main form button[type=submit]").last.click()
    expect(bao.locator("button[name=confirm]")).to_be_visible()
    look(bao, "forecast")
    bao.locator("button[name=confirm]").click()
    expect(bao).to_have_url(re.compile(r"/desk/mailings/1$"))
    bao.goto("/desk/issues/1")
    look(bao, "sent")
    bao.goto("/desk/newsletters/1")
    look(bao, "issues")
    bao.goto("/desk/")
    look(bao, "under-way")


def write_a_table_and_a_link(page: Page) -> None:
    surface = page.locator(".ProseMirror")
    surface.click()
    page.keyboard.press("Control+End")
    page.keyboard.press("Enter")
    page.locator("[data-command=table]").click()
    page.keyboard.type("城市")
    expect(surface.locator("th").first).to_contain_text("城市")
    page.keyboard.press("Control+Home")
    page.keyboard.press("Control+k")
    page.locator("#link-address").fill("example.com/quelle")
    page.keyboard.press("Enter")
    expect(surface.locator("a")).to_have_attribute("href", "https://example.com/quelle")


def test_unsaved_words_are_not_lost_by_a_slip(house: None, session: Session, new_context: NewContext) -> None:
    anna = enter(new_context, "anna", "zh-CN")
    anna.goto("/desk/newsletters/1")
    anna.locator("form[action$='/issues'] button").click()
    anna.locator("a[href$='/articles/new']").first.click()
    anna.locator(".ProseMirror").click()
    anna.keyboard.type("还没有保存")
    asked = []
    anna.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    with anna.expect_event("dialog"):
        anna.locator("a[href='/desk/newsletters/1']").first.click()
    assert asked == ["beforeunload"]
    assert "articles/new" in anna.url


def test_newsletter_settings_are_usable_on_a_phone(
    house: None, new_context: NewContext, look: Look, language: str
) -> None:
    chen = enter(new_context, "chen", language)
    chen.goto("/desk/newsletters/1/settings")
    look(chen, "settings")
    assert chen.locator("main form").count() > 0
    chen.goto("/desk/newsletters/new")
    look(chen, "found")
    assert chen.locator("main form").count() > 0
