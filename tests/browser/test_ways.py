"""Relays, providers, sending hours and a mailing on its way, in a real browser, in both languages and widths."""

import datetime as dt
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.audience.models import Subscriber, Subscription
from mailer.db import now
from mailer.dispatch.models import Mailing, MailingList, Suspension
from mailer.dispatch.relays import registry as relays
from mailer.dispatch.rules import MailingState
from mailer.dispatch.suspending import suspend_relay
from mailer.newsletters.models import List
from tests.web.admin_scene import make_list, make_mailing, make_readers

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
Look = Callable[[Page, str], None]


@pytest.fixture
def scene(site: str, session: Session, language: str) -> tuple[str, int]:
    """An admin's password, and a mailing on its way: one relay of two left alone, QQ suspended, NetEase slowed."""
    password = accounts.create_first_admin(session, "founder@example.org", "王主任", locale=language.replace("-", "_"))
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

    plan_for_monday(session, mailing_id)
    page.goto(f"/desk/mailings/{mailing_id}/forecast")
    expect(page.locator("main tbody tr")).to_have_count(2)
    look(page, "forecast")


def plan_for_monday(session: Session, mailing_id: int) -> None:
    """The same mailing as if it had never left: to 300 readers at NetEase and six others."""
    session.rollback()
    mailing = session.get_one(Mailing, mailing_id)
    (target,) = session.scalars(select(List))
    for number in range(300):
        email = f"reader{number}@163.com"
        reader = Subscriber(email=email, email_key=email, domain="163.com")
        reader.subscriptions.append(Subscription(list_id=target.id, state="confirmed", source="form"))
        session.add(reader)
    session.execute(text("DELETE FROM deliveries"))
    mailing.state, mailing.roster_size, mailing.started_at = MailingState.SCHEDULED, None, None
    mailing.scheduled_at = dt.datetime(2050, 1, 3, 1, 0, tzinfo=dt.UTC)
    mailing.lists.append(MailingList(list_id=target.id))
    session.commit()
