"""A reader in the archive, in a real browser on a phone and at a desk: search, read, turn to the next, be let in."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy.orm import Session

from mailer import links, newsletters
from mailer.audience.models import Subscriber, Subscription
from tests.web.portal_scene import Scene, send_issue, set_scene

pytestmark = pytest.mark.browser

Look = Callable[[Page, str], None]
NewContext = Callable[..., BrowserContext]
BODY = (
    "<p>各类创新主体积极响应、深度参与概念验证中心的建设和运营，为科技成果转化提供了有力支撑。</p>"
    "<p>The innovation centre and its partners met in spring.</p>"
) * 4


@pytest.fixture
def scene(session: Session) -> Scene:
    return set_scene(session)


def test_a_reader_searches_reads_and_turns_pages(
    session: Session, new_context: NewContext, look: Look, scene: Scene, language: str
) -> None:
    send_issue(session, scene.tech, number="1", year=2025, body=BODY, section="要闻")
    send_issue(session, scene.tech, number="3", body=BODY, section="要闻", articles=3)
    page = new_context(locale=language, viewport={"width": 1280, "height": 900}).new_page()
    page.goto("/n/tech/")
    page.get_by_role("searchbox").fill("概念验证 innovation")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator(".search-results > li")).to_have_count(5)
    expect(page.locator("mark").first).to_have_text("概念验证")
    look(page, "found")
    page.locator(".search-results a").first.click()
    expect(page.locator("h1")).to_contain_text("第1篇")
    look(page, "article")
    page.locator("a[rel=next]").click()
    expect(page.locator("h1")).to_contain_text("第2篇")
    page.locator(".back-row a").first.click()
    expect(page.locator(".masthead-number")).to_contain_text("2026年第3期")
    look(page, "issue")
    page.locator("a[rel=prev]").click()
    expect(page.locator(".masthead-number")).to_contain_text("2025")
    page.goto("/search?q=" + "没有的词")
    expect(page.locator(".empty-title")).to_have_text(re.compile("没有找到|Nothing found"))
    look(page, "nothing")
    page.goto("/n/tech/archive/2026")
    look(page, "year")


def test_lists_and_tables_of_an_article_keep_their_shape(
    session: Session, new_context: NewContext, look: Look, scene: Scene
) -> None:
    row = "<tr><td>东湖区</td><td>1,250.3</td><td>12.5%</td></tr>"
    table = f"<table><tbody><tr><td>区县</td><td>产值</td><td>同比</td></tr>{row * 2}</tbody></table>"
    listed = "<ul><li><p>甲</p><ol start=9><li><p>乙</p></li></ol></li></ul><blockquote><p>丙</p></blockquote>"
    issue = send_issue(session, scene.tech, body=f"<p>正文。</p>{listed}{table}")
    page = new_context(locale="zh-CN").new_page()
    page.goto(f"/n/tech/issues/{issue.id}")
    look(page, "shapes")
    indents = page.locator(".article-body :is(li, blockquote) p").evaluate_all(
        "all => all.map(each => getComputedStyle(each).textIndent)"
    )
    assert set(indents) == {"0px"}
    shown = page.locator(".article-body td").evaluate_all(
        "all => all.map(each => [getComputedStyle(each).display, getComputedStyle(each).textAlign])"
    )
    assert {display for display, _ in shown} == {"table-cell"}
    assert [align for _, align in shown][:3] == ["start", "end", "end"]


def test_an_archive_for_subscribers_opens_to_them(
    session: Session, new_context: NewContext, look: Look, scene: Scene, language: str
) -> None:
    issue = send_issue(session, scene.tech, body=BODY)
    newsletters.change_newsletter(session, scene.tech, archive_access="subscribers")
    reader = Subscriber(email="li@example.org", email_key="li@example.org", domain="example.org")
    reader.subscriptions = [Subscription(list_id=scene.weekly.id, state="confirmed", source="test")]
    session.add(reader)
    session.commit()
    page = new_context(locale=language).new_page()
    page.goto("/n/tech/")
    look(page, "outside")
    page.goto(f"/n/tech/?r={links.make_reading_token(scene.tech.id, reader.id)}")
    expect(page).to_have_url(re.compile("/n/tech/$"))
    expect(page.locator(".issue-list")).to_contain_text("2026年第3期")
    look(page, "inside")
    page.goto(f"/n/tech/issues/{issue.id}")
    expect(page.locator("article")).to_contain_text("概念验证中心")


def test_who_may_not_read_is_told_how_to_come_in(
    session: Session, site: str, chromium: Browser, look: Look, scene: Scene, language: str
) -> None:
    issue = send_issue(session, scene.tech)
    newsletters.change_newsletter(session, scene.tech, archive_access="subscribers")
    session.commit()
    # Not `new_context`: Chromium notes the 403 of the page, which is meant, as an error.
    context = chromium.new_context(base_url=site, locale=language, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"/n/tech/issues/{issue.id}")
    look(page, "closed")
    page.locator("input[name=email]").fill("nobody")
    page.locator("main button[type=submit]").click()
    expect(page.locator("#email-error")).to_be_visible()
    page.locator("input[name=email]").fill("li@example.org")
    page.locator("main button[type=submit]").click()
    expect(page.locator("[role=status]")).to_contain_text(re.compile("请注意查收|on its way"))
    context.close()
