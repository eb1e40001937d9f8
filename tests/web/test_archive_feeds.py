"""Atom and JSON Feed, judged by their specifications; what a feed reader sends again; what robots are told."""

import datetime as dt
import json
import re

import pytest
from lxml import etree
from sqlalchemy.orm import Session

from mailer import links, newsletters
from mailer.newsroom.edition_models import Edition, EditionArticle
from tests.web.conftest import Visitor
from tests.web.portal_scene import Scene, send_issue, set_scene

ATOM = {"a": "http://www.w3.org/2005/Atom"}
MAP = {"m": "http://www.sitemaps.org/schemas/sitemap/0.9"}
# RFC 3339, as RFC 4287 section 3.3 wants it.
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@pytest.fixture
def scene(session: Session) -> Scene:
    return set_scene(session)


def read_atom(visitor: Visitor, address: str = "/n/tech/feed.atom") -> etree._Element:
    answer = visitor.client.get(address)
    assert answer.mimetype == "application/atom+xml"
    return etree.fromstring(answer.get_data())


def test_atom_holds_what_the_specification_wants(session: Session, visitor: Visitor, scene: Scene) -> None:
    old = send_issue(session, scene.tech, number="1")
    new = send_issue(session, scene.tech, number="2", title="甲 & <乙>\x0b")
    feed = read_atom(visitor)
    assert feed.tag == f"{{{ATOM['a']}}}feed"
    # Section 4.1.1: exactly one id, title and updated; an author, or one in every entry; a link to itself.
    for name in ("id", "title", "updated"):
        assert len(feed.findall(f"a:{name}", ATOM)) == 1
    assert feed.findtext("a:author/a:name", namespaces=ATOM) == "某市科技局"
    assert feed.xpath("a:link[@rel='self']/@href", namespaces=ATOM) == ["http://127.0.0.1:8000/n/tech/feed.atom"]
    assert feed.get("{http://www.w3.org/XML/1998/namespace}lang") == "zh-CN"
    entries = feed.findall("a:entry", ATOM)
    assert [entry.findtext("a:id", namespaces=ATOM) for entry in entries] == [
        links.issue_url("tech", issue.id) for issue in (new, old)
    ]
    for entry in entries:
        for name in ("id", "title", "updated", "published", "summary"):
            assert len(entry.findall(f"a:{name}", ATOM)) == 1, name
        assert MOMENT.fullmatch(entry.findtext("a:updated", namespaces=ATOM))
        assert MOMENT.fullmatch(entry.findtext("a:published", namespaces=ATOM))
        assert len(entry.xpath("a:link[@rel='alternate']/@href", namespaces=ATOM)) == 1
    assert entries[0].findtext("a:title", namespaces=ATOM) == "科技参考 2026年第2期"
    [content] = entries[0].findall("a:content", ATOM)
    assert content.get("type") == "html"
    assert f'<a href="{links.article_url("tech", new.id, new.id * 100 + 1)}">甲 &amp; &lt;乙&gt;' in content.text


def test_json_feed_holds_what_the_specification_wants(session: Session, visitor: Visitor, scene: Scene) -> None:
    issue = send_issue(session, scene.tech)
    answer = visitor.client.get("/n/tech/feed.json")
    assert answer.mimetype == "application/feed+json"
    feed = json.loads(answer.get_data())
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"] == "科技参考"
    assert feed["feed_url"] == "http://127.0.0.1:8000/n/tech/feed.json"
    assert feed["home_page_url"] == "http://127.0.0.1:8000/n/tech/"
    [item] = feed["items"]
    assert item["id"] == item["url"] == links.issue_url("tech", issue.id)
    assert item["content_html"].startswith("<ol><li><a href=")
    assert MOMENT.fullmatch(item["date_published"])
    assert MOMENT.fullmatch(item["date_modified"])


def test_a_newsletter_that_has_sent_nothing_has_an_empty_feed_and_a_foreign_one_none(
    visitor: Visitor, scene: Scene
) -> None:
    assert read_atom(visitor).findall("a:entry", ATOM) == []
    assert json.loads(visitor.client.get("/n/tech/feed.json").get_data())["items"] == []
    assert visitor.client.get("/n/none/feed.atom").status_code == 404


@pytest.mark.parametrize("address", ["/n/tech/feed.atom", "/n/tech/feed.json"])
def test_who_has_it_already_gets_nothing_and_who_has_not_gets_it_all(
    session: Session, visitor: Visitor, scene: Scene, address: str
) -> None:
    issue = send_issue(session, scene.tech)
    first = visitor.client.get(address)
    assert first.headers["Cache-Control"] == "public, max-age=300"
    for header, value in (
        ("If-None-Match", first.headers["ETag"]), ("If-Modified-Since", first.headers["Last-Modified"]),
    ):  # fmt: skip
        again = visitor.client.get(address, headers={header: value})
        assert (again.status_code, again.get_data()) == (304, b""), header
    corrected = Edition(
        issue_id=issue.id, ordinal=2, subject="x", theme="bulletin", language="zh_CN", html="", text="",
        content_hash="1" * 64, masthead={"title": "科技参考", "correction": "原文<误>。"},
        created_at=dt.datetime.now(dt.UTC) + dt.timedelta(hours=1),
    )  # fmt: skip
    corrected.articles = [EditionArticle(article_id=7, position=1, title="更正", body="")]
    session.add(corrected)
    session.commit()
    assert visitor.client.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    issue.shown_edition_id = corrected.id
    session.commit()
    again = visitor.client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    assert "更正" in again.get_data(as_text=True)
    assert "原文&lt;误&gt;" in again.get_data(as_text=True).replace("&amp;", "&")
    late = visitor.client.get(address, headers={"If-Modified-Since": first.headers["Last-Modified"]})
    assert late.status_code == 200


def test_pages_say_where_the_feeds_are(session: Session, visitor: Visitor, scene: Scene) -> None:
    issue = send_issue(session, scene.tech)
    at = f"/n/tech/issues/{issue.id}"
    for address in (
        "/n/tech/",
        at,
        f"{at}/articles/{issue.id * 100 + 1}",
        "/n/tech/archive/2026",
        "/n/tech/search?q=a",
    ):
        found = visitor.get(address).tree.xpath("//head/link[@rel='alternate'][contains(@type, '+')]/@href")
        assert found == ["/n/tech/feed.atom", "/n/tech/feed.json"], address


def test_other_sites_can_show_what_a_link_leads_to(session: Session, visitor: Visitor, scene: Scene) -> None:
    issue = send_issue(session, scene.tech)
    page = visitor.get(f"/n/tech/issues/{issue.id}/articles/{issue.id * 100 + 2}")
    said = {meta.get("property"): meta.get("content") for meta in page.tree.xpath("//meta[@property]")}
    assert said["og:title"] == "第2篇 副题"
    assert said["og:url"] == links.article_url("tech", issue.id, issue.id * 100 + 2)
    assert said["og:description"] == "第2篇的正文，读者。"
    assert (said["og:type"], said["og:site_name"], said["og:locale"]) == ("article", "科技参考", "zh_CN")
    assert MOMENT.fullmatch(said["article:published_time"])
    foreign = [
        value for value in said.values() if value.startswith("http") and not value.startswith("http://127.0.0.1:8000/")
    ]
    assert foreign == []


def addresses(visitor: Visitor, address: str) -> list[str]:
    tree = etree.fromstring(visitor.client.get(address).get_data())
    return [str(found) for found in tree.xpath("//m:loc/text()", namespaces=MAP)]


def test_the_site_map_leads_to_everything_public_and_to_nothing_else(
    session: Session, visitor: Visitor, scene: Scene
) -> None:
    issue = send_issue(session, scene.tech)
    send_issue(session, scene.harbour)
    newsletters.change_newsletter(session, scene.harbour, archive_access="subscribers")
    session.commit()
    maps = addresses(visitor, "/sitemap.xml")
    assert maps == ["http://127.0.0.1:8000/n/tech/sitemap.xml"]
    found = addresses(visitor, maps[0].removeprefix("http://127.0.0.1:8000"))
    assert found == [
        links.newsletter_url("tech"), links.issue_url("tech", issue.id),
        *(links.article_url("tech", issue.id, issue.id * 100 + n) for n in (1, 2)),
    ]  # fmt: skip
    for each in found:
        answer = visitor.client.get(each.removeprefix("http://127.0.0.1:8000"))
        assert answer.status_code == 200
        assert "X-Robots-Tag" not in answer.headers, each
    assert addresses(visitor, "/n/harbour/sitemap.xml") == []


def test_robots_are_kept_from_tokens_and_told_the_map(visitor: Visitor, scene: Scene) -> None:
    text = visitor.client.get("/robots.txt").get_data(as_text=True)
    assert "Disallow: /c/\n" in text
    assert "Sitemap: http://127.0.0.1:8000/sitemap.xml" in text
    for address in (
        f"/preferences/{links.make_preferences_token(1)}", "/subscribe", "/account/sign-in", "/n/none/", "/o/x.gif",
        f"/u/{links.make_unsubscribe_token(links.UnsubscribeTarget(1, 0, ()))}", "/search?q=a", "/nothing",
    ):  # fmt: skip
        assert visitor.client.get(address).headers["X-Robots-Tag"] == "noindex", address
