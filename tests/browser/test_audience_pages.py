"""What lists ask and who was left out, in a real browser: the sign-up without script, and the admins' pages."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import accounts, links, newsletters
from mailer.accounts.rules import Role
from mailer.audience import entrance
from mailer.audience.adding import add_subscriber
from mailer.audience.deciding import Decision
from mailer.audience.models import Subscriber
from mailer.audience.preferences import save_preferences
from mailer.dispatch.models import Exclusion
from mailer.dispatch.rules import ExclusionReason
from mailer.letters.models import Letter
from tests.factories import SENT_AT
from tests.web.admin_scene import make_mailing, make_readers
from tests.web.portal_scene import Scene, send_issue, set_scene

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PASSWORD = "a long enough pass phrase, seldom used"

Look = Callable[[Page, str], None]
NewContext = Callable[..., BrowserContext]

ASKED = [
    {"key": "unit", "label": "所在单位", "is_required": True},
    {"key": "staff", "label": "单位人数", "kind": "number"},
    {"key": "since", "label": "成立日期", "kind": "date"},
    {"key": "rank", "label": "职级", "kind": "choice", "choices": ["处级及以上", "科级", "其他"]},
]


@pytest.fixture
def scene(site: str, session: Session) -> Scene:
    scene = set_scene(session)
    newsletters.change_list(session, scene.weekly, required_attributes=ASKED, owner="li@example.org")
    newsletters.change_newsletter(
        session, scene.tech, frequency="每月一期", allowed_origins=["https://www.example.org"]
    )
    send_issue(session, scene.tech)
    session.commit()
    return scene


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "plain"])
def test_a_reader_answers_what_a_list_asks_and_sees_it_before_confirming(
    session: Session,
    scene: Scene,
    new_context: NewContext,
    look: Look,
    language: str,
    monkeypatch: pytest.MonkeyPatch,
    has_script: bool,
) -> None:
    monkeypatch.setattr(entrance, "LEAST_SECONDS", 0.0)
    page = new_context(locale=language, java_script_enabled=has_script).new_page()

    def show(name: str) -> None:
        if has_script:
            look(page, name)

    page.goto("/n/tech/subscribe")
    show("sign-up")
    page.locator(f"[name=lists][value='{scene.weekly.id}']").check()
    page.locator("#email").fill("ann@example.org")
    page.locator("#agree").check()
    page.locator("#attribute-staff").fill("many")
    page.locator("main button[type=submit]").click()
    expect(page.locator("#attribute-unit-error")).to_be_visible()
    show("sign-up-refused")
    page.locator("#attribute-unit").fill("研发处")
    page.locator("#attribute-staff").fill("１２")
    page.locator("#attribute-since").fill("1956-03-01")
    page.locator("#attribute-rank").select_option("科级")
    page.locator("main button[type=submit]").click()
    expect(page).to_have_url(re.compile(r"/subscribe/sent$"))
    session.rollback()
    page.goto(session.scalars(select(Letter)).one().parameters["confirm_url"])
    expect(page.locator("main")).to_contain_text("研发处")
    show("confirm")
    page.locator("main button[type=submit]").click()
    expect(page.locator("main")).to_contain_text("周报")
    session.rollback()
    ann = session.scalars(select(Subscriber)).one()
    assert ann.attributes == {"unit": "研发处", "staff": "12", "since": "1956-03-01", "rank": "科级"}
    page.goto(f"/preferences/{links.make_preferences_token(ann.id)}")
    expect(page.locator("#attribute-rank")).to_have_value("科级")
    show("preferences")
    page.locator("#attribute-rank").select_option("其他")
    page.locator("main form >> nth=0").locator("button[type=submit]").click()
    expect(page.locator("[role=status]")).not_to_be_empty()
    session.rollback()
    session.refresh(ann)
    assert ann.attributes["rank"] == "其他"


@pytest.fixture
def admin_page(session: Session, new_context: NewContext, scene: Scene, language: str) -> Page:
    """Somebody who may do everything, signed in."""
    locale = language.replace("-", "_")
    accounts.create_account(
        session, email="root@example.org", name="Root", roles=list(Role), password=PASSWORD, locale=locale
    )
    session.commit()
    page = new_context(locale=language).new_page()
    page.goto("/account/sign-in")
    page.locator("#email").fill("root@example.org")
    page.locator("#password").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    expect(page.locator("nav").first).to_be_visible()
    return page


def test_admins_ask_decide_and_look_who_was_left_out(
    session: Session, scene: Scene, admin_page: Page, look: Look
) -> None:
    page = admin_page
    readers = make_readers(session, scene.weekly, 3)
    mailing = make_mailing(session, scene.weekly, readers, ["accepted"] * 3)
    mailing.prepared_at = SENT_AT
    root = accounts.find_account_by_email(session, "root@example.org")
    added = add_subscriber(
        session, email="zhang@example.org", name="张三", list_id=scene.weekly.id, basis="official_distribution",
        wording="发行通知〔2026〕7号", decision=Decision("某市科技局办公室", dt.date(2026, 3, 2)), by=root,
    )  # fmt: skip
    token = links.make_preferences_token(added.id)
    save_preferences(
        session, token, list_ids=[scene.weekly.id], locale="en", name="张三丰",
        attributes={"unit": "研发处", "staff": "12"},
    )  # fmt: skip
    reasons = list(ExclusionReason)
    for number, reader in enumerate([added, *make_more(session, 60)]):
        reason = reasons[number % len(reasons)]
        session.add(Exclusion(mailing_id=mailing.id, subscriber_id=reader.id, reason=reason))
    session.commit()
    for address, name in (
        (f"/admin/lists/{scene.weekly.id}", "list"),
        ("/admin/imports/new", "import"),
        ("/admin/subscribers/new", "add"),
        (f"/admin/subscribers/{added.id}", "timeline"),
        (f"/admin/subscribers/{added.id}/consent", "consent"),
        (f"/admin/newsletters/{scene.tech.id}/sign-up", "embedding"),
        (f"/desk/newsletters/{scene.tech.id}/settings", "settings"),
        (f"/desk/mailings/{mailing.id}", "mailing"),
        (f"/desk/mailings/{mailing.id}/roster", "roster"),
    ):
        page.goto(address)
        look(page, name)
    page.locator("a[rel=next]").click()
    expect(page.locator("a[rel=prev]")).to_be_visible()
    page.locator("#reason").select_option("paused")
    page.locator("#q").fill("zhang")
    page.locator("form[role=search] button").click()
    expect(page).to_have_url(re.compile("q=zhang"))
    look(page, "roster-searched")


def make_more(session: Session, count: int) -> list[Subscriber]:
    people = [
        Subscriber(email=f"out{n}@example.org", email_key=f"out{n}@example.org", domain="example.org")
        for n in range(count)
    ]
    session.add_all(people)
    session.flush()
    return people
