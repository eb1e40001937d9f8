import datetime as dt

import pytest
from sqlalchemy import select

from mailer.audience.models import Consent, Subscriber
from mailer.audience.rules import SuppressionReason
from mailer.audience.suppressing import lift, suppress
from mailer.db import now
from mailer.dispatch.models import Attempt, Delivery
from mailer.feedback.models import Click, Open
from mailer.letters.models import Letter
from mailer.newsroom.models import EditionLink
from mailer.reports import timeline
from mailer.reports.timeline import get_timeline
from tests.web.admin_scene import make_list, make_mailing, make_readers


@pytest.fixture
def weekly(session):
    return make_list(session)


@pytest.fixture
def reader(session, weekly) -> Subscriber:
    return make_readers(session, weekly, 2)[0]


def kinds(session, reader) -> list[tuple[str, str]]:
    session.expire_all()
    return [(entry.kind, str(entry.what)) for entry in get_timeline(session, reader).entries]


def test_a_new_reader_has_only_joined(session, reader):
    assert kinds(session, reader) == [("joined", "joined")]


def test_everything_stands_in_one_line_of_time(session, weekly, reader):
    start = now(session)
    after = [start + dt.timedelta(minutes=minute) for minute in range(10)]
    session.add(Consent(subscriber_id=reader.id, list_id=weekly.id, act="asked", wording="Yes.", at=after[1]))
    session.add(
        Letter(
            kind="confirm",
            locale="en",
            address=reader.email,
            address_key=reader.email_key,
            state="accepted",
            message_id="<a@example.org>",
            next_attempt_at=start,
            settled_at=after[2],
            code=250,
        )
    )
    session.add(Consent(subscriber_id=reader.id, list_id=weekly.id, act="confirmed", at=after[3]))
    readers = session.scalars(select(Subscriber).order_by(Subscriber.id)).all()
    mailing = make_mailing(session, weekly, readers, ["accepted", "rejected"])
    mine = session.scalars(select(Delivery).where(Delivery.subscriber_id == reader.id)).one()
    mine.settled_at = after[4]
    session.add(EditionLink(edition_id=mailing.edition_id, ordinal=1, url="https://example.org/a", label="An article"))
    session.add(Open(event_key="o", at=after[5], mailing_id=mailing.id, delivery_id=mine.id, verdict="human"))
    session.add(
        Click(
            event_key="c",
            at=after[6],
            mailing_id=mailing.id,
            delivery_id=mine.id,
            verdict="machine",
            edition_id=mailing.edition_id,
            link_ordinal=1,
        )
    )
    suppression = suppress(session, email_key=reader.email_key, reason=SuppressionReason.MANUAL, note="by phone")
    suppression.created_at = after[7]
    lift(session, suppression, note="again")
    suppression.lifted_at = after[8]
    session.commit()
    assert kinds(session, reader) == [
        ("lifted", "lifted"),
        ("suppression", "manual"),
        ("click", "machine"),
        ("open", "human"),
        ("delivery", "accepted"),
        ("consent", "confirmed"),
        ("letter", "confirm"),
        ("consent", "asked"),
        ("joined", "joined"),
    ]
    told = {entry.kind: entry.details for entry in get_timeline(session, reader).entries}
    assert told["delivery"]["code"] == 250
    assert told["delivery"]["issue"].number == "9"
    assert (told["click"]["label"], told["click"]["url"]) == ("An article", "https://example.org/a")
    assert told["letter"]["code"] == 250


def test_each_attempt_of_a_delivery_is_told_in_its_order(session, weekly, reader):
    make_mailing(session, weekly, [reader], ["accepted"])
    mine = session.scalars(select(Delivery)).one()
    for code, outcome in ((450, "deferred"), (451, "deferred"), (250, "accepted")):
        session.add(
            Attempt(delivery_id=mine.id, provider="other", at=now(session), relay="main", outcome=outcome, code=code)
        )
    session.commit()
    (entry,) = [entry for entry in get_timeline(session, reader).entries if entry.kind == "delivery"]
    assert [attempt.code for attempt in entry.details["attempts"]] == [450, 451, 250]


def test_nothing_of_another_reader_is_told(session, weekly, reader):
    other = session.scalars(select(Subscriber).where(Subscriber.id != reader.id)).one()
    make_mailing(session, weekly, [other], ["accepted"])
    suppress(session, email_key=other.email_key, reason=SuppressionReason.MANUAL)
    session.commit()
    assert kinds(session, reader) == [("joined", "joined")]


def test_a_long_history_is_cut_and_says_so(session, weekly, reader, monkeypatch):
    monkeypatch.setattr(timeline, "DELIVERIES_SHOWN", 2)
    for number in ("1", "2", "3"):
        make_mailing(session, weekly, [reader], ["accepted"], number=number)
    told = get_timeline(session, reader)
    assert told.is_cut
    numbers = [entry.details["issue"].number for entry in told.entries if entry.kind == "delivery"]
    assert numbers == ["3", "2"]
    monkeypatch.setattr(timeline, "DELIVERIES_SHOWN", 3)
    assert not get_timeline(session, reader).is_cut
