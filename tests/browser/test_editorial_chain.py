"""An issue's whole way by those who work at it: imported and mended, returned with reasons, fixed, signed by three,
scheduled, and the schedule taken back. In both languages.
"""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.accounts.models import Account, AuditEntry
from mailer.accounts.rules import Role
from mailer.dispatch.models import Mailing
from mailer.letters.models import Letter
from mailer.newsletters import create_list
from mailer.newsroom import house_writing
from mailer.newsroom.chain import SigningStep
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.models import Issue
from tests.browser.test_desk import PASSWORD, Look, NewContext, enter
from tests.newsroom.making import make_newsletter
from tests.newsroom.test_importing import BULLETIN

# Four people with a browser each: on a machine that is busy with other things that takes its time.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PEOPLE = (("anna", "editor"), ("bao", "editor"), ("chen", "approver"), ("deng", "approver"))
STEPS = ("编辑", "审核", "签发")
# How an issue comes to be is no matter of its approval.
BEGUN = {"issue.created", "issue.imported"}


@pytest.fixture
def signers(session: Session) -> dict[str, Account]:
    """Anna writes; Bao (编辑), Chen (审核) and Deng (签发) sign; only Bao sends."""
    made = {
        name: accounts.create_account(
            session, email=f"{name}@example.org", name=name.title(), roles=[role], password=PASSWORD
        )
        for name, role in PEOPLE
    }
    newsletter = make_newsletter(session, title="云漓科技简报")
    create_list(session, newsletter, slug="all", name="全体订户")
    house_writing.change_house_rules(
        session,
        newsletter.id,
        by=None,
        steps=[
            SigningStep(step, Role(role), (made[name].id,))
            for step, (name, role) in zip(STEPS, PEOPLE[1:], strict=True)
        ],
        approval_days=5,
        sender_ids=[made["bao"].id],
        sensitive_words="",
        proofreaders="",
    )
    session.commit()
    return made


@pytest.fixture
def desk(new_context: NewContext, language: str) -> Callable[[str], Page]:
    """A colleague's own browser, signed in once. The pre-flight that each page fetches afterwards is no matter of this
    test (it asks the DNS), and is answered with nothing.
    """
    pages: dict[str, Page] = {}

    def at(name: str) -> Page:
        if name not in pages:
            page = enter(new_context, name, language)
            page.route("**/preflight**", lambda route: route.fulfill(body=""))
            pages[name] = page
        return pages[name]

    return at


def press(page: Page, button: Locator) -> None:
    """Presses what sends a form, and waits until the answer's page is there."""
    with page.expect_navigation(wait_until="domcontentloaded"):
        button.click()


def decide(page: Page, note: str, *, is_return: bool = False) -> None:
    page.goto("/desk/issues/1", wait_until="domcontentloaded")
    decision = page.locator("#decision")
    decision.locator("textarea").fill(note)
    press(page, decision.locator("button[formaction]" if is_return else "button.btn-success"))


def submit(page: Page, note: str) -> None:
    page.goto("/desk/issues/1")
    page.locator("#submit-note").fill(note)
    press(page, page.locator("form[action$='/submit'] button"))


def test_the_chain_from_the_file_to_the_schedule(
    session: Session,
    signers: dict[str, Account],
    desk: Callable[[str], Page],
    look: Look,
    tmp_path: Path,
    language: str,
) -> None:
    is_chinese = language == "zh-CN"
    anna = desk("anna")

    # Imported, looked at beside its source, mended in the editor.
    bulletin = tmp_path / "第4期.txt"
    bulletin.write_text(BULLETIN, encoding="utf-8")
    anna.goto("/desk/newsletters/1/upload")
    anna.locator("input[type=file]").first.set_input_files(bulletin)
    anna.locator("main form button[type=submit]").last.click()
    expect(anna).to_have_url(re.compile(r"/desk/issues/1/import$"), timeout=30_000)
    anna.goto("/desk/issues/1")
    titles = anna.locator(".article-list a.fw-semibold")
    expect(titles).to_have_count(2)
    first = titles.nth(0).inner_text()
    press(anna, titles.nth(0))
    expect(anna.locator(".ProseMirror")).to_be_visible(timeout=20_000)
    anna.locator("input[name=title]").fill(f"{first}（修订）")
    press(anna, anna.locator("main form button[type=submit]").first)
    expect(titles.nth(0)).to_have_text(f"{first}（修订）")
    expect(anna.locator(".signatures li")).to_contain_text(["编辑 Bao", "审核 Chen", "签发 Deng"])
    submit(anna, "请审")

    # Bao signs first; nobody else is asked yet.
    chen = desk("chen")
    chen.goto("/desk/issues/1")
    expect(chen.locator("#decision")).to_have_count(0)
    bao = desk("bao")
    bao.goto("/desk/")
    expect(bao.locator("section[aria-labelledby=waiting]")).to_contain_text("请您审签" if is_chinese else "Your turn")
    decide(bao, "同意")
    expect(bao.locator("#decision")).to_have_count(0)
    expect(bao.locator(".signatures li").nth(0)).to_contain_text("已签" if is_chinese else "signed")

    # Chen says what is wrong where it stands, and returns the issue with a reason; without one it stays.
    chen.goto("/desk/issues/1")
    press(chen, chen.locator(".article-list a.fw-semibold").nth(1))
    expect(chen).to_have_url(re.compile(r"/desk/issues/1/articles/\d+|/desk/articles/\d+/comments"))
    chen.locator("#comment-text").fill("数字与原文不符，请核对。")
    press(chen, chen.locator("section[aria-labelledby=comments] > form button"))
    expect(chen.locator("section[aria-labelledby=comments]")).to_contain_text("数字与原文不符")
    decide(chen, " ", is_return=True)
    expect(chen.locator(".alert-danger")).to_be_visible()
    decide(chen, "第二篇有误，见批注。", is_return=True)

    # Anna reads why, fixes the article beside the comment, settles it and submits once more.
    anna.goto("/desk/")
    expect(anna.locator("section[aria-labelledby=drafts]")).to_contain_text("已退回" if is_chinese else "Returned")
    anna.goto("/desk/issues/1")
    expect(anna.locator(".alert-danger")).to_contain_text("第二篇有误，见批注。")
    press(anna, titles.nth(1))
    expect(anna.locator("section[aria-labelledby=open-comments]")).to_contain_text("数字与原文不符")
    expect(anna.locator(".ProseMirror")).to_be_visible(timeout=20_000)
    look(anna, "article-with-a-comment")
    anna.locator(".ProseMirror").click()
    anna.keyboard.press("Control+End")
    anna.keyboard.type("（数字已核对）")
    press(anna, anna.locator("main form button[type=submit]").first)
    press(anna, anna.locator("a[href$='/comments']").nth(1))
    press(anna, anna.locator("form[action$='/settle'] button"))
    expect(anna.locator("form[action$='/reopen'] button")).to_be_visible()
    submit(anna, "已改")

    # Three signatures by three accounts; the round began again at the first.
    for name, step in zip(("bao", "chen", "deng"), STEPS, strict=True):
        decide(desk(name), f"{step}：同意")
    deng = desk("deng")
    expect(deng.locator(".step-item.active")).to_have_text("已签发" if is_chinese else "Approved")
    deng.goto("/desk/issues/1/history")
    expect(deng.locator(".record-table tbody tr")).to_have_count(7)
    # On paper an act that takes two lines has them one below the other, without a box around.
    deng.emulate_media(media="print")
    badge = deng.locator(".record-table .badge").first
    expect(badge).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    assert badge.evaluate(
        "b => parseFloat(getComputedStyle(b).lineHeight) >= 1.3 * parseFloat(getComputedStyle(b).fontSize)"
    )
    deng.emulate_media(media="screen")

    # Only Bao sends: for a time within the approval, another time, and not at all.
    anna.goto("/desk/issues/1")
    expect(anna.locator("main")).to_contain_text("由以下人员发送：Bao" if is_chinese else "Sent by: Bao")
    expect(anna.locator("a.btn[href$='/issues/1/send']")).to_have_count(0)
    bao.goto("/desk/issues/1/send")
    bao.locator("input[name=lists]").check()
    bao.locator("input[name=moment][value=later]").check()
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    bao.locator("#at").fill(f"{tomorrow + dt.timedelta(days=9):%Y-%m-%dT09:30}")
    press(bao, bao.locator("main form button[type=submit]").last)
    expect(bao.locator(".alert-danger")).to_contain_text("失效" if is_chinese else "runs out before that time")
    bao.locator("#at").fill(f"{tomorrow + dt.timedelta(days=1):%Y-%m-%dT09:30}")
    press(bao, bao.locator("main form button[type=submit]").last)
    press(bao, bao.locator("button[name=confirm]"))
    expect(bao).to_have_url(re.compile(r"/desk/mailings/1$"))
    look(bao, "scheduled")
    bao.locator("#at").fill(f"{tomorrow + dt.timedelta(days=2):%Y-%m-%dT10:00}")
    press(bao, bao.locator("form[action$='/schedule'] button"))
    expect(bao.locator("#progress")).to_contain_text(f"{tomorrow + dt.timedelta(days=2):%Y-%m-%d} 10:00")
    press(bao, bao.locator("form[action$='/unschedule'] button"))
    expect(bao.locator("#at")).to_have_value("")
    _what_is_kept(session, signers)


def _what_is_kept(session: Session, signers: dict[str, Account]) -> None:
    """One edition, one mailing that waits for a person, a letter to whoever was next, every act in the trail."""
    session.expire_all()
    issue = session.get_one(Issue, 1)
    edition = session.scalars(select(Edition)).one()
    mailing = session.scalars(select(Mailing)).one()
    assert (issue.state, mailing.state, mailing.scheduled_at) == ("approved", "draft", None)
    assert "（数字已核对）" in edition.text
    told = session.scalars(select(Letter.address).order_by(Letter.id)).all()
    assert [address.partition("@")[0] for address in told] == [
        "bao", "chen", "anna", "bao", "chen", "deng", "anna", "bao",
    ]  # fmt: skip
    acts = session.execute(
        select(AuditEntry.action, AuditEntry.account_id)
        .where(AuditEntry.action.like("issue.%") | AuditEntry.action.like("mailing.%"))
        .order_by(AuditEntry.id)
    ).all()
    names = {account.id: name for name, account in signers.items()}
    assert [(action.partition(".")[2], names[by]) for action, by in acts if action not in BEGUN] == [
        ("submitted", "anna"), ("passed", "bao"), ("returned", "chen"), ("submitted", "anna"),
        ("passed", "bao"), ("passed", "chen"), ("approved", "deng"),
        ("created", "bao"), ("scheduled", "bao"), ("scheduled", "bao"), ("unscheduled", "bao"),
    ]  # fmt: skip
