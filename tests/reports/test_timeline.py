import datetime as dt
import io

import pytest
from sqlalchemy import select

from mailer import links, newsletters
from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.audience import leaving, moving, pausing
from mailer.audience.adding import add_subscriber
from mailer.audience.deciding import Decision
from mailer.audience.headings import Target
from mailer.audience.importing import begin, choose_columns, receive, run_import
from mailer.audience.models import Consent, Subscriber, SubscriberChange
from mailer.audience.preferences import save_preferences
from mailer.audience.rules import SuppressionReason
from mailer.audience.suppressing import lift, suppress
from mailer.db import now
from mailer.dispatch.models import Attempt, Delivery, Exclusion
from mailer.feedback.models import Click, Open
from mailer.letters.models import Letter
from mailer.newsroom.edition_models import EditionLink
from mailer.reports import timeline
from mailer.reports.timeline import get_timeline
from tests.web.admin_scene import make_list, make_mailing, make_readers


@pytest.fixture
def weekly(session):
    return make_list(session)


@pytest.fixture
def reader(session, weekly) -> Subscriber:
    return make_readers(session, weekly, 2)[0]


@pytest.fixture
def admin(session) -> Account:
    made = Account(email="root@example.org", email_key="root@example.org", name="Root", roles=["admin"])
    session.add(made)
    session.commit()
    return made


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


def test_what_the_reader_changed_is_told_with_what_it_was(session, weekly, reader):
    newsletters.change_list(session, weekly, required_attributes=[{"key": "unit", "label": "Unit"}])
    token = links.make_preferences_token(reader.id)
    save_preferences(
        session, token, list_ids=[weekly.id], locale="en", name="Ann", attributes={"unit": "R&D"}, wording="Save"
    )
    pausing.pause(session, token, now(session).date() + dt.timedelta(days=30), zone="UTC")
    pausing.resume(session, token)
    session.commit()
    changed = [entry for entry in get_timeline(session, reader).entries if entry.kind == "change"][::-1]
    assert [entry.what for entry in changed] == ["preferences"] * 3
    assert changed[0].details["what"] == [
        ("name", "", "Reader 0", "Ann"), ("locale", "", "zh_CN", "en"), ("attribute", "unit", None, "R&D"),
    ]  # fmt: skip
    [(field, _, before, until)] = changed[1].details["what"]
    assert (field, before, until.tzinfo) == ("paused_until", None, dt.UTC)
    assert changed[2].details["what"] == [("paused_until", "", until, None)]


def test_saving_what_stands_there_already_is_no_change(session, weekly, reader):
    token = links.make_preferences_token(reader.id)
    save_preferences(session, token, list_ids=[weekly.id], locale="zh_CN", name="Reader 0")
    pausing.resume(session, token)
    session.commit()
    assert kinds(session, reader) == [("joined", "joined")]


def test_what_a_file_changed_is_told_with_the_file_and_who_imported_it(session, weekly, reader, admin):
    reader.attributes = {"unit": "Old", "rank": "kept"}
    session.commit()
    content = b"email,name,unit,city\nreader0@example.org,Ann,New,Kunming\nreader1@example.org,,,\n"
    with io.BytesIO(content) as file:
        run = receive(session, file, list_id=weekly.id, filename="staff.csv", basis="consent", by=admin)
    choose_columns(session, run, [Target.EMAIL, Target.NAME, Target.ATTRIBUTE, Target.ATTRIBUTE], has_header=True)
    session.commit()
    run_import(run.id)
    begin(session, run, by=admin)
    session.commit()
    run_import(run.id)
    session.expire_all()
    assert reader.attributes == {"unit": "New", "rank": "kept", "city": "Kunming"}
    (entry,) = [entry for entry in get_timeline(session, reader).entries if entry.kind == "change"]
    assert (entry.what, entry.details["by"], entry.details["origin"]) == ("import", "Root", "staff.csv")
    assert sorted(entry.details["what"]) == [
        ("attribute", "city", None, "Kunming"), ("attribute", "unit", "Old", "New"), ("name", "", "Reader 0", "Ann"),
    ]  # fmt: skip
    assert len(session.scalars(select(SubscriberChange)).all()) == 1


def test_a_change_of_address_and_what_was_before_it_are_told(session, weekly, reader):
    make_mailing(session, weekly, [reader], ["accepted"])
    session.add(Letter(kind="confirm", locale="en", address=reader.email, address_key=reader.email_key,
                       state="accepted", message_id="<a@example.org>", next_attempt_at=now(session)))  # fmt: skip
    session.add(Consent(subscriber_id=reader.id, list_id=weekly.id, act="confirmed"))
    change = moving.ask_to_move(session, links.make_preferences_token(reader.id), "reader1@example.org")
    for is_new in (False, True):
        moving.agree_to_move(session, links.make_address_token(change.id, is_new=is_new, days=1))
    session.commit()
    # The address was another reader's: the two are one from now on.
    other = session.scalars(select(Subscriber).where(Subscriber.email_key == "reader1@example.org")).one()
    told = kinds(session, other)
    for line in [
        ("address", "asked"), ("address", "old_agreed"), ("address", "new_agreed"), ("address", "done"),
        ("delivery", "accepted"), ("consent", "confirmed"), ("letter", "confirm"),
    ]:  # fmt: skip
        assert line in told, line
    steps = [what for kind, what in told if kind == "address"]
    assert steps == ["done", "new_agreed", "old_agreed", "asked"], "of one moment, what came of it stands above"


def test_who_suppressed_lifted_left_and_was_left_out_is_told(session, weekly, reader, admin):
    suppression = suppress(session, email_key=reader.email_key, reason=SuppressionReason.MANUAL, note="by phone")
    record(session, by=admin, action="suppression.added", subject_type="suppression", subject_id=suppression.id)
    record(session, by=None, action="subscriber.copied", subject_type="subscriber", subject_id=reader.id)
    record(session, by=admin, action="subscriber.unsubscribed", subject_type="subscriber", subject_id=reader.id,
           list_id=weekly.id)  # fmt: skip
    leaving.unsubscribe(session, links.UnsubscribeTarget(reader.id, 0, (weekly.id,)))
    leaving.say_why(session, reader.id, [weekly.id], "too_many", "every day!")
    mailing = make_mailing(session, weekly, [], [])
    mailing.prepared_at = now(session)
    session.add(Exclusion(mailing_id=mailing.id, subscriber_id=reader.id, reason="paused"))
    session.commit()
    entries = {(entry.kind, str(entry.what)): entry.details for entry in get_timeline(session, reader).entries}
    assert entries["suppression", "manual"]["by"] == "Root"
    assert entries["act", "subscriber.copied"]["by"] == ""
    assert entries["act", "subscriber.unsubscribed"] == {"by": "Root", "list_id": weekly.id}
    assert entries["left", "too_many"]["note"] == "every day!"
    assert entries["excluded", "paused"]["mailing_id"] == mailing.id
    assert entries["consent", "withdrawn"]["by"] == ""


def test_who_entered_and_decided_stand_beside_the_consent(session, weekly, admin):
    added = add_subscriber(
        session, email="new@example.org", list_id=weekly.id, basis="duty", wording="Decree 7",
        decision=Decision("Office", dt.date(2026, 3, 2)), by=admin,
    )  # fmt: skip
    session.commit()
    (entry,) = [entry for entry in get_timeline(session, added).entries if entry.kind == "consent"]
    assert (entry.details["by"], entry.details["decided_by"]) == ("Root", "Office")
    assert [entry.kind for entry in get_timeline(session, added).entries].count("act") == 0
