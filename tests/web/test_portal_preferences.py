"""The preferences page behind a mailed link."""

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import links, newsletters
from mailer.audience import suppressing
from mailer.audience.models import Consent, Subscriber, Subscription
from mailer.audience.rules import SubscriptionState
from mailer.db import now
from tests.web.conftest import Visitor
from tests.web.portal_scene import Scene, set_scene


@pytest.fixture
def scene(session: Session) -> Scene:
    return set_scene(session)


@pytest.fixture
def address(session: Session, scene: Scene) -> str:
    """The page of Ann, who reads the private list."""
    ann = Subscriber(
        email="ann@xn--fsqu00a.test", email_key="ann@xn--fsqu00a.test", domain="xn--fsqu00a.test", name="Ann"
    )
    ann.subscriptions.append(Subscription(list_id=scene.board.id, state=SubscriptionState.CONFIRMED, source="test"))
    session.add(ann)
    session.commit()
    return f"/preferences/{links.make_preferences_token(ann.id)}"


def states(session: Session) -> dict[int, str]:
    session.expire_all()
    return {row.list_id: str(row.state) for row in session.scalars(select(Subscription))}


def test_the_page_shows_how_things_stand(visitor: Visitor, scene: Scene, address: str) -> None:
    page = visitor.get(address)
    assert page.status == 200
    assert "ann@例子.test" in page.text
    boxes = {box.get("value"): box.get("checked") is not None for box in page.tree.xpath("//input[@name='lists']")}
    assert {value for value, is_ticked in boxes.items() if is_ticked} == {str(scene.board.id)}
    assert boxes.keys() == {str(each.id) for each in (scene.weekly, scene.express, scene.board, scene.letter)}
    assert page.tree.get_element_by_id("name").value == "Ann"


def test_everything_is_saved_at_once_and_told(session: Session, visitor: Visitor, scene: Scene, address: str) -> None:
    page = visitor.submit(
        address, {"lists": [str(scene.weekly.id), str(scene.letter.id)], "name": "安娜", "locale": "en"}, action=address
    )
    assert (page.status, page.path) == (200, address)
    assert "Your settings are saved." in page.text
    assert states(session) == {
        scene.weekly.id: "confirmed", scene.letter.id: "confirmed", scene.board.id: "unsubscribed",
    }  # fmt: skip
    ann = session.scalars(select(Subscriber)).one()
    assert (ann.name, ann.locale) == ("安娜", "en")
    wordings = {row.act: row.wording for row in session.scalars(select(Consent))}
    assert wordings["confirmed"] == "Send me the newsletters ticked here by email. I can change this at any time."


def test_it_works_without_cookies(session: Session, app: Flask, scene: Scene, address: str) -> None:
    client = app.test_client(use_cookies=False)
    answer = client.post(address, data={"lists": [scene.express.id], "name": "", "locale": "zh_CN"})
    assert answer.status_code == 303
    assert states(session)[scene.express.id] == "confirmed"


def test_what_cannot_be_is_refused_and_changes_nothing(
    session: Session, visitor: Visitor, scene: Scene, address: str
) -> None:
    newsletters.archive_list(session, scene.weekly, at=now(session))
    session.commit()
    for wrong in (
        {"lists": [str(scene.weekly.id)]},
        {"lists": ["99999"]},
        {"locale": "tlh"},
        {"name": "x" * 121},
    ):
        assert visitor.submit(address, wrong, action=address).status == 422
    assert states(session) == {scene.board.id: "confirmed"}


def test_everything_can_be_left_from_here(session: Session, visitor: Visitor, scene: Scene, address: str) -> None:
    page = visitor.get(address)
    [action] = [form.get("action") for form in page.tree.forms if "everything" in (form.get("action") or "")]
    left = visitor.submit(address, action=action)
    assert (left.status, left.heading) == (200, "You are unsubscribed")
    assert states(session) == {scene.board.id: "unsubscribed"}
    assert suppressing.is_suppressed(session, "ann@xn--fsqu00a.test")


def test_another_persons_or_an_erased_ones_page_is_not_found(session: Session, visitor: Visitor, address: str) -> None:
    assert visitor.get("/preferences/x").status == 404
    assert visitor.client.post("/preferences/x").status_code == 404
    session.scalars(select(Subscriber)).one().erased_at = now(session)
    session.commit()
    assert visitor.get(address).status == 404
