"""A reader's way, in a real browser on a phone and at a desk: sign up, confirm, choose, leave, come back, read."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import links
from mailer.audience import entrance
from mailer.audience.models import Subscriber, Subscription
from mailer.letters.models import Letter
from tests.web.portal_scene import Scene, send_issue, set_scene

pytestmark = pytest.mark.browser

Look = Callable[[Page, str], None]
NewContext = Callable[..., BrowserContext]


@pytest.fixture
def scene(session: Session, monkeypatch: pytest.MonkeyPatch) -> Scene:
    # A test fills in a form quicker than a person can; that this is noticed is tested elsewhere.
    monkeypatch.setattr(entrance, "LEAST_SECONDS", 0.0)
    return set_scene(session)


def states(session: Session) -> list[str]:
    session.rollback()
    return [str(state) for state in session.scalars(select(Subscription.state).order_by(Subscription.list_id))]


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_a_reader_signs_up_confirms_chooses_leaves_and_comes_back(
    session: Session, site: str, new_context: NewContext, look: Look, scene: Scene, language: str, has_script: bool
) -> None:
    context = new_context(locale=language, java_script_enabled=has_script, viewport={"width": 375, "height": 800})
    page = context.new_page()
    # Without script axe-core cannot run either; the page is the same.
    see: Look = look if has_script else (lambda _page, _name: None)

    page.goto("/")
    see(page, "home")
    page.get_by_role("link", name=re.compile("科技参考")).first.click()
    see(page, "newsletter")
    page.locator("input[name=email]").fill("ann@example.org")
    page.locator("input[name=lists]").first.check()
    page.locator("input[name=agree]").check()
    page.locator("main button[type=submit]").click()
    expect(page).to_have_url(re.compile("/subscribe/sent$"))
    expect(page.locator("main")).to_contain_text("ann@example.org")
    see(page, "mailbox")

    session.rollback()
    letter = session.scalars(select(Letter)).one()
    page.goto(letter.parameters["confirm_url"])
    see(page, "confirm")
    assert states(session) == ["unconfirmed"]
    page.locator("main button[type=submit]").click()
    expect(page.locator("h1")).to_have_text(re.compile("订阅成功|You are subscribed"))
    see(page, "confirmed")
    assert states(session) == ["confirmed"]

    page.get_by_role("link", name=re.compile("订阅设置|Subscription settings")).click()
    see(page, "preferences")
    page.locator(f"input[name=lists][value='{scene.letter.id}']").check()
    page.locator("input[name=name]").fill("安娜")
    page.get_by_role("button", name=re.compile("保存|Save")).click()
    expect(page.locator("[role=status]")).to_contain_text(re.compile("设置已保存|settings are saved"))
    assert states(session) == ["confirmed", "confirmed"]

    ann = session.scalars(select(Subscriber)).one()
    target = links.UnsubscribeTarget(ann.id, 0, (scene.weekly.id,))
    page.goto(f"{site}/u/{links.make_unsubscribe_token(target)}")
    see(page, "leave")
    assert states(session) == ["confirmed", "confirmed"]
    page.locator("main button[type=submit]").click()
    expect(page.locator("h1")).to_have_text(re.compile("已退订|You are unsubscribed"))
    see(page, "left")
    assert states(session) == ["unsubscribed", "confirmed"]
    page.get_by_role("button", name=re.compile("撤销|Undo")).click()
    see(page, "undone")
    assert states(session) == ["confirmed", "confirmed"]


def test_what_is_refused_over_or_not_there_is_said_on_pages_as_good_as_the_others(
    site: str, chromium: Browser, look: Look, scene: Scene, language: str
) -> None:
    # A context without the complaints of the others: these answers are errors, and the browser's console says so.
    context = chromium.new_context(base_url=site, locale=language)
    page = context.new_page()
    page.goto("/n/tech/subscribe")
    page.locator("main button[type=submit]").click()
    expect(page.locator("#email-error")).to_be_visible()
    look(page, "refused")
    page.goto(f"/confirm/{links.make_confirm_token(4711, [scene.weekly.id], days=-1)}")
    look(page, "over")
    page.goto("/n/none/")
    look(page, "not there")
    context.close()


def test_the_form_is_filled_in_with_the_keyboard_alone(session: Session, new_context: NewContext, scene: Scene) -> None:
    page = new_context(locale="en").new_page()
    page.goto("/n/harbour/subscribe")
    page.locator("main input[name=email]").focus()
    page.keyboard.type("ann@example.org")
    for _ in range(2):  # name, then the box: the trap between them is no stop
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("input[name=agree]")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/subscribe/sent$"))
    assert states(session) == ["unconfirmed"]


def test_the_archive_is_read_in_both_languages_and_at_both_widths(
    session: Session, new_context: NewContext, look: Look, scene: Scene, language: str
) -> None:
    send_issue(session, scene.tech, number="1", year=2025)
    issue = send_issue(session, scene.tech, number="2", section="要闻")
    page = new_context(locale=language).new_page()
    page.goto("/n/tech/")
    look(page, "newsletter")
    page.goto("/n/tech/archive/2025")
    look(page, "year")
    page.goto(links.issue_url("tech", issue.id))
    look(page, "issue")
    page.locator("ol.contents a").nth(1).click()
    expect(page).to_have_url(re.compile(r"#article-"))
    page.locator("h3.article-title a").nth(1).click()
    expect(page.locator("h1")).to_have_text("第2篇 副题")
    look(page, "article")
    page.goto("/privacy")
    look(page, "privacy")
    page.goto("/subscribe")
    look(page, "subscribe")


def test_a_printed_issue_has_the_issue_and_nothing_around_it(
    session: Session, new_context: NewContext, scene: Scene
) -> None:
    issue = send_issue(session, scene.tech)
    page = new_context().new_page()
    page.goto(links.issue_url("tech", issue.id))
    page.emulate_media(media="print")
    expect(page.locator(".sheet")).to_be_visible()
    for around in ("header.navbar", "footer.footer", ".back-row", ".skip-link"):
        expect(page.locator(around)).to_be_hidden()
