"""A retracted issue leaves its trace at every address that led to it, and nothing else of it is found."""

import json

import pytest
from lxml import etree
from sqlalchemy.orm import Session

from mailer.newsroom import archiving
from mailer.newsroom.models import Issue
from tests.web.conftest import Visitor
from tests.web.portal_scene import Scene, send_issue, set_scene

REASON = "第2篇<来源>不实，经研究予以撤稿。"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def scene(session: Session) -> Scene:
    return set_scene(session)


@pytest.fixture
def issue(session: Session, scene: Scene) -> Issue:
    """Retracted; the one after it is not."""
    issue = send_issue(session, scene.tech, number="3")
    send_issue(session, scene.tech, number="4")
    archiving.retract(session, issue, REASON, by=None)
    session.commit()
    return issue


def test_every_address_of_it_says_that_it_was_retracted_when_and_why(visitor: Visitor, issue: Issue) -> None:
    at = f"/n/tech/issues/{issue.id}"
    for address in (at, f"{at}/articles/{issue.id * 100 + 1}", f"{at}/editions/1", f"{at}.pdf"):
        page = visitor.get(address)
        assert page.status == 410, address
        assert "本期已撤稿" in page.text
        assert REASON in page.text
        assert "Retracted on " in page.text
        assert "First sent on March 2, 2026" in page.text
        assert page.heading == "科技参考"
        assert "2026年第3期" in page.text
        assert "某市某路1号" in page.text
        assert "的正文" not in page.text
        assert "副题" not in page.text
        assert page.response.headers["X-Robots-Tag"] == "noindex"
    assert (
        "撤稿" in visitor.get(at).tree.xpath("//title")[0].text
        or "Retracted" in visitor.get(at).tree.xpath("//title")[0].text
    )


def test_lists_name_it_without_its_articles(visitor: Visitor, issue: Issue) -> None:
    for address in ("/n/tech/", "/n/tech/archive/2026"):
        page = visitor.get(address)
        (entry,) = page.tree.xpath(f"//ul[@class='issue-list']/li[a[contains(@href, '/issues/{issue.id}')]]")
        words = " ".join(entry.text_content().split())
        assert "Retracted" in words
        assert "副题" not in words


def test_feeds_take_its_entry_back(visitor: Visitor, issue: Issue) -> None:
    assert issue.retracted_at is not None
    atom = etree.fromstring(visitor.client.get("/n/tech/feed.atom").get_data())
    entry = next(one for one in atom.iter(f"{ATOM}entry") if one.findtext(f"{ATOM}id", "").endswith(f"/{issue.id}"))
    assert entry.findtext(f"{ATOM}title", "").startswith("【撤稿】科技参考")
    assert entry.findtext(f"{ATOM}updated") == issue.retracted_at.isoformat(timespec="seconds")
    assert "第2篇&lt;来源&gt;不实" in entry.findtext(f"{ATOM}content", "")
    assert "副题" not in etree.tostring(entry, encoding="unicode")
    items = json.loads(visitor.client.get("/n/tech/feed.json").get_data())["items"]
    (item,) = [one for one in items if one["url"].endswith(f"/{issue.id}")]
    assert item["title"].startswith("【撤稿】")
    assert "副题" not in json.dumps(item, ensure_ascii=False)


def test_search_and_site_map_pass_over_it(visitor: Visitor, issue: Issue) -> None:
    assert f"/issues/{issue.id}/" not in str(visitor.get("/n/tech/search?q=正文").response.get_data(as_text=True))
    assert f"/issues/{issue.id}" not in visitor.client.get("/n/tech/sitemap.xml").get_data(as_text=True)
    assert f"/issues/{issue.id + 1}" in visitor.client.get("/n/tech/sitemap.xml").get_data(as_text=True)


def test_the_reason_is_for_those_who_may_read(session: Session, visitor: Visitor, scene: Scene, issue: Issue) -> None:
    scene.tech.archive_access = "accounts"
    session.commit()
    page = visitor.get(f"/n/tech/issues/{issue.id}")
    assert page.status == 200
    assert "/account/sign-in" in page.path
    scene.tech.archive_access = "subscribers"
    session.commit()
    page = visitor.get(f"/n/tech/issues/{issue.id}")
    assert page.status == 403
    assert REASON not in page.text


def test_lifted_it_is_there_as_before(session: Session, visitor: Visitor, issue: Issue) -> None:
    archiving.reinstate(session, issue, by=None)
    session.commit()
    page = visitor.get(f"/n/tech/issues/{issue.id}")
    assert page.status == 200
    assert "第1篇的正文" in page.text
    assert "撤稿" not in page.text


def test_personal_fields_show_their_fallbacks_to_everybody(session: Session, visitor: Visitor, scene: Scene) -> None:
    body = "<p>{{ department|贵单位 }}的{{ name }}（{{ salary }}）{{ name|朋友 }}，您好。</p>"
    issue = send_issue(session, scene.tech, masthead={"attributes": ["department"]}, body=body)
    for address in (f"/n/tech/issues/{issue.id}", f"/n/tech/issues/{issue.id}/articles/{issue.id * 100 + 1}"):
        assert "贵单位的读者（{{ salary }}）朋友，您好。" in visitor.get(address).text
    found = visitor.get("/n/tech/search?q=您好").text
    assert "贵单位的读者（{{ salary }}）朋友" in found
