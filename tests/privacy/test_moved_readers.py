"""A reader who changed their address: what was known under the old one is theirs, to copy and to have erased."""

import json
import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import links
from mailer.audience import moving
from mailer.audience.models import LeaveReason, Subscriber
from mailer.audience.rules import SuppressionReason
from mailer.audience.subscribing import sign_up
from mailer.audience.suppressing import is_suppressed, suppress
from mailer.letters.models import Letter
from mailer.privacy.copying import copy_of
from mailer.privacy.erasing import erase
from tests.privacy.conftest import Known
from tests.privacy.test_erasing import everything

NEW = "zoe@example.net"


def move(session: Session, ann: Subscriber) -> None:
    moving.ask_to_move(session, links.make_preferences_token(ann.id), NEW)
    session.commit()
    for letter in session.scalars(select(Letter)).all():
        found = re.search(r"/address/([^/]+)$", letter.parameters.get("url") or "")
        if found:
            moving.agree_to_move(session, found[1], wording="move")
            session.commit()
    session.expire_all()


@pytest.fixture(params=["moved", "merged"])
def reader(request: pytest.FixtureRequest, session: Session, known: Known) -> Subscriber:
    """Who Ann is after she has moved to a new address, or to that of somebody we know."""
    if request.param == "merged":
        sign_up(session, email=NEW, list_ids=[known.sent.readers_list.id], wording="Yes")
        session.commit()
    suppress(session, email_key="ann@example.org", reason=SuppressionReason.HARD_BOUNCE, note="ann@example.org: 550")
    session.add(LeaveReason(subscriber_id=known.ann.id, list_ids=[1], reason="other", note="says Ann"))
    move(session, known.ann)
    return session.scalars(select(Subscriber).where(Subscriber.email_key == NEW)).one()


def test_the_copy_holds_what_was_sent_to_either_address(session: Session, reader: Subscriber) -> None:
    held = copy_of(session, reader.id)
    assert held["subscriber"]["email"] == NEW
    assert [each["address"] for each in held["deliveries"]] == ["ann@example.org"]
    assert [(each["from"], each["to"]) for each in held["address_changes"]] == [("ann@example.org", NEW)]
    assert held["leave_reasons"][0]["note"] == "says Ann"
    assert "/address/" not in json.dumps(held)
    assert "welcome" in {each["kind"] for each in held["letters"]}
    assert "hard_bounce" in {each["reason"] for each in held["suppressions"]}
    assert [each["value"] for each in held["import_refusals"]] == ["ann@example.org", "ANN@example.org"]


def test_the_copy_leaves_out_what_an_address_got_as_somebody_elses(
    session: Session, known: Known, reader: Subscriber
) -> None:
    sign_up(session, email="ann@example.org", list_ids=[known.sent.readers_list.id], wording="Yes")
    session.commit()
    held = copy_of(session, reader.id)
    assert "hard_bounce" not in {each["reason"] for each in held["suppressions"]}
    assert held["import_refusals"] == []


def test_erasing_forgets_the_old_address_too_and_recognises_both(session: Session, reader: Subscriber) -> None:
    erase(session, reader.id, None)
    session.commit()
    left = everything(session)
    assert re.findall(r"[^\"]{0,30}\b(?:ann|zoe)\b[^\"]{0,30}", left, re.IGNORECASE) == []
    assert is_suppressed(session, "ann@example.org")
    assert is_suppressed(session, NEW)


def test_an_old_address_that_is_somebody_elses_now_is_left_to_them(
    session: Session, known: Known, reader: Subscriber
) -> None:
    sign_up(session, email="ann@example.org", list_ids=[known.sent.readers_list.id], wording="Yes")
    session.commit()
    erase(session, reader.id, None)
    session.commit()
    other = session.scalars(select(Subscriber).where(Subscriber.email_key == "ann@example.org")).one()
    assert other.erased_at is None
    assert session.scalars(select(Letter).where(Letter.address_key == "ann@example.org")).all() != []
