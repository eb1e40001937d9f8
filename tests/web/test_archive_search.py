"""The search pages, as a browser without script has them."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from mailer import links
from tests.web.conftest import Visitor
from tests.web.portal_scene import Scene, send_issue, set_scene


@pytest.fixture
def scene(session: Session) -> Scene:
    return set_scene(session)


def test_the_box_on_a_newsletters_page_leads_to_articles_with_the_word_marked(
    session: Session, visitor: Visitor, scene: Scene
) -> None:
    issue = send_issue(session, scene.tech, body="<p>深耕<b>生</b>物医药产业，{{ name }}。</p>", section="要闻")
    [form] = visitor.get("/n/tech/").tree.xpath("//form[@role='search']")
    assert (form.get("method"), form.get("action")) == ("get", "/n/tech/search")
    page = visitor.get("/n/tech/search?q=生物")
    assert page.status == 200
    assert [a.get("href") for a in page.tree.xpath("//ol//h3/a")] == [
        links.article_url("tech", issue.id, issue.id * 100 + n) for n in (1, 2)
    ]
    assert page.tree.xpath("//ol//mark/text()") == ["生物", "生物"]
    assert [p.text_content() for p in page.tree.xpath("//p[@class='search-snippet']")] == [
        "深耕生物医药产业，读者。"
    ] * 2
    assert "2026年第3期" in page.text
    assert "2 articles" in page.text
    [box] = page.tree.xpath("//input[@name='q']")
    assert box.get("value") == "生物"
    [item] = page.tree.xpath("//ol/li")[:1]
    assert item.get("lang") == "zh-CN"


def test_all_newsletters_are_searched_at_once(session: Session, visitor: Visitor, scene: Scene) -> None:
    send_issue(session, scene.tech, title="Tides and 科技")
    send_issue(session, scene.harbour, title="Tide tables")
    page = visitor.get("/search?q=tide")
    assert len(page.tree.xpath("//ol/li")) == 4
    assert {"科技参考", "Harbour Letter"} <= {name for name in ("科技参考", "Harbour Letter") if name in page.text}
    assert visitor.get("/").tree.xpath("//form[@role='search']/@action") == ["/search"]


def test_what_an_editor_or_a_visitor_wrote_is_text(session: Session, visitor: Visitor, scene: Scene) -> None:
    send_issue(session, scene.tech, title="<b>科技</b>&amp;", body="<p>&lt;script&gt;alert(1)&lt;/script&gt; 科技</p>")
    raw = visitor.get('/n/tech/search?q=科技 "><script>alert(2)</script>').response.get_data(as_text=True)
    assert "<script>alert" not in raw
    page = visitor.get("/n/tech/search?q=科技")
    assert page.tree.xpath("//h3//b") == []
    assert "<script>alert(1)</script>" in page.text


@pytest.mark.parametrize(
    ("typed", "status", "says"),
    [
        ("", 200, ""),
        ("。！", 200, "Nothing to look for"),
        ("龘靐", 200, "Nothing found"),
        ("长" * 101, 422, "fewer words"),
        ("a\x00b", 200, "Nothing found"),
    ],
)
def test_what_cannot_be_found_is_said(
    session: Session, visitor: Visitor, scene: Scene, typed: str, status: int, says: str
) -> None:
    send_issue(session, scene.tech)
    page = Visitor(visitor.client.application).get("/n/tech/search?q=" + typed.replace("\0", "%00"))
    assert page.status == status
    assert says in page.text
    if status == 422:
        assert page.tree.xpath("//input[@aria-invalid]")


def test_results_go_by_pages(session: Session, visitor: Visitor, scene: Scene) -> None:
    send_issue(session, scene.tech, articles=23)
    first = visitor.get("/n/tech/search?q=正文")
    [following] = first.tree.xpath("//a[@rel='next']/@href")
    second = visitor.get(following)
    assert (len(first.tree.xpath("//ol/li")), len(second.tree.xpath("//ol/li"))) == (20, 3)
    [back] = second.tree.xpath("//a[@rel='prev']/@href")
    assert len(visitor.get(back).tree.xpath("//ol/li")) == 20
    assert second.tree.xpath("//a[@rel='next']") == []
    assert len(visitor.get("/n/tech/search?q=正文&page=40").tree.xpath("//ol/li")) == 20
    assert visitor.get("/n/tech/search?q=正文&page=-3").status == 200


def test_the_page_speaks_the_visitors_language(app: Flask, session: Session, scene: Scene) -> None:
    send_issue(session, scene.tech)
    page = Visitor(app, language="zh-CN").get("/n/tech/search?q=正文")
    assert page.heading == "搜索《科技参考》"
