"""Relays, providers, sending hours and a mailing on its way, in a real browser, in both languages and widths."""

import datetime as dt
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import text
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.db import now
from mailer.dispatch.models import Suspension
from mailer.dispatch.relays import registry as relays
from mailer.dispatch.suspending import suspend_relay
from tests.web.admin_scene import make_list, make_mailing, make_readers

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
Look = Callable[[Page, str], None]


@pytest.fixture
def scene(site: str, session: Session) -> tuple[str, int]:
    """An admin's password, and a mailing on its way: one relay of two left alone, QQ suspended, NetEase slowed."""
    password = accounts.create_first_admin(session, "founder@example.org", "王主任")
    target = make_list(session)
    mailing = make_mailing(session, target, readers := make_readers(session, target, 6), ["queued"] * len(readers))
    session.execute(text("UPDATE mailings SET state = 'sending', finished_at = NULL, started_at = now()"))
    for number, provider in enumerate(("qq.com", "netease.com")):
        session.execute(
            text("UPDATE deliveries SET provider = :provider WHERE id % 3 = :rest"),
            {"provider": provider, "rest": number},
        )
    for name, weight in (("main", 3), ("second", 1), ("reserve", 0)):
        relays.create_relay(
            session, by=None, name=name, host=f"{name}.test", port=587, security="starttls", username="", weight=weight
        )
    suspend_relay(session, relay="second", reply_class="connection", reply="Connection refused")
    hour = now(session) + dt.timedelta(hours=1)
    session.add(Suspension(provider="qq.com", until=hour, reply_class="rate", reply="550 Ip frequency limited"))
    slowed = Suspension(provider="netease.com", until=hour, reply_class="connections", kind="slowed", connections=1)
    session.add(slowed)
    session.commit()
    return password, mailing.id


def test_an_admin_sees_and_changes_the_ways_of_the_mail(
    scene: tuple[str, int], session: Session, new_context: NewContext, look: Look, language: str
) -> None:
    password, mailing_id = scene
    page = new_context(locale=language).new_page()
    page.goto("/account/sign-in")
    page.locator("#email").fill("founder@example.org")
    page.locator("#password").fill(password)
    page.locator("main button[type=submit]").click()

    page.goto("/admin/relays")
    look(page, "relays")
    page.goto("/admin/providers")
    look(page, "providers")
    page.goto("/admin/providers/qq.com")
    page.locator("#per_hour").fill("500")
    look(page, "provider")
    page.locator("main button[type=submit]").click()
    expect(page.locator("main tbody tr", has_text="qq.com").first).to_contain_text("500")

    page.goto(f"/desk/mailings/{mailing_id}")
    expect(page.locator("#progress")).to_contain_text("qq.com")
    look(page, "mailing")
    page.goto(f"/desk/mailings/{mailing_id}/hours")
    page.locator("input[name=kind][value=hours]").check()
    opens = now(session) + dt.timedelta(hours=2)
    page.locator("#starts").fill(opens.strftime("%H:%M"))
    page.locator("#ends").fill((opens + dt.timedelta(hours=1)).strftime("%H:%M"))
    look(page, "hours")
    page.locator("main button[type=submit]").click()
    expect(page.locator("main")).to_be_visible()
