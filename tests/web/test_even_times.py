"""How long an answer takes says nothing of the address it was asked for."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import links, newsletters
from mailer.audience import entrance
from mailer.audience.models import Subscriber, Subscription
from mailer.db import get_engine, session_scope
from mailer.web import even_times
from tests.web.conftest import Page, Visitor
from tests.web.portal_scene import Scene, set_scene


class Clock:
    """Says that all work takes 40 ms, and remembers each wait with the connections that are held meanwhile."""

    def __init__(self) -> None:
        self.moment = 1000.0
        self.waits: list[tuple[float, int]] = []

    def monotonic(self) -> float:
        self.moment += 0.04
        return self.moment

    def wait(self, seconds: float) -> None:
        self.waits.append((round(seconds, 3), get_engine().pool.checkedout()))  # type: ignore[attr-defined]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(even_times, "wait", clock.wait)
    monkeypatch.setattr(even_times, "time", clock)
    monkeypatch.setattr(entrance, "LEAST_SECONDS", 0.0)
    return clock


@pytest.fixture
def scene(session: Session) -> Scene:
    scene = set_scene(session)
    newsletters.change_newsletter(session, scene.tech, archive_access="subscribers")
    for email in ("li@example.org", "mover@example.org"):
        reader = Subscriber(email=email, email_key=email, domain="example.org", locale="en")
        reader.subscriptions = [Subscription(list_id=scene.weekly.id, state="confirmed", source="test")]
        session.add(reader)
    session.commit()
    # Nothing of the test's own is out of the pool.
    session.close()
    return scene


def sign_up(visitor: Visitor, scene: Scene, email: str) -> Page:
    return visitor.submit("/n/tech/subscribe", {"email": email, "agree": "y", "lists": [str(scene.weekly.id)]})


def sign_up_for_several(visitor: Visitor, scene: Scene, email: str) -> Page:
    return visitor.submit("/subscribe", {"email": email, "agree": "y", "lists": [str(scene.weekly.id)]})


def sign_up_invited(visitor: Visitor, scene: Scene, email: str) -> Page:
    address = f"/invitation/{links.make_invitation_token(scene.weekly.id)}"
    return visitor.submit(address, {"email": email, "agree": "y", "lists": [str(scene.weekly.id)]})


def sign_up_by_json(visitor: Visitor, _scene: Scene, email: str) -> Page:
    shown = visitor.client.get("/api/newsletters/tech").get_json()
    body: dict[str, Any] = {"email": email, "lists": ["weekly"], "agree": True, "wording": shown["wording"]["id"]}
    return Page(visitor.client.post("/api/newsletters/tech/subscriptions", json=body | {"stamp": shown["stamp"]}))


def sign_up_elsewhere(visitor: Visitor, _scene: Scene, email: str) -> Page:
    data = {"email": email, "list": ["weekly"], "agree": "yes"}
    return Page(visitor.client.post("/api/newsletters/tech/form", data=data))


def ask_for_a_reading_link(visitor: Visitor, _scene: Scene, email: str) -> Page:
    # The page that holds the form is the refusal of an archive that is closed.
    return visitor.submit("/n/tech/archive/2026", {"email": email}, action="/n/tech/reading-link")


def change_address(visitor: Visitor, _scene: Scene, email: str) -> Page:
    with session_scope() as session:
        mover = session.scalars(select(Subscriber.id).where(Subscriber.email_key == "mover@example.org")).one()
    token = links.make_preferences_token(mover)
    return Page(visitor.client.post(f"/preferences/{token}/address", data={"email": email}))


def forget_a_password(visitor: Visitor, _scene: Scene, email: str) -> Page:
    return visitor.submit("/account/forgotten", {"email": email})


ASK = (
    sign_up,
    sign_up_for_several,
    sign_up_invited,
    sign_up_by_json,
    sign_up_elsewhere,
    ask_for_a_reading_link,
    change_address,
    forget_a_password,
)


@pytest.mark.parametrize("ask", ASK)
def test_an_answer_about_an_address_leaves_on_the_beat(
    app: Flask, clock: Clock, scene: Scene, ask: Callable[[Visitor, Scene, str], Page]
) -> None:
    visitor = Visitor(app)
    answers = [ask(visitor, scene, email).status for email in ("li@example.org", "nobody@example.org")]
    assert answers in ([200, 200], [202, 202], [303, 303])
    assert clock.waits == [(0.21, 0), (0.21, 0)], "a wait until the beat, and no connection held in it"


@pytest.mark.parametrize("address", ["/preferences/x/address", "/n/none/subscribe"])
def test_whoever_is_signed_in_and_refused_waits_for_a_page_as_well(
    clock: Clock, signed_in: Visitor, address: str
) -> None:
    clock.waits = []
    token = signed_in.get("/account/profile").tree.xpath("//input[@name='csrf_token']/@value")[0]
    page = Page(signed_in.client.post(address, data={"csrf_token": token}))
    assert (page.status, len(clock.waits)) == (404, 1)


def test_looking_at_a_form_waits_for_nothing(app: Flask, clock: Clock, scene: Scene) -> None:
    visitor = Visitor(app)
    for address in ("/subscribe", "/n/tech/subscribe", "/account/forgotten"):
        assert visitor.get(address).status == 200
    assert clock.waits == []


@pytest.mark.parametrize(("took", "rest"), [(0.0, 0.25), (0.01, 0.24), (0.249, 0.001), (0.25, 0.25), (0.6, 0.15)])
def test_work_that_takes_longer_waits_for_the_next_beat(took: float, rest: float) -> None:
    assert even_times.rest(took) == pytest.approx(rest)
