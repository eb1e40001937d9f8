"""Who may read what was sent: everybody, subscribers, accounts."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import links, newsletters
from mailer.accounts.models import Account
from mailer.accounts.rules import Role
from mailer.audience import correspondence
from mailer.audience.models import Subscriber, Subscription
from mailer.dispatch.reading_links import parts_of
from mailer.feedback.models import Click
from mailer.letters.models import Letter
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.models import Issue
from mailer.press.slots import READER_SLOT
from tests.factories import make_sent_mailing
from tests.web.conftest import Visitor
from tests.web.portal_scene import Scene, send_issue, set_scene

HOST = "http://127.0.0.1:8000"


@pytest.fixture
def scene(session: Session) -> Scene:
    return set_scene(session)


@pytest.fixture
def issue(session: Session, scene: Scene) -> Issue:
    return send_issue(session, scene.tech)


@pytest.fixture
def reader(session: Session, scene: Scene) -> Subscriber:
    subscriber = Subscriber(email="li@example.org", email_key="li@example.org", domain="example.org", locale="en")
    subscriber.subscriptions = [Subscription(list_id=scene.weekly.id, state="confirmed", source="test")]
    session.add(subscriber)
    session.commit()
    return subscriber


def close(session: Session, scene: Scene, access: str) -> None:
    newsletters.change_newsletter(session, scene.tech, archive_access=access)
    session.commit()


def pages(issue: Issue) -> list[str]:
    at = f"/n/tech/issues/{issue.id}"
    return [at, f"{at}/articles/{issue.id * 100 + 1}", f"{at}.pdf", "/n/tech/archive/2026", "/n/tech/search?q=正文"]


FEEDS = ("/n/tech/feed.atom", "/n/tech/feed.json")


def test_a_closed_archive_shows_nothing_to_strangers(
    session: Session, visitor: Visitor, scene: Scene, issue: Issue
) -> None:
    close(session, scene, "subscribers")
    for address in pages(issue):
        page = visitor.get(address)
        assert page.status == 403, address
        assert "第1篇" not in page.response.get_data(as_text=True), address
        assert page.response.headers["X-Robots-Tag"] == "noindex"
    for address in FEEDS:
        assert visitor.get(address).status == 403
    for address in ("/n/tech/", "/", "/search?q=正文"):
        page = visitor.get(address)
        assert page.status == 200
        assert "第1篇" not in page.response.get_data(as_text=True), address
    assert "/n/tech" not in visitor.client.get("/n/tech/sitemap.xml").get_data(as_text=True)


def test_a_token_opens_it_becomes_a_cookie_and_leaves_the_address(
    session: Session, visitor: Visitor, scene: Scene, issue: Issue, reader: Subscriber
) -> None:
    close(session, scene, "subscribers")
    token = links.make_reading_token(scene.tech.id, reader.id)
    page = visitor.get(f"/n/tech/archive/2026?r={token}&lang=en")
    assert page.status == 200
    assert page.response.request.query_string == b"lang=en"
    for address in pages(issue)[:2] + pages(issue)[3:]:
        assert visitor.get(address).status == 200, address
    [cookie] = [each for each in visitor.client._cookies.values() if each.key == "mailer_reading"]
    assert (cookie.path, cookie.http_only, cookie.same_site) == ("/n/tech/", True, "Lax")
    home = visitor.get("/n/tech/")
    assert "第1篇" in home.text
    [feed] = home.tree.xpath("//link[@type='application/atom+xml']/@href")
    stranger = Visitor(visitor.client.application)
    assert stranger.get(feed).status == 200
    assert token not in stranger.get(feed).response.get_data(as_text=True)
    assert stranger.get("/n/tech/feed.atom").status == 403


def test_it_closes_with_the_subscription(
    session: Session, visitor: Visitor, scene: Scene, issue: Issue, reader: Subscriber
) -> None:
    close(session, scene, "subscribers")
    visitor.get(f"/n/tech/?r={links.make_reading_token(scene.tech.id, reader.id)}")
    assert visitor.get(pages(issue)[0]).status == 200
    reader.subscriptions[0].state = "unsubscribed"
    session.commit()
    assert visitor.get(pages(issue)[0]).status == 403


@pytest.mark.parametrize("kind", ["other newsletter", "broken", "preferences", "stranger", "empty"])
def test_a_token_of_another_kind_opens_nothing(
    session: Session, visitor: Visitor, scene: Scene, issue: Issue, reader: Subscriber, kind: str
) -> None:
    close(session, scene, "subscribers")
    good = links.make_reading_token(scene.tech.id, reader.id)
    token = {
        "other newsletter": links.make_reading_token(scene.harbour.id, reader.id),
        "broken": good[:-2] + ("AA" if good[-2:] != "AA" else "BB"),
        "preferences": links.make_preferences_token(reader.id),
        "stranger": links.make_reading_token(scene.tech.id, 999),
        "empty": "",
    }[kind]
    assert visitor.get(f"{pages(issue)[0]}?r={token}").status == 403
    assert visitor.get(pages(issue)[0]).status == 403


def test_a_click_in_the_mail_brings_its_reader_in_and_nobody_else(session: Session, app: Flask) -> None:
    sent = make_sent_mailing(session, archive_access="subscribers")
    sent.issue.first_sent_at, sent.issue.shown_edition_id = sent.mailing.started_at, sent.edition.id
    session.commit()
    article = links.article_url("keji", sent.issue.id, sent.issue.articles[0].id)
    click = links.click_url(
        links.LinkTarget(sent.edition.id, 1, article), links.make_reader_token(sent.deliveries[0].id)
    ).removeprefix(HOST)
    visitor = Visitor(app)
    answer = visitor.client.get(click)
    assert answer.headers["Location"] == article
    assert visitor.get(article.removeprefix(HOST)).status == 200
    assert Visitor(app).get(article.removeprefix(HOST)).status == 403


def test_a_click_to_another_site_or_into_a_public_archive_sets_no_cookie(session: Session, app: Flask) -> None:
    sent = make_sent_mailing(session)
    reader = links.make_reader_token(sent.deliveries[0].id)
    for url in (
        links.article_url("keji", sent.issue.id, 1), "https://example.org/n/keji/", "http://127.0.0.1.example:8000/n/keji/",
        "http://127.0.0.1:8000/n/none/", "http://127.0.0.1:8000/privacy",
    ):  # fmt: skip
        answer = app.test_client().get(
            links.click_url(links.LinkTarget(sent.edition.id, 1, url), reader).removeprefix(HOST)
        )
        assert answer.headers["Location"] == url
        assert "Set-Cookie" not in answer.headers, url


def test_accounts_read_what_is_for_accounts_and_for_subscribers(
    session: Session, visitor: Visitor, scene: Scene, issue: Issue, make_account: Callable[..., Account]
) -> None:
    close(session, scene, "accounts")
    page = visitor.get(pages(issue)[0])
    assert page.path == "/account/sign-in"
    assert visitor.get("/n/tech/feed.atom").status == 403
    visitor.sign_in(make_account("ann", Role.EDITOR))
    assert visitor.get(pages(issue)[0]).status == 200
    assert "正文" in visitor.get("/search?q=正文").text
    close(session, scene, "subscribers")
    assert visitor.get(pages(issue)[0]).status == 200


def test_subscribers_are_no_accounts(
    session: Session, visitor: Visitor, scene: Scene, issue: Issue, reader: Subscriber
) -> None:
    close(session, scene, "accounts")
    token = links.make_reading_token(scene.tech.id, reader.id)
    assert visitor.get(f"{pages(issue)[0]}?r={token}").path == "/account/sign-in"
    assert visitor.get(f"/n/tech/feed.atom?r={token}").status == 403


def test_a_subscriber_has_a_link_mailed_and_a_stranger_gets_the_same_answer(
    session: Session, visitor: Visitor, scene: Scene, issue: Issue, reader: Subscriber
) -> None:
    close(session, scene, "subscribers")
    answers = [
        visitor.submit(pages(issue)[0], {"email": email}, action="/n/tech/reading-link").text
        for email in ("LI@example.org", "stranger@example.org")
    ]
    assert answers[0] == answers[1]
    assert "on its way" in answers[0]
    [letter] = session.scalars(select(Letter)).all()
    assert letter.address == reader.email
    assert "科技参考" in letter.parameters["subject"]
    page = visitor.get(letter.parameters["url"].removeprefix(HOST))
    assert (page.status, page.path) == (200, "/n/tech/")
    assert visitor.get(pages(issue)[0]).status == 200


def test_a_wrong_address_is_said_beside_the_field(
    session: Session, visitor: Visitor, scene: Scene, issue: Issue
) -> None:
    close(session, scene, "subscribers")
    page = visitor.submit(pages(issue)[0], {"email": "nobody"}, action="/n/tech/reading-link")
    assert page.status == 422
    assert "email" in page.errors()


def test_the_level_is_a_setting_of_the_newsletter(session: Session, signed_in: Visitor, scene: Scene) -> None:
    address = f"/desk/newsletters/{scene.tech.id}/settings"
    signed_in.submit(address, {"archive_access": "subscribers"}, action=address)
    session.refresh(scene.tech)
    assert scene.tech.archive_access == "subscribers"
    signed_in.submit(address, {"archive_access": "everyone"}, action=address)
    session.refresh(scene.tech)
    assert scene.tech.archive_access == "subscribers"


@pytest.mark.parametrize("tracking", ["full", "counts", "off"])
def test_view_on_the_web_lets_its_reader_in_and_counts_as_nothing(session: Session, app: Flask, tracking: str) -> None:
    sent = make_sent_mailing(session, archive_access="subscribers", tracking=tracking)
    sent.issue.first_sent_at, sent.issue.shown_edition_id = sent.mailing.started_at, sent.edition.id
    session.commit()
    web = links.issue_url("keji", sent.issue.id)
    html, _ = parts_of(Edition(id=sent.edition.id, html=f'<a href="{web}">网页</a>', text=""), sent.newsletter)
    click = html.split('"')[1].replace(READER_SLOT, links.make_reader_token(sent.deliveries[0].id)).removeprefix(HOST)
    visitor = Visitor(app)
    assert visitor.client.get(click).headers["Location"] == web
    assert visitor.get(web.removeprefix(HOST)).status == 200
    assert session.scalars(select(Click)).all() == []


@pytest.mark.parametrize("access", ["public", "subscribers", "accounts"])
def test_the_latest_issue_of_a_welcome_opens_to_who_is_welcomed(
    session: Session, visitor: Visitor, scene: Scene, issue: Issue, reader: Subscriber, access: str
) -> None:
    close(session, scene, access)
    scene.weekly.has_welcome = True
    latest = {"title": "科技参考", "url": links.issue_url("tech", issue.id)}
    correspondence.welcome(session, reader, [scene.weekly], lambda _: latest)
    session.commit()
    shown = session.scalars(select(Letter)).one().parameters["latest_issue"]
    if access == "accounts":
        assert shown is None
        return
    assert (shown["url"] == latest["url"]) is (access == "public")
    assert visitor.get(shown["url"].removeprefix(HOST)).status == 200
