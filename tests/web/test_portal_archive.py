"""The web edition of what was sent, and the archive that leads there."""

import itertools

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from mailer import links
from mailer.newsroom import editing
from mailer.newsroom.edition_models import Edition, EditionArticle
from mailer.newsroom.models import Issue
from tests.web.conftest import Visitor
from tests.web.portal_scene import Scene, send_issue, set_scene


@pytest.fixture
def scene(session: Session) -> Scene:
    return set_scene(session)


def address(newsletter: str, issue: Issue, article: int | None = None) -> str:
    url = links.issue_url(newsletter, issue.id) if article is None else links.article_url(newsletter, issue.id, article)
    return url.removeprefix("http://127.0.0.1:8000")


def test_a_sent_issue_is_shown_as_it_was_sent(session: Session, visitor: Visitor, scene: Scene) -> None:
    issue = send_issue(session, scene.tech)
    page = visitor.get(address("tech", issue))
    assert page.status == 200
    assert page.heading == "科技参考"
    assert "2026年第3期" in page.text
    assert "2026年3月3日" in page.text
    assert "某市科技局" in page.text
    assert "第1篇的正文，读者。" in page.text
    assert "王五" in page.text
    [sheet] = page.tree.xpath("//article")
    assert sheet.get("lang") == "zh-CN"
    contents = [(a.get("href"), a.text) for a in page.tree.xpath("//ol[@class='contents']//a")]
    assert contents == [(f"#article-{issue.id * 100 + n}", f"第{n}篇 副题") for n in (1, 2)]
    assert all(page.tree.get_element_by_id(anchor.removeprefix("#")) is not None for anchor, _ in contents)


def test_editing_after_sending_does_not_change_the_web_edition_until_it_is_approved_again(
    session: Session, visitor: Visitor, scene: Scene
) -> None:
    issue = send_issue(session, scene.tech)
    editing.add_article(session, issue, by=None, title="后来添加", body="<p>后来</p>")
    session.commit()
    assert "后来" not in visitor.get(address("tech", issue)).text
    second = Edition(
        issue_id=issue.id, ordinal=2, subject="x", theme="bulletin", language="zh_CN", html="", text="",
        content_hash="1" * 64, masthead={"title": "科技参考"},
    )  # fmt: skip
    second.articles = [EditionArticle(article_id=7, position=1, title="更正", body="<p>更正的正文</p>")]
    session.add(second)
    session.commit()
    # Approved, and not released: at no address is there anything of it.
    assert "更正的正文" not in visitor.get(address("tech", issue)).text
    assert visitor.get(address("tech", issue, 7)).status == 404
    issue.shown_edition_id = second.id
    session.commit()
    page = visitor.get(address("tech", issue))
    assert "更正的正文" in page.text
    assert "第1篇" not in page.text
    # A link in the first mail still leads to what it promised.
    assert "第1篇的正文" in visitor.get(address("tech", issue, issue.id * 100 + 1)).text


def test_an_article_stands_by_itself_with_its_neighbours(session: Session, visitor: Visitor, scene: Scene) -> None:
    issue = send_issue(session, scene.tech, articles=3)
    page = visitor.get(address("tech", issue, issue.id * 100 + 2))
    assert page.heading == "第2篇 副题"
    assert "第2篇的正文" in page.text
    assert "第1篇的正文" not in page.text
    around = {a.get("rel"): a.get("href") for a in page.tree.xpath("//nav[contains(@class, 'sheet-nav')]/a")}
    assert around == {
        "prev": links.article_url("tech", issue.id, issue.id * 100 + 1),
        "next": links.article_url("tech", issue.id, issue.id * 100 + 3),
    }
    assert [a.get("href") for a in page.tree.xpath("//link[@rel='canonical']")] == [
        links.article_url("tech", issue.id, issue.id * 100 + 2)
    ]


def test_what_was_never_sent_or_is_another_newsletters_is_not_found(
    session: Session, visitor: Visitor, scene: Scene
) -> None:
    issue = send_issue(session, scene.tech)
    assert visitor.get(address("harbour", issue)).status == 404
    assert visitor.get(address("tech", issue, 1)).status == 404
    assert visitor.get("/n/tech/issues/9999").status == 404
    assert visitor.get("/n/none/issues/1").status == 404
    assert visitor.get("/n/tech/issues/99999999999999999999").status == 404
    issue.first_sent_at = None
    session.commit()
    assert visitor.get(address("tech", issue)).status == 404
    assert visitor.get(address("tech", issue, issue.id * 100 + 1)).status == 404


def test_issues_lead_to_each_other_and_the_archive_goes_by_year(
    session: Session, visitor: Visitor, scene: Scene
) -> None:
    old = send_issue(session, scene.tech, number="1", year=2025)
    middle = send_issue(session, scene.tech, number="1")
    new = send_issue(session, scene.tech, number="2")
    page = visitor.get(address("tech", middle))
    around = {a.get("rel"): a.get("href") for a in page.tree.xpath("//nav[contains(@class, 'sheet-nav')]/a")}
    assert around == {"prev": address("tech", old), "next": address("tech", new)}
    assert visitor.get(address("tech", new)).tree.xpath("//a[@rel='next']") == []
    home = visitor.get("/n/tech/")
    listed = [a.get("href") for a in home.tree.xpath("//ul[@class='issue-list']//a")]
    assert listed == [address("tech", each) for each in (new, middle, old)]
    assert "3 issues in the past year" in home.text or "issues" in home.text
    year = visitor.get("/n/tech/archive/2025")
    assert [a.get("href") for a in year.tree.xpath("//ul[@class='issue-list']//a")] == [address("tech", old)]
    assert visitor.get("/n/tech/archive/2024").status == 404
    assert visitor.get("/n/tech/issues/").path == "/n/tech/"


def test_an_editors_html_is_data_here_too(session: Session, visitor: Visitor, scene: Scene) -> None:
    nasty = (
        '<p onclick="x()">甲<script>alert(1)</script>{{ unsubscribe_url }}{% raw %}</p>'
        '<img src="https://pixel.example/x.gif" alt="图">'
        '<a href="javascript:alert(1)">乙</a><a href="https://example.org/?a=1&b=2">丙</a>'
    )
    issue = send_issue(session, scene.tech, title="<b>题</b> & 目", body=nasty)
    page = visitor.get(address("tech", issue))
    raw = page.response.get_data(as_text=True)
    assert "alert(1)" not in raw
    assert "onclick" not in raw
    assert page.tree.xpath("//article//img") == []
    assert "<b>题</b>" in page.text.replace("<b>题</b> & 目", "<b>题</b>")
    assert [a.get("href") for a in page.tree.xpath("//div[@class='article-body']//a")][:2] == [
        "https://pixel.example/x.gif", "https://example.org/?a=1&b=2",
    ]  # fmt: skip
    assert "{{ unsubscribe_url }}" in page.text


def test_the_page_is_in_the_visitors_language_and_the_issue_in_its_own(
    app: Flask, session: Session, scene: Scene
) -> None:
    issue = send_issue(session, scene.harbour, title="Tide tables", body="<p>High water.</p>")
    page = Visitor(app, language="zh-CN").get(address("harbour", issue))
    assert page.tree.get("lang").startswith("zh")
    [sheet] = page.tree.xpath("//article")
    assert sheet.get("lang") == "en"
    assert "Contents" in page.text
    assert "全部各期" in page.text


def test_sections_stand_above_their_articles_and_headings_are_in_order(
    session: Session, visitor: Visitor, scene: Scene
) -> None:
    issue = send_issue(session, scene.tech, section="要闻", body="<p>一</p><h3>小标题</h3><p>二</p>")
    page = visitor.get(address("tech", issue))
    levels = [
        int(heading.tag[1]) for heading in page.tree.xpath("//main//*[self::h1 or self::h2 or self::h3 or self::h4]")
    ]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert "要闻" in page.text


def test_the_newsletters_colour_comes_as_a_style_sheet(visitor: Visitor, scene: Scene) -> None:
    answer = visitor.client.get("/n/harbour/theme.css")
    assert answer.mimetype == "text/css"
    assert "#0b4f6c" in answer.get_data(as_text=True)
    assert visitor.client.get("/n/none/theme.css").status_code == 404
