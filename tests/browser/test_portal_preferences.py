"""A reader settles things: away, another address, gone, back again; and signs up while robots besiege the form."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import links
from mailer.audience import entrance, proofs
from mailer.audience.confirming import confirm
from mailer.audience.models import Subscriber, Subscription
from mailer.audience.subscribing import sign_up
from mailer.letters.models import Letter
from tests.conftest import forget_settings
from tests.web.portal_scene import Scene, set_scene

pytestmark = pytest.mark.browser

Look = Callable[[Page, str], None]
NewContext = Callable[..., BrowserContext]


@pytest.fixture
def scene(session: Session, monkeypatch: pytest.MonkeyPatch) -> Scene:
    # A test fills in a form quicker than a person can; that this is noticed is tested elsewhere.
    monkeypatch.setattr(entrance, "LEAST_SECONDS", 0.0)
    return set_scene(session)


def newest_links(session: Session) -> dict[str, str]:
    """Address -> the link of the newest letter to it."""
    session.rollback()
    letters = session.scalars(select(Letter).order_by(Letter.id))
    return {each.address: each.parameters.get("url") or each.parameters.get("confirm_url") for each in letters}


def states(session: Session) -> set[str]:
    session.rollback()
    return {str(state) for state in session.scalars(select(Subscription.state))}


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_a_reader_pauses_moves_leaves_and_comes_back(
    session: Session, site: str, new_context: NewContext, look: Look, scene: Scene, language: str, has_script: bool
) -> None:
    sign_up(session, email="ann@example.org", list_ids=[scene.weekly.id], wording="x", locale="en")
    session.commit()
    confirm(session, newest_links(session)["ann@example.org"].rpartition("/")[2])
    session.commit()
    ann = session.scalars(select(Subscriber)).one()
    page = new_context(
        locale=language, java_script_enabled=has_script, viewport={"width": 375, "height": 800}
    ).new_page()
    # Without script axe-core cannot run either; the page is the same.
    see: Look = look if has_script else (lambda _page, _name: None)

    page.goto(f"/preferences/{links.make_preferences_token(ann.id)}")
    page.locator("#until").fill((dt.datetime.now(dt.UTC) + dt.timedelta(days=20)).date().isoformat())
    page.locator("#pause button").click()
    expect(page.locator("[role=note]")).to_be_visible()
    page.locator("#new-email").fill("new@example.com")
    page.locator("#address form button").last.click()
    expect(page.locator("#address")).to_contain_text("new@example.com")
    see(page, "settings")

    for mailbox in ("ann@example.org", "new@example.com"):
        page.goto(newest_links(session)[mailbox])
        see(page, f"address-{mailbox[:3]}")
        page.locator("main button").first.click()
    expect(page.locator("h1")).to_have_text(re.compile("邮箱已更换|Your address is changed"))
    see(page, "moved")
    page.get_by_role("link", name=re.compile("订阅设置|Subscription settings")).click()
    expect(page.locator("main")).to_contain_text("new@example.com")

    page.locator("#data button").click()
    page.goto(newest_links(session)["new@example.com"])
    see(page, "data")
    page.get_by_role("link", name=re.compile("删除|Erase")).click()
    page.locator("main button").click()
    expect(page.locator("#sure-error")).to_be_visible()
    see(page, "erase")

    page.goto(f"/preferences/{links.make_preferences_token(ann.id)}")
    page.locator("#reason").select_option("too_many")
    page.get_by_role("button", name=re.compile("退订全部刊物|Unsubscribe from everything")).click()
    expect(page.locator("h1")).to_have_text(re.compile("已退订|You are unsubscribed"))
    see(page, "left")
    assert states(session) == {"unsubscribed"}

    page.goto("/n/tech/subscribe")
    page.locator("input[name=email]").fill("new@example.com")
    page.locator("input[name=lists]").first.check()
    page.locator("input[name=agree]").check()
    page.locator("main button[type=submit]").click()
    expect(page).to_have_url(re.compile("/subscribe/sent$"))
    page.goto(newest_links(session)["new@example.com"])
    page.locator("main button[type=submit]").click()
    expect(page.locator("h1")).to_have_text(re.compile("订阅成功|You are subscribed"))
    assert states(session) == {"confirmed"}


@pytest.fixture
def besieged(monkeypatch: pytest.MonkeyPatch) -> None:
    """One calm place an hour, and none without a proof."""
    monkeypatch.setenv("MAILER_SIGN_UPS_PER_HOUR", "1")
    monkeypatch.setenv("MAILER_SIGN_UPS_WITHOUT_PROOF", "0")
    monkeypatch.setattr(proofs, "GUESSES", (20, 60))
    forget_settings()


def fill_in(page: Page, email: str) -> None:
    page.goto("/n/tech/subscribe")
    page.locator("input[name=email]").fill(email)
    page.locator("input[name=lists]").first.check()
    page.locator("input[name=agree]").check()
    page.locator("main button[type=submit]").click()


@pytest.mark.usefixtures("besieged")
def test_under_pressure_the_browser_works_for_its_place(
    session: Session, site: str, new_context: NewContext, look: Look, scene: Scene, language: str
) -> None:
    page = new_context(locale=language).new_page()
    fill_in(page, "calm@example.org")
    expect(page).to_have_url(re.compile("/subscribe/sent$"))
    page.goto("/n/tech/subscribe")
    expect(page.locator("altcha-widget input[type=checkbox]")).to_be_visible()
    look(page, "besieged")
    fill_in(page, "pressed@example.org")
    expect(page).to_have_url(re.compile("/subscribe/sent$"), timeout=15_000)
    session.rollback()
    assert [each.address for each in session.scalars(select(Letter).order_by(Letter.id))] == [
        "calm@example.org", "pressed@example.org",
    ]  # fmt: skip


@pytest.mark.usefixtures("besieged")
def test_under_pressure_without_script_it_is_said_kindly(
    session: Session, site: str, new_context: NewContext, scene: Scene
) -> None:
    page = new_context(locale="en", java_script_enabled=False).new_page()
    fill_in(page, "calm@example.org")
    fill_in(page, "pressed@example.org")
    expect(page.locator("[role=alert]")).to_contain_text("Without script, please try again in an hour")
    expect(page.locator("main")).to_contain_text("Without script there are few places an hour")
    expect(page.locator("input[name=email]")).to_have_value("pressed@example.org")
    session.rollback()
    assert len(session.scalars(select(Letter)).all()) == 1
