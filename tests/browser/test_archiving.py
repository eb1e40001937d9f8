"""A correction that waits to be shown, and a retraction with its undo: at the desk and as readers see it."""

import datetime as dt
import re

import pytest
from playwright.sync_api import expect
from sqlalchemy.orm import Session

from mailer.newsletters import get_newsletter
from mailer.newsroom import approval, archiving, correcting, editing
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.models import Issue
from tests.browser.test_desk import Look, NewContext, enter, house
from tests.newsroom.making import make_issue

__all__ = ["house"]
pytestmark = pytest.mark.browser
REASON = "第2篇文章的数据未经核实，与来源不符，经研究予以撤稿。\n如有疑问，请与编辑部联系。"


def approve(session: Session, issue: Issue) -> Edition:
    approval.submit(session, issue, by=None)
    edition = approval.approve(session, issue, by=None)
    session.commit()
    return edition


@pytest.fixture
def issue(house: None, session: Session) -> Issue:
    """Sent, corrected, and the correction approved."""
    issue = make_issue(session, get_newsletter(session, 1))
    archiving.mark_sent(session, approve(session, issue).id, dt.datetime(2026, 3, 1, 2, tzinfo=dt.UTC))
    correcting.begin(session, issue, "第1篇的数字有误。", by=None)
    article = issue.articles[0]
    editing.change_article(session, article, revision=article.revision, by=None, body="<p>改正后的内容。</p>")
    approve(session, issue)
    return issue


def test_a_correction_is_released_and_an_issue_retracted_and_brought_back(
    session: Session, issue: Issue, new_context: NewContext, look: Look, language: str
) -> None:
    at, web = f"/desk/issues/{issue.id}", f"/n/keji/issues/{issue.id}"
    bao = enter(new_context, "bao", language)
    bao.goto(at)
    look(bao, "waiting")
    bao.locator("main .alert a.btn").first.click()
    expect(bao).to_have_url(re.compile(r"/archive$"))
    look(bao, "archive-waiting")
    bao.locator("[data-confirm=release]").click()
    bao.locator("#release button[type=submit]").click()
    expect(bao.locator("#acts")).to_be_visible()
    expect(bao.locator("[data-confirm=release]")).to_have_count(0)
    session.expire_all()
    assert issue.shown_edition_id is not None
    assert session.get_one(Edition, issue.shown_edition_id).ordinal == 2

    # Without the tick nothing is sent: the browser itself asks for it.
    bao.locator("#retract-note").fill(REASON)
    bao.locator("form[action$='/retract'] button[type=submit]").click()
    expect(bao.locator("input[name=sure]:invalid")).to_have_count(1)
    bao.locator("input[name=sure]").check()
    bao.locator("form[action$='/retract'] button[type=submit]").click()
    expect(bao.locator("[data-confirm=reinstate]")).to_be_visible()
    look(bao, "archive-retracted")
    bao.goto(at)
    look(bao, "issue-retracted")

    reader = new_context(locale=language).new_page()
    reader.goto(f"/n/keji/?lang={language.replace('-', '_')}")
    look(reader, "list")
    session.expire_all()
    assert issue.retracted_at is not None
    bao.goto(f"{at}/archive")
    bao.locator("[data-confirm=reinstate]").click()
    bao.locator("#reinstate button[type=submit]").click()
    expect(bao.locator("#retract-note")).to_be_visible()
    reader.goto(web)
    expect(reader.locator(".sheet")).to_contain_text("改正后的内容")


def test_readers_find_the_trace_of_a_retracted_issue(
    session: Session, issue: Issue, new_context: NewContext, look: Look, language: str
) -> None:
    archiving.retract(session, issue, REASON, by=None)
    session.commit()
    reader = new_context(locale=language).new_page()
    reader.set_content("<p></p>")
    answer = reader.request.get(f"/n/keji/issues/{issue.id}")
    assert answer.status == 410
    # A browser complains of the status of a page it opens, which is meant here: the page is looked at as it came.
    reader.route("**/n/keji/issues/*", lambda route: route.fulfill(response=route.fetch(), status=200))
    reader.goto(f"/n/keji/issues/{issue.id}?lang={language.replace('-', '_')}")
    expect(reader.locator(".retraction")).to_contain_text("经研究予以撤稿")
    look(reader, "retracted")
