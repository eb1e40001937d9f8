"""One-click as RFC 8058 wants it, the page behind the same address, and what follows."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mailer import links
from mailer.audience import suppressing
from mailer.audience.models import Consent, Subscriber, Subscription
from mailer.audience.rules import SubscriptionState
from mailer.db import now
from mailer.links import UnsubscribeTarget, make_unsubscribe_token
from tests.web.conftest import Visitor
from tests.web.portal_scene import Scene, set_scene


@pytest.fixture
def scene(session: Session) -> Scene:
    return set_scene(session)


@pytest.fixture
def ann(session: Session, scene: Scene) -> Subscriber:
    """A reader of both public lists of the Chinese newsletter, and of the English one."""
    made = Subscriber(email="ann@example.org", email_key="ann@example.org", domain="example.org", name="Ann")
    for each in (scene.weekly, scene.express, scene.letter):
        made.subscriptions.append(Subscription(list_id=each.id, state=SubscriptionState.CONFIRMED, source="test"))
    session.add(made)
    session.commit()
    return made


@pytest.fixture
def address(ann: Subscriber, scene: Scene) -> str:
    """The address in the header of a mail that came by both lists of one newsletter."""
    target = UnsubscribeTarget(ann.id, 7, (scene.weekly.id, scene.express.id))
    return f"/u/{make_unsubscribe_token(target)}"


def states(session: Session) -> list[str]:
    session.expire_all()
    return [str(state) for state in session.scalars(select(Subscription.state).order_by(Subscription.list_id))]


LEFT = ["unsubscribed", "unsubscribed", "confirmed"]
STAYED = ["confirmed", "confirmed", "confirmed"]

BODIES: dict[str, dict[str, Any]] = {
    "as RFC 8058 says": {"data": {"List-Unsubscribe": "One-Click"}},
    "multipart": {"data": {"List-Unsubscribe": "One-Click"}, "content_type": "multipart/form-data"},
    "empty": {"data": b""},
    "no content type": {"data": b"List-Unsubscribe=One-Click", "content_type": ""},
    "JSON": {"json": {"List-Unsubscribe": "One-Click"}},
    "broken JSON": {"data": b"{", "content_type": "application/json"},
    "broken multipart": {"data": b"--x", "content_type": "multipart/form-data; boundary=y"},
    "not text": {"data": b"\xff\x00\xfe", "content_type": "text/plain"},
    "another encoding": {"data": b"a=\xb3\xc9", "content_type": "application/x-www-form-urlencoded; charset=gb2312"},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_one_click_takes_any_body(session: Session, app: Flask, address: str, body: dict[str, Any]) -> None:
    answer = app.test_client().post(address, **body)
    assert answer.status_code == 200
    assert states(session) == LEFT


@pytest.mark.parametrize("agent", [None, "", "Mozilla/5.0", "GoogleImageProxy", "curl/8", "\u00ff" * 50])
def test_one_click_does_not_ask_who_is_calling(session: Session, app: Flask, address: str, agent: str | None) -> None:
    client = app.test_client()
    client.environ_base.pop("HTTP_USER_AGENT", None)
    headers = {} if agent is None else {"User-Agent": agent}
    assert client.post(address, headers=headers).status_code == 200
    assert states(session) == LEFT


def test_one_click_needs_and_sets_no_cookie_and_never_redirects(session: Session, app: Flask, address: str) -> None:
    client = app.test_client(use_cookies=False)
    answer = client.post(
        address, headers={"Origin": "https://mail.example.com", "Referer": "https://mail.example.com/"}
    )
    assert (answer.status_code, answer.location, answer.headers.getlist("Set-Cookie")) == (200, None, [])
    assert states(session) == LEFT


def test_a_second_one_click_is_accepted_quietly(session: Session, app: Flask, address: str) -> None:
    client = app.test_client()
    for _ in range(3):
        assert client.post(address).status_code == 200
    assert states(session) == LEFT
    assert len(session.scalars(select(Consent).where(Consent.act == "withdrawn")).all()) == 2


def test_one_click_works_for_readers_who_are_erased_or_gone(
    session: Session, app: Flask, ann: Subscriber, address: str
) -> None:
    ann.erased_at = now(session)
    session.commit()
    assert app.test_client().post(address).status_code == 200
    assert app.test_client().get(address).status_code == 200
    session.execute(delete(Subscription))
    session.execute(delete(Subscriber))
    session.commit()
    assert app.test_client().post(address).status_code == 200


def test_the_withdrawal_is_kept_with_its_delivery_and_origin(session: Session, app: Flask, address: str) -> None:
    app.test_client().post(address, headers={"User-Agent": "Mail"}, environ_overrides={"REMOTE_ADDR": "192.0.2.55"})
    proof = session.scalars(select(Consent).where(Consent.act == "withdrawn")).first()
    assert proof is not None
    assert (str(proof.ip), proof.user_agent, proof.wording) == ("192.0.2.55", "Mail", "退订 (delivery 7)")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_scanner_that_follows_the_link_changes_nothing(
    session: Session, app: Flask, address: str, method: str
) -> None:
    assert app.test_client().open(address, method=method).status_code == 200
    assert states(session) == STAYED
    assert session.scalars(select(Consent)).all() == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_change_nothing(session: Session, app: Flask, address: str, method: str) -> None:
    assert app.test_client().open(address, method=method).status_code == 405
    assert states(session) == STAYED


def test_a_forged_or_foreign_token_is_nothing_here(session: Session, app: Flask, ann: Subscriber, address: str) -> None:
    foreign = links.make_preferences_token(ann.id)
    for bad in (address[:-1] + ("A" if address[-1] != "A" else "B"), "/u/x", f"/u/{foreign}", "/u/%00", "/u/退订"):
        assert app.test_client().post(bad).status_code == 404
        assert app.test_client().get(bad).status_code == 404
    assert states(session) == STAYED


def test_the_page_has_one_button_that_leaves(session: Session, visitor: Visitor, address: str) -> None:
    page = visitor.get(address)
    assert "科技参考 · 周报" in page.text
    assert len(page.tree.xpath("//main//form//button")) == 1
    after = visitor.submit(address)
    assert (after.status, after.heading) == (200, "You are unsubscribed")
    assert states(session) == LEFT


def test_the_undo_right_after_brings_everything_back(session: Session, visitor: Visitor, address: str) -> None:
    visitor.client.post(address)
    undone = visitor.client.post(f"{address}/undo", headers=visitor.headers)
    assert undone.status_code == 200
    assert "Welcome back" in undone.get_data(as_text=True)
    assert states(session) == STAYED
    again = visitor.client.post(f"{address}/undo", headers=visitor.headers)
    assert "There is nothing to undo" in again.get_data(as_text=True)


def test_leaving_everything_is_offered_and_done(session: Session, visitor: Visitor, address: str) -> None:
    page = visitor.submit(address)
    assert f"{address}/everything" in [form.get("action") for form in page.tree.forms]
    everything = visitor.client.post(f"{address}/everything", headers=visitor.headers)
    assert everything.status_code == 200
    assert states(session) == ["unsubscribed"] * 3
    assert suppressing.is_suppressed(session, "ann@example.org")
    assert "Unsubscribe from everything" not in everything.get_data(as_text=True)
    visitor.client.post(f"{address}/undo")
    assert not suppressing.is_suppressed(session, "ann@example.org")


@pytest.mark.parametrize("part", ["undo", "everything"])
def test_what_follows_leaving_is_never_done_by_a_get(session: Session, app: Flask, address: str, part: str) -> None:
    assert app.test_client().get(f"{address}/{part}").status_code == 405
    assert states(session) == STAYED


@pytest.mark.parametrize(
    ("language", "says"), [("zh-CN", "确定退订吗？"), ("en-GB", "Unsubscribe?"), ("fr", "确定退订吗？")]
)
def test_the_page_speaks_the_readers_language(app: Flask, address: str, language: str, says: str) -> None:
    assert Visitor(app, language=language).get(address).heading == says
