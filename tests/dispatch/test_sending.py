import email
import email.policy
import re
import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import func, select, text

from mailer import links
from mailer.audience.models import Suppression
from mailer.db import new_session, session_scope
from mailer.dispatch import launching
from mailer.dispatch.journal import Journal
from mailer.dispatch.messages import message_id, read_message_id
from mailer.dispatch.models import Attempt, Delivery, Mailing, Suspension
from mailer.dispatch.pace.provider_settings import set_override
from mailer.dispatch.preparing import prepare
from mailer.dispatch.rules import MailingState
from mailer.dispatch.sending import send
from mailer.dispatch.sending_process import journal_directory
from tests.dispatch.conftest import House
from tests.dispatch.sink import DROP, Held, Late, Sink

Relay = Callable[[str], None]


@pytest.fixture
def sink(relay: Relay) -> Sink:  # type: ignore[misc]
    with Sink() as sink:
        relay(sink.url)
        yield sink


def prepared(house: House, *lists: int, **options: object) -> Mailing:
    mailing = house.mailing(*lists, **options)
    prepare(mailing.id)
    return mailing


def send_to_the_end(house: House, mailing: Mailing) -> None:
    for _ in range(20):
        send(mailing.id)
        house.session.rollback()
        house.session.refresh(mailing)
        if mailing.state != MailingState.SENDING:
            return
        house.make_due(mailing)
    raise AssertionError(house.states(mailing))


def test_everybody_gets_it_once_and_the_mailing_is_finished(house: House, sink: Sink, redis: str) -> None:
    house.subscribe(30, lists=(0, 1))
    house.subscribe(5, lists=(1,))
    mailing = prepared(house, 0, 1)
    report = send(mailing.id)
    assert report is not None
    assert house.states(mailing) == {"accepted": 35}
    assert mailing.state == MailingState.FINISHED
    assert mailing.finished_at is not None
    assert mailing.progressed_at is not None
    assert sorted(message.recipients[0] for message in sink.messages) == sorted(
        delivery.address for delivery in house.deliveries(mailing)
    )


def test_what_arrives_names_reader_delivery_and_lists(house: House, sink: Sink, redis: str) -> None:
    house.subscribe(1, lists=(0, 1))
    mailing = prepared(house, 0, 1)
    send(mailing.id)
    delivery = house.deliveries(mailing)[0]
    arrived = sink.messages[0]
    message = email.message_from_bytes(arrived.content, policy=email.policy.default)
    assert arrived.sender == "tech@example.org"
    assert message["To"].addresses[0].addr_spec == "R1@example.org"
    assert message["To"].addresses[0].display_name == "读者1"
    assert message["From"].addresses[0].addr_spec == "tech@example.org"
    assert message["Reply-To"].addresses[0].addr_spec == "editor@example.org"
    assert "<weekly.tech.example.org>" in str(message["List-Id"])
    assert read_message_id(message["Message-ID"]) == (delivery.id, mailing.message_key)
    assert message["Message-ID"] == message_id(delivery.id, mailing.message_key, "example.org")
    address = re.fullmatch(r"<(http://[^>]*)>", str(message["List-Unsubscribe"]))
    assert address is not None
    target = links.read_unsubscribe_token(address[1].rpartition("/")[2])
    assert target == links.UnsubscribeTarget(
        delivery.subscriber_id, delivery.id, (house.lists[0].id, house.lists[1].id)
    )
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    html = message.get_body(("html",)).get_content()
    found = re.search(r"/c/token/([\w-]+)", html)
    assert found is not None
    assert links.read_reader_token(found[1]) == delivery.id
    assert "你好，读者1" in html
    assert "~mailer.slot" not in html


def test_each_list_has_its_own_list_id(house: House, sink: Sink, redis: str) -> None:
    house.subscribe(1, lists=(0,))
    house.subscribe(1, lists=(1,))
    mailing = prepared(house, 0, 1)
    send(mailing.id)
    ids = {message.recipients[0]: re.search(rb"List-Id:[^<]*<([^>]*)>", message.content) for message in sink.messages}
    assert {address: found[1] for address, found in ids.items() if found} == {
        "R1@example.org": b"weekly.tech.example.org",
        "R2@example.org": b"digest.tech.example.org",
    }


def test_every_attempt_is_kept_with_what_the_server_said(house: House, sink: Sink, redis: str) -> None:
    house.subscribe(1)
    mailing = prepared(house)
    sink.answer("content", "250 2.0.0 Ok: queued as 4711")
    send(mailing.id)
    delivery = house.deliveries(mailing)[0]
    attempt = house.session.scalars(select(Attempt)).one()
    assert (delivery.code, delivery.enhanced, delivery.attempts) == (250, "2.0.0", 1)
    assert delivery.reply.endswith("Ok: queued as 4711")
    assert (attempt.delivery_id, attempt.outcome, attempt.stage, attempt.relay) == (
        delivery.id, "accepted", "content", "default",
    )  # fmt: skip
    assert attempt.provider == "other"
    assert attempt.duration_ms is not None


def test_one_refused_recipient_stops_nobody_and_is_suppressed(house: House, sink: Sink, redis: str) -> None:
    house.subscribe(10)
    mailing = prepared(house)
    sink.answer("rcpt", "550 5.1.1 No such user here", when=lambda step: step.recipient == "R4@example.org")
    send(mailing.id)
    assert house.states(mailing) == {"accepted": 9, "rejected": 1}
    assert mailing.state == MailingState.FINISHED
    refused = next(delivery for delivery in house.deliveries(mailing) if delivery.state == "rejected")
    assert (refused.reason, refused.code, refused.enhanced) == ("no_such_user", 550, "5.1.1")
    suppression = house.session.scalars(select(Suppression)).one()
    assert (suppression.email_key, suppression.reason, suppression.delivery_id) == (
        "r4@example.org", "hard_bounce", refused.id,
    )  # fmt: skip
    assert suppression.newsletter_id is None
    assert "No such user here" in suppression.note


def test_a_rejection_that_is_not_about_the_address_suppresses_nobody(house: House, sink: Sink, redis: str) -> None:
    house.subscribe(2)
    mailing = prepared(house)
    sink.answer("content", "554 5.7.1 Message content rejected as spam", times=1)
    send(mailing.id)
    assert house.states(mailing) == {"accepted": 1, "rejected": 1}
    assert house.session.scalars(select(Suppression)).all() == []


def test_everybody_who_was_greylisted_is_accepted_later(house: House, sink: Sink, redis: str) -> None:
    house.subscribe(20)
    mailing = prepared(house)
    seen: set[str] = set()

    def is_first(step) -> bool:  # type: ignore[no-untyped-def]
        first = step.recipient not in seen
        seen.add(step.recipient)
        return first

    sink.answer("rcpt", "451 4.7.1 Greylisted, try again later", when=is_first)
    send(mailing.id)
    assert house.states(mailing) == {"queued": 20}
    rows = house.deliveries(mailing)
    assert {(row.attempts, row.reason, row.claimed_by, row.lease_until) for row in rows} == {
        (1, "greylist", None, None)
    }
    minutes = house.session.scalar(text("SELECT extract(epoch FROM min(next_attempt_at) - now()) / 60 FROM deliveries"))
    assert 4.5 < float(minutes) <= 5
    house.make_due(mailing)
    send(mailing.id)
    assert house.states(mailing) == {"accepted": 20}
    assert mailing.state == MailingState.FINISHED
    assert len(sink.messages) == 20


def test_a_deferral_that_goes_on_for_days_expires(house: House, sink: Sink, redis: str) -> None:
    house.subscribe(1)
    mailing = prepared(house)
    sink.answer("rcpt", "450 4.2.1 Mailbox busy")
    house.session.execute(text("UPDATE deliveries SET attempts = 22"))
    house.session.commit()
    send(mailing.id)
    assert house.states(mailing) == {"expired": 1}
    assert mailing.state == MailingState.FINISHED


def test_lost_after_the_final_dot_is_unknown_and_is_not_sent_again(house: House, sink: Sink, redis: str) -> None:
    house.subscribe(3)
    mailing = prepared(house)
    sink.answer("content", DROP, times=1)
    send_to_the_end(house, mailing)
    assert house.states(mailing) == {"accepted": 2, "unknown": 1}
    assert mailing.state == MailingState.FINISHED
    assert len(sink.messages) == 3


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
def test_a_connection_lost_before_the_content_loses_nothing(house: House, sink: Sink, redis: str, stage: str) -> None:
    house.subscribe(12)
    mailing = prepared(house)
    sink.answer(stage, DROP, times=3)
    send_to_the_end(house, mailing)
    assert house.states(mailing) == {"accepted": 12}
    assert len({message.recipients[0] for message in sink.messages}) == len(sink.messages) == 12


def test_a_relay_that_is_away_costs_no_recipient_an_attempt(house: House, relay: Relay, redis: str) -> None:
    with Sink() as gone:
        url = gone.url
    relay(url)
    house.subscribe(30)
    mailing = prepared(house)
    report = send(mailing.id)
    assert report is not None
    assert report.outage is not None
    assert house.states(mailing) == {"queued": 30}
    assert mailing.state == MailingState.SENDING
    assert {(row.attempts, row.faults, row.reason) for row in house.deliveries(mailing)} == {(0, 0, "")}
    assert house.session.scalars(select(Attempt)).all() == []
    suspension = house.session.scalars(select(Suspension)).one()
    assert (suspension.provider, suspension.reply_class) == ("*", "connection")
    # While it is left alone nobody knocks.
    assert send(mailing.id) is None
    suspension.until = suspension.created_at
    house.session.commit()
    with Sink(port=int(url.rpartition(":")[2])) as back:
        send(mailing.id)
        assert house.states(mailing) == {"accepted": 30}
        assert len(back.messages) == 30


def test_a_relay_that_refuses_our_login_or_sender_pauses_the_mailing_and_says_why(
    house: House, sink: Sink, redis: str
) -> None:
    house.subscribe(30)
    mailing = prepared(house)
    sink.answer("mail", "550 5.7.1 Sender address rejected: not owned by user")
    send(mailing.id)
    assert house.states(mailing) == {"queued": 30}
    assert mailing.state == MailingState.PAUSED
    assert "sender" in mailing.pause_reason
    assert "not owned by user" in mailing.pause_reply
    assert {row.attempts for row in house.deliveries(mailing)} == {0}


def test_a_server_that_refuses_everybody_pauses_the_mailing(house: House, sink: Sink, redis: str) -> None:
    house.subscribe(200)
    mailing = prepared(house)
    sink.answer("rcpt", "554 5.7.1 Rejected by local policy, content blocked")
    send_to_the_end(house, mailing)
    states = house.states(mailing)
    assert mailing.state == MailingState.PAUSED
    assert states["rejected"] < 120
    assert "local policy" in mailing.pause_reply


def test_a_provider_that_says_slow_down_is_suspended_and_nobody_is_lost(house: House, sink: Sink, redis: str) -> None:
    house.subscribe(40, domain="qq.com")
    house.subscribe(40)
    mailing = prepared(house)
    sink.answer(
        "rcpt",
        "550 Domain frequency limited [abc] https://service.mail.qq.com",
        when=lambda step: str(step.recipient).endswith("@qq.com"),
        times=8,
    )
    send(mailing.id)
    states = house.states(mailing)
    assert states["accepted"] >= 40
    suspension = house.session.scalars(select(Suspension).where(Suspension.kind == "suspended")).one()
    assert (suspension.provider, suspension.reply_class) == ("qq.com", "rate")
    hours = house.session.scalar(
        text("SELECT extract(epoch FROM until - now()) / 3600 FROM suspensions WHERE kind = 'suspended'")
    )
    assert 0.9 < float(hours) <= 1
    assert house.session.scalars(select(Suppression)).all() == []
    assert {row.attempts for row in house.deliveries(mailing) if row.state == "queued"} <= {0}
    house.session.execute(text("UPDATE suspensions SET until = now()"))
    house.session.commit()
    send_to_the_end(house, mailing)
    assert house.states(mailing) == {"accepted": 80}


def test_what_is_held_for_a_provider_that_is_suspended_in_mid_send_is_given_back(
    house: House, sink: Sink, redis: str
) -> None:
    house.subscribe(200, domain="163.com")
    mailing = prepared(house)
    # No rate of its own, so that many are held at once.
    set_override(house.session, "netease.com", by=None, per_hour=1_000_000, per_day=100_000_000, connections=20)
    house.session.commit()
    sink.answer("content", Late(0.3))
    thread = threading.Thread(target=send, args=(mailing.id,))
    thread.start()
    sink.wait_for(lambda: len(sink.messages) >= 10)
    house.session.execute(
        text(
            "INSERT INTO suspensions (provider, relay, kind, share, until, reply_class, reply) "
            "VALUES ('netease.com', '', 'suspended', 1, now() + interval '1 hour', 'rate', '')"
        )
    )
    house.session.commit()
    count = len(sink.messages)
    thread.join(30)
    # Ten connections, three a second each, for the half second until the next look and what was on its way.
    assert len(sink.messages) - count <= 40
    states = house.states(mailing)
    assert states["accepted"] == len(sink.messages)
    assert {row.attempts for row in house.deliveries(mailing) if row.state == "queued"} == {0}
    assert mailing.state == MailingState.SENDING


def test_a_paused_mailing_stops_within_two_seconds_and_gives_back_what_it_held(
    house: House, sink: Sink, redis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough that it is not the run's own time that ends it.
    monkeypatch.setattr("mailer.dispatch.sending.RUN_SECONDS", 120.0)
    house.subscribe(400)
    mailing = prepared(house)
    sink.answer("content", Late(0.2))
    thread = threading.Thread(target=send, args=(mailing.id,))
    thread.start()
    sink.wait_for(lambda: len(sink.messages) >= 40)
    with session_scope() as session:
        launching.pause(session, session.get_one(Mailing, mailing.id), "by hand")
    count = len(sink.messages)
    thread.join(60)
    assert not thread.is_alive()
    # Ten connections at five a second each for two seconds, at the most.
    assert len(sink.messages) - count <= 120
    states = house.states(mailing)
    assert set(states) == {"accepted", "queued"}
    assert states["accepted"] == len(sink.messages)
    assert mailing.state == MailingState.PAUSED
    assert {row.attempts for row in house.deliveries(mailing) if row.state == "queued"} == {0}


def test_a_cancelled_mailing_sends_nothing_more_and_adds_up(house: House, sink: Sink, redis: str) -> None:
    from mailer.dispatch.sweeping import sweep

    house.subscribe(400)
    mailing = prepared(house)
    sink.answer("content", Late(0.2))
    thread = threading.Thread(target=send, args=(mailing.id,))
    thread.start()
    sink.wait_for(lambda: len(sink.messages) >= 40)
    with session_scope() as session:
        launching.cancel(session, session.get_one(Mailing, mailing.id))
    thread.join(30)
    sweep()
    states = house.states(mailing)
    assert set(states) == {"accepted", "skipped"}
    assert states["accepted"] == len(sink.messages)
    assert mailing.state == MailingState.CANCELLED
    assert mailing.finished_at is not None


def test_an_unsubscription_in_mid_send_is_obeyed_after_two_seconds_at_the_latest(
    house: House, sink: Sink, redis: str
) -> None:
    readers = house.subscribe(300)
    mailing = prepared(house)
    sink.answer("content", Late(0.25))
    thread = threading.Thread(target=send_to_the_end, args=(house, mailing))
    thread.start()
    sink.wait_for(lambda: len(sink.messages) >= 20)
    late = readers[-100:]
    with session_scope() as session:
        session.execute(
            text("UPDATE subscriptions SET state = 'unsubscribed' WHERE subscriber_id = ANY(:ids)"), {"ids": late}
        )
    left_at = time.time()
    thread.join(60)
    states = house.states(mailing)
    assert states["skipped"] + states["accepted"] == 300
    sent_late = [message for message in sink.messages if message.at > left_at + 2]
    addresses = {row.address for row in house.deliveries(mailing) if row.subscriber_id in late}
    assert not [message for message in sent_late if message.recipients[0] in addresses]
    assert states["skipped"] >= 90


def test_a_rate_is_kept(house: House, sink: Sink, redis: str) -> None:
    house.subscribe(100)
    mailing = prepared(house, rate=40.0)
    began = time.monotonic()
    send_to_the_end(house, mailing)
    seconds = time.monotonic() - began
    assert house.states(mailing) == {"accepted": 100}
    # Empty buckets fill as time goes by: never more than the rate allows. That it is not less, the bench says.
    assert seconds >= 2.4


def test_a_slow_rate_holds_nobody_with_a_lease_running(house: House, sink: Sink, redis: str) -> None:
    house.subscribe(4)
    mailing = prepared(house, rate=1.0)
    claimed: list[int] = []

    def count_claimed() -> bool:
        with new_session() as session:
            claimed.append(session.scalar(select(func.count()).where(Delivery.state == "claimed")) or 0)
        return True

    sink.answer("content", Held(count_claimed))
    began = time.monotonic()
    send_to_the_end(house, mailing)
    assert house.states(mailing) == {"accepted": 4}
    # Nobody else is held while the first is on its way.
    assert claimed[0] == 1
    # The first token is there a second after the bucket was begun, and so on.
    times = [message.at - began for message in sink.messages]
    assert all(at > number - 0.05 for number, at in enumerate(times, 1))


def test_the_host_s_slots_bound_how_many_send(house: House, sink: Sink, redis: str) -> None:
    house.subscribe(100)
    mailing = prepared(house)
    sink.answer("content", Late(0.1))
    thread = threading.Thread(target=send, args=(mailing.id,))
    thread.start()
    sink.wait_for(lambda: len(sink.messages) >= 1)
    assert send(mailing.id) is None
    thread.join(30)


def test_the_database_restarted_in_mid_send_loses_nothing(
    house: House, sink: Sink, redis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mailer.dispatch.sweeping import sweep
    from mailer.settings import get_settings

    monkeypatch.setenv("MAILER_LEASE_SECONDS", "10")
    get_settings.cache_clear()
    house.subscribe(200)
    mailing = prepared(house)
    sink.answer("content", Late(0.05))
    thread = threading.Thread(target=send, args=(mailing.id,))
    thread.start()
    for count in (20, 60, 100):
        sink.wait_for(lambda count=count: len(sink.messages) >= count)
        house.session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        house.session.commit()
    thread.join(60)
    deadline = time.monotonic() + 60
    while house.states(mailing) != {"accepted": 200} and time.monotonic() < deadline:
        sweep()
        send(mailing.id)
    assert house.states(mailing) == {"accepted": 200}
    assert len(sink.messages) == 200


def test_nothing_open_is_left_in_the_journal_when_all_is_settled(house: House, sink: Sink, redis: str) -> None:
    house.subscribe(20)
    mailing = prepared(house)
    send(mailing.id)
    read = [Journal.read(path) for path in Journal.files(journal_directory())]
    assert read
    assert all(entries == {} for entries in read)


def test_the_baton_goes_to_the_next_mailing_that_has_something_due(
    house: House, sink: Sink, redis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.subscribe(5)
    first, second = prepared(house, is_repeat=True), prepared(house, is_repeat=True)
    hints: list[int] = []
    monkeypatch.setattr("mailer.dispatch.sending.enqueue", lambda _name, mailing_id: hints.append(mailing_id))
    send(first.id)
    assert hints == [second.id]
    send(second.id)
    assert hints == [second.id]


def test_a_mailing_that_cannot_be_composed_is_paused(house: House, sink: Sink, redis: str) -> None:
    house.subscribe(1)
    mailing = prepared(house)
    house.newsletter.sender_name = "bad\r\nBcc: all@example.org"
    house.session.commit()
    send(mailing.id)
    assert house.states(mailing) == {"queued": 1}
    assert mailing.state == MailingState.PAUSED
