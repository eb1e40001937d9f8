"""Pausing, moving, taking a copy, being erased, saying why: all without script, cookies or a password."""

import datetime as dt
import json

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import links, newsletters
from mailer.accounts.models import AuditEntry
from mailer.audience.models import AddressChange, Consent, LeaveReason, Subscriber, Subscription
from mailer.audience.rules import SubscriptionState
from mailer.db import now
from mailer.letters.models import Letter
from tests.web.conftest import Visitor
from tests.web.portal_scene import Scene, set_scene


@pytest.fixture
def scene(session: Session) -> Scene:
    return set_scene(session)


@pytest.fixture
def ann(session: Session, scene: Scene) -> Subscriber:
    made = Subscriber(email="ann@example.org", email_key="ann@example.org", domain="example.org", name="Ann")
    made.subscriptions.append(Subscription(list_id=scene.weekly.id, state=SubscriptionState.CONFIRMED, source="test"))
    session.add(made)
    session.commit()
    return made


@pytest.fixture
def address(ann: Subscriber) -> str:
    return f"/preferences/{links.make_preferences_token(ann.id)}"


def path(url: str) -> str:
    return url.removeprefix("http://127.0.0.1:8000")


def letter_urls(session: Session) -> dict[str, str]:
    """Address -> path of the newest letter's link."""
    session.rollback()
    return {each.address: path(each.parameters["url"]) for each in session.scalars(select(Letter).order_by(Letter.id))}


def test_a_pause_is_begun_shown_and_ended(session: Session, visitor: Visitor, ann: Subscriber, address: str) -> None:
    day = (now(session) + dt.timedelta(days=30)).date()
    page = visitor.submit(address, {"until": day.isoformat()}, action=f"{address}/pause")
    assert (page.status, page.path) == (200, address)
    assert f"Nothing is sent to you before {day:%B} {day.day}, {day.year}" in page.text
    session.refresh(ann)
    assert ann.paused_until is not None
    visitor.submit(address, action=f"{address}/resume")
    session.refresh(ann)
    assert ann.paused_until is None


@pytest.mark.parametrize("until", ["", "2020-01-01", "nonsense", "9999-12-31"])
def test_a_day_that_cannot_be_is_refused_beside_its_field(visitor: Visitor, address: str, until: str) -> None:
    page = visitor.submit(address, {"until": until}, action=f"{address}/pause")
    assert page.status == 422
    assert page.errors()["until"]


def test_what_is_refused_far_down_the_page_is_said_at_its_head(visitor: Visitor, address: str) -> None:
    page = visitor.submit(address, {"until": ""}, action=f"{address}/pause")
    [alert] = page.tree.xpath("//*[@role='alert']")
    assert alert.xpath(".//a/@href") == ["#until"]
    assert "Please choose a day." in alert.text_content()


def test_an_address_is_changed_by_both_mailboxes(
    session: Session, visitor: Visitor, ann: Subscriber, address: str
) -> None:
    page = visitor.submit(address, {"email": "neu＠example．com"}, action=f"{address}/address")
    assert "writing to both addresses" in page.text
    assert "neu@example.com" in page.text
    urls = letter_urls(session)
    for mailbox, heading in (("neu@example.com", "One more button"), ("ann@example.org", "Your address is changed")):
        assert visitor.get(urls[mailbox]).heading == "Change of address"
        assert visitor.submit(urls[mailbox], action=urls[mailbox]).heading == heading
    session.refresh(ann)
    assert ann.email == "neu@example.com"


def test_the_letters_pages_work_without_cookies_and_say_when_they_are_over(
    session: Session, app: Flask, visitor: Visitor, ann: Subscriber, address: str
) -> None:
    client = app.test_client(use_cookies=False)
    assert client.post(f"{address}/address", data={"email": "new@example.com"}).status_code == 303
    urls = letter_urls(session)
    assert client.post(f"{urls['new@example.com']}/refuse").status_code == 200
    for url in urls.values():
        assert client.get(url).status_code == 410
        assert client.post(url).status_code == 410
    assert visitor.get("/address/x").status == 410
    session.refresh(ann)
    assert ann.email == "ann@example.org"


def test_a_change_that_waits_can_be_withdrawn(
    session: Session, visitor: Visitor, ann: Subscriber, address: str
) -> None:
    visitor.submit(address, {"email": "new@example.com"}, action=f"{address}/address")
    assert "waits for the buttons" in visitor.get(address).text
    visitor.submit(address, action=f"{address}/address/cancel")
    assert "waits for the buttons" not in visitor.get(address).text
    assert session.scalars(select(AddressChange)).one().cancelled_at is not None


def test_an_impossible_address_is_refused_beside_its_field(visitor: Visitor, address: str) -> None:
    page = visitor.submit(address, {"email": "ann@"}, action=f"{address}/address")
    assert page.status == 422
    assert page.errors()["new-email"]


def test_lists_ask_and_the_answers_are_kept(
    session: Session, visitor: Visitor, scene: Scene, ann: Subscriber, address: str
) -> None:
    newsletters.change_list(session, scene.weekly, required_attributes=[{"key": "unit", "label": "Your department"}])
    newsletters.change_list(session, scene.letter, required_attributes=[{"key": "port", "label": "Port"}])
    ann.attributes = {"rank": "kept"}
    session.commit()
    page = visitor.get(address)
    assert page.tree.xpath("//label[@for='attribute-unit']")
    assert "Asked for Harbour Letter · Letter." in page.text
    data = {
        "attribute-unit": " R\x00&D ",
        "attribute-port": "x",
        "attribute-rank": "x",
        "lists": [str(scene.weekly.id)],
    }
    assert visitor.submit(address, data, action=address).status == 200
    session.refresh(ann)
    assert ann.attributes == {"unit": "R&D", "rank": "kept"}
    visitor.submit(address, {"attribute-unit": "", "lists": [str(scene.weekly.id)]}, action=address)
    session.refresh(ann)
    assert ann.attributes == {"rank": "kept"}
    too_long = visitor.submit(address, {"attribute-unit": "x" * 201, "lists": [str(scene.weekly.id)]}, action=address)
    assert too_long.status == 422


def test_the_copy_is_behind_a_link_of_its_own(
    session: Session, visitor: Visitor, ann: Subscriber, address: str
) -> None:
    page = visitor.submit(address, action=f"{address}/personal")
    assert "We are sending the link to your address" in page.text
    url = letter_urls(session)["ann@example.org"]
    assert "有人（应当是您本人）" in session.scalars(select(Letter)).one().parameters["lines"][0]
    shown = visitor.get(url)
    assert (shown.status, shown.heading) == (200, "Everything we hold about you")
    assert "周报" in shown.text
    answer = visitor.client.get(f"{url}/copy.json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    held = json.loads(answer.data)
    assert held["subscriber"]["email"] == "ann@example.org"
    # Whoever gets the copy must not get the links in it.
    assert "/personal/" not in answer.get_data(as_text=True)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "subscriber.copied")).one()
    assert (entry.subject_id, entry.actor, entry.ip) == (ann.id, "reader", None)


def test_letters_with_the_link_are_bounded(session: Session, visitor: Visitor, address: str) -> None:
    for _ in range(3):
        visitor.submit(address, action=f"{address}/personal")
    assert "several letters today already" in visitor.submit(address, action=f"{address}/personal").text
    assert len(session.scalars(select(Letter)).all()) == 3


def test_erasing_asks_first_and_then_is_for_good(
    session: Session, visitor: Visitor, ann: Subscriber, address: str
) -> None:
    visitor.submit(address, action=f"{address}/personal")
    url = letter_urls(session)["ann@example.org"]
    unsure = visitor.submit(f"{url}/erase")
    assert unsure.status == 422
    assert "tick the box" in unsure.text
    session.refresh(ann)
    assert ann.erased_at is None
    gone = visitor.submit(f"{url}/erase", {"sure": "yes"})
    assert (gone.status, gone.path, gone.heading) == (200, "/erased", "Everything is erased")
    session.refresh(ann)
    assert ann.erased_at is not None
    assert session.scalars(select(Consent.wording).order_by(Consent.id.desc())).first() == "Erase for good"
    for over in (url, f"{url}/erase"):
        assert visitor.get(over).status == 410
    assert visitor.client.get(f"{url}/copy.json").status_code == 404
    assert visitor.get(address).status == 404


def test_a_preferences_link_is_no_key_to_the_data(visitor: Visitor, ann: Subscriber, address: str) -> None:
    token = address.rpartition("/")[2]
    assert visitor.get(f"/personal/{token}").status == 410
    assert visitor.client.post(f"/personal/{token}/erase", data={"sure": "yes"}).status_code == 410
    old = links.make_personal_token(ann.id, days=-1)
    assert visitor.get(f"/personal/{old}").status == 410


def test_a_leaver_may_say_why_and_need_not(session: Session, visitor: Visitor, scene: Scene, ann: Subscriber) -> None:
    target = links.UnsubscribeTarget(ann.id, 0, (scene.weekly.id,))
    address = f"/u/{links.make_unsubscribe_token(target)}"
    left = visitor.client.post(address, headers=visitor.headers)
    assert left.status_code == 200
    assert session.scalars(select(LeaveReason)).all() == []
    silent = visitor.client.post(f"{address}/reason", data={"reason": "", "note": " "})
    assert silent.status_code == 200
    assert session.scalars(select(LeaveReason)).all() == []
    worded = visitor.client.post(f"{address}/reason", data={"reason": "", "note": "x"}, headers=visitor.headers)
    assert "Thank you for telling us" in worded.get_data(as_text=True)
    assert session.scalars(select(LeaveReason.reason)).all() == ["other"]
    for note in ("first", "再说一遍" * 400):
        page = visitor.client.post(
            f"{address}/reason", data={"reason": "too_many", "note": note}, headers=visitor.headers
        )
        assert "Thank you for telling us" in page.get_data(as_text=True)
    session.rollback()
    said = session.scalars(select(LeaveReason)).one()
    assert (said.reason, said.list_ids, len(said.note)) == ("too_many", [scene.weekly.id], 1000)


def test_leaving_everything_takes_a_reason_along(
    session: Session, visitor: Visitor, ann: Subscriber, address: str
) -> None:
    token = links.make_unsubscribe_token(links.UnsubscribeTarget(ann.id, 0, ()))
    page = visitor.submit(address, {"reason": "not_relevant", "note": "Thanks"}, action=f"/u/{token}/everything")
    assert page.heading == "You are unsubscribed"
    said = session.scalars(select(LeaveReason)).one()
    assert (said.reason, said.note, said.list_ids) == ("not_relevant", "Thanks", [ann.subscriptions[0].list_id])
