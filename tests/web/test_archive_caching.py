"""What a cache may keep of the archive: public pages for a minute, with nothing in them that is one visitor's own."""

from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from mailer import links, newsletters
from mailer.accounts.rules import Role
from mailer.audience.models import Subscriber
from mailer.newsroom import archiving
from mailer.newsroom.models import Issue
from tests.web.conftest import Visitor
from tests.web.portal_scene import Scene
from tests.web.test_archive_access import FEEDS, close, issue, pages, reader, scene
from tests.web.test_desk_approval import MakeAccount

__all__ = ["issue", "reader", "scene"]

PUBLIC, PRIVATE = "public, max-age=60", "private, no-cache"


def shown(issue: Issue) -> list[str]:
    """An issue, an article, and a year."""
    page, article, _, year, _ = pages(issue)
    return [page, article, year]


def ask(visitor: Visitor, address: str, **headers: str) -> TestResponse:
    return visitor.client.get(address, headers=visitor.headers | {k.replace("_", "-"): v for k, v in headers.items()})


def test_a_stranger_may_keep_a_public_page_and_asks_again_for_nothing(visitor: Visitor, issue: Issue) -> None:
    for address in shown(issue):
        first = ask(visitor, address)
        assert first.status_code == 200
        assert first.headers["Cache-Control"] == PUBLIC
        assert {"Accept-Language", "Cookie"} <= set(first.vary)
        assert "Set-Cookie" not in first.headers
        assert "csrf" not in first.get_data(as_text=True)
        again = ask(visitor, address, If_None_Match=first.headers["ETag"])
        assert (again.status_code, again.get_data()) == (304, b"")
        assert again.headers["Cache-Control"] == PUBLIC
        assert {"Accept-Language", "Cookie"} <= set(again.vary)
        # "Not modified" is no word for a search engine to forget the page by.
        assert "X-Robots-Tag" not in again.headers
        other = ask(Visitor(visitor.client.application, language="zh-CN"), address, If_None_Match=first.headers["ETag"])
        assert other.status_code == 200
        assert other.headers["ETag"] != first.headers["ETag"]


def test_what_is_made_for_one_visitor_is_kept_by_them_alone(
    visitor: Visitor, app: Flask, issue: Issue, make_account: MakeAccount
) -> None:
    # A choice of language leaves a cookie; a form has left a session with its token; somebody has signed in.
    assert ask(visitor, f"{shown(issue)[0]}?lang=en").headers["Cache-Control"] == PRIVATE
    with_form = Visitor(app)
    with_form.get("/n/tech/")
    signed_in = Visitor(app)
    signed_in.sign_in(make_account("Anna", Role.EDITOR))
    for browser in (with_form, signed_in):
        for address in shown(issue):
            first = ask(browser, address)
            assert first.headers["Cache-Control"] == PRIVATE
            assert ask(browser, address, If_None_Match=first.headers["ETag"]).status_code == 304


def test_a_page_for_some_is_theirs_and_asked_about_each_time(
    session: Session, visitor: Visitor, scene: Scene, issue: Issue, reader: Subscriber
) -> None:
    close(session, scene, "subscribers")
    for address in [*pages(issue), *FEEDS]:
        refused = ask(visitor, address)
        assert (refused.status_code, refused.headers["Cache-Control"]) == (403, "no-store")
        assert "ETag" not in refused.headers
    visitor.get(f"/n/tech/?r={links.make_reading_token(scene.tech.id, reader.id)}")
    tags = {}
    for address in shown(issue):
        page = ask(visitor, address)
        assert page.headers["Cache-Control"] == PRIVATE
        tags[address] = page.headers["ETag"]
        assert ask(visitor, address, If_None_Match=tags[address]).status_code == 304
    reader.subscriptions[0].state = "unsubscribed"
    session.commit()
    for address, tag in tags.items():
        assert ask(visitor, address, If_None_Match=tag).status_code == 403


def test_what_is_retracted_or_not_there_is_not_kept(session: Session, visitor: Visitor, issue: Issue) -> None:
    page, article, _ = shown(issue)
    tag = ask(visitor, page).headers["ETag"]
    archiving.retract(session, issue, "数字有误", by=None)
    session.commit()
    for address in (page, article):
        gone = ask(visitor, address, If_None_Match=tag)
        assert (gone.status_code, gone.headers["Cache-Control"]) == (410, "no-store")
    assert ask(visitor, "/n/tech/issues/4711").headers["Cache-Control"] == "no-store"


def test_nothing_that_everybody_may_keep_sets_a_cookie(
    session: Session, app: Flask, scene: Scene, issue: Issue, make_account: MakeAccount
) -> None:
    """A session that is renewed at each answer, and a language that is chosen by the address, stay out of them."""
    visitor = Visitor(app)
    visitor.sign_in(make_account("Anna", Role.EDITOR))
    newsletters.change_newsletter(session, scene.tech, archive_access="public")
    session.commit()
    found = 0
    for address in [*pages(issue), *FEEDS, "/sitemap.xml", "/n/tech/sitemap.xml", "/robots.txt", "/n/tech/theme.css"]:
        for query in ("", "?lang=en"):
            answer = ask(visitor, address + (query if "?" not in address else query.replace("?", "&")))
            if answer.cache_control.public:
                found += 1
                assert "Set-Cookie" not in answer.headers, address + query
    assert found >= 10
