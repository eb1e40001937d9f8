import datetime as dt
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import text

from mailer.db import now
from mailer.dispatch import launching
from mailer.dispatch.claiming import Claim, claim
from mailer.dispatch.journal import Journal
from mailer.dispatch.models import Mailing
from mailer.dispatch.preparing import prepare
from mailer.dispatch.rules import MailingState
from mailer.dispatch.sending_process import journal_directory
from mailer.dispatch.suspending import suspend_relay
from mailer.dispatch.sweeping import sweep
from mailer.queue import HEARTBEAT_KEY, TaskName
from mailer.settings import get_settings
from tests.dispatch.conftest import House
from tests.dispatch.sink import Late, Sink

Hints = list[tuple[str, dict[str, int]]]


@pytest.fixture(autouse=True)
def journals(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MAILER_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    yield journal_directory()
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.fixture
def hints(monkeypatch: pytest.MonkeyPatch) -> Hints:
    caught: Hints = []
    monkeypatch.setattr("mailer.dispatch.sweeping.enqueue", lambda name, **ids: caught.append((name, ids)))
    return caught


@pytest.fixture
def mailing(house: House) -> Mailing:
    house.subscribe(6)
    mailing = house.mailing(0)
    prepare(mailing.id)
    return mailing


def take(house: House, mailing: Mailing, *, key: str, token: str = "1", count: int = 100) -> tuple[Claim, ...]:
    taken = claim(house.session, mailing.id, key=key, token=token, quotas={"other": count}, batch=count, lease=60)
    house.session.commit()
    return taken.claims


def die(journal: Journal) -> None:
    """The process is gone: its lock is free, its file stays whatever is in it."""

    journal._current.release()


def end_leases(house: House, seconds: int = 1) -> None:
    house.session.execute(
        text("UPDATE deliveries SET lease_until = now() - make_interval(secs => :s) WHERE state = 'claimed'"),
        {"s": seconds},
    )
    house.session.commit()


def test_a_dead_processs_claims_are_resolved_by_its_journal_without_waiting_for_the_lease(
    house: House, mailing: Mailing, journals: Path, redis: str, hints: Hints
) -> None:
    journal = Journal(journals, "host-1")
    untried, accepted, refused, lost, deferred, old = take(house, mailing, key="host-1")
    for each in (accepted, refused, lost, deferred):
        journal.intent(each.delivery_id, each.token)
    journal.intent(old.delivery_id, "0")
    journal.reply(accepted.delivery_id, 250, "2.0.0", "queued as 7")
    journal.reply(refused.delivery_id, 550, "5.1.1", "No such user")
    journal.reply(deferred.delivery_id, 451, "4.7.1", "Greylisted")
    die(journal)
    assert sweep().resolved == 6
    rows = {row.id: row for row in house.deliveries(mailing)}
    assert {each: rows[claimed.delivery_id].state for each, claimed in {
        "untried": untried, "accepted": accepted, "refused": refused, "lost": lost, "deferred": deferred, "old": old,
    }.items()} == {
        "untried": "queued", "accepted": "accepted", "refused": "rejected", "lost": "unknown", "deferred": "queued",
        "old": "queued",
    }  # fmt: skip
    assert rows[accepted.delivery_id].reply == "queued as 7"
    assert (rows[untried.delivery_id].attempts, rows[deferred.delivery_id].attempts) == (0, 1)
    assert rows[lost.delivery_id].reason == "lost_reply"
    assert list(journals.iterdir()) == []
    # A second beat finds nothing to do.
    assert sweep().resolved == 0


def test_a_living_processs_claims_are_left_alone_until_long_after_their_leases(
    house: House, mailing: Mailing, journals: Path, redis: str, hints: Hints
) -> None:
    journal = Journal(journals, "host-1")
    claims = take(house, mailing, key="host-1")
    journal.intent(claims[0].delivery_id, "1")
    assert sweep().resolved == 0
    end_leases(house)
    assert sweep().resolved == 0
    end_leases(house, get_settings().lease_seconds + 1)
    assert sweep().resolved == 6
    assert house.states(mailing) == {"queued": 5, "unknown": 1}
    assert len(list(journals.iterdir())) == 1
    journal.close()


def test_another_machines_process_is_known_by_its_lease_alone_and_its_journal_is_missing(
    house: House, mailing: Mailing, redis: str, hints: Hints
) -> None:
    take(house, mailing, key="elsewhere-9")
    assert sweep().resolved == 0
    end_leases(house)
    assert sweep().resolved == 6
    assert house.states(mailing) == {"unknown": 6}


def test_a_damaged_journal_makes_its_claims_unknown_rather_than_sent_twice(
    house: House, mailing: Mailing, journals: Path, redis: str, hints: Hints
) -> None:
    take(house, mailing, key="host-1")
    journals.mkdir(parents=True, exist_ok=True)
    (journals / "host-1.1.journal").write_bytes(b"I 00000000 what is this\nI 00000000 1 1\n")
    assert sweep().resolved == 6
    assert house.states(mailing) == {"unknown": 6}


def test_a_journal_of_several_files_tells_one_story(
    house: House, mailing: Mailing, journals: Path, redis: str, hints: Hints
) -> None:
    first, second = take(house, mailing, key="host-1")[:2]
    journal = Journal(journals, "host-1", rotate_bytes=1)
    journal.intent(first.delivery_id, "1")
    journal.intent(second.delivery_id, "1")
    journal.reply(first.delivery_id, 250, None, "ok")
    journal.reply(second.delivery_id, 250, None, "ok")
    for segment in journal._older:
        segment.release()
    die(journal)
    assert len(list(journals.iterdir())) == 2
    sweep()
    assert house.states(mailing) == {"accepted": 2, "queued": 4}


def test_lost_hints_are_given_again(house: House, redis: str, hints: Hints) -> None:
    house.subscribe(1)
    preparing, sending = house.mailing(0, is_repeat=True), house.mailing(0, is_repeat=True)
    prepare(sending.id)
    report = sweep()
    assert (report.prepared, report.due) == ([preparing.id], [sending.id])
    assert hints == [
        (TaskName.DISPATCH_PREPARE, {"mailing_id": preparing.id}),
        (TaskName.DISPATCH_SEND, {"mailing_id": sending.id}),
    ]


def test_no_hint_is_given_for_what_need_not_be_sent_now(
    house: House, mailing: Mailing, redis: str, hints: Hints
) -> None:
    suspend_relay(house.session, reply_class="connection", reply="")
    house.session.commit()
    sweep()
    house.session.execute(text("TRUNCATE suspensions"))
    house.session.execute(text("UPDATE deliveries SET next_attempt_at = now() + interval '5 minutes'"))
    house.session.commit()
    sweep()
    launching.pause(house.session, mailing, "")
    house.session.commit()
    sweep()
    assert hints == []


def test_due_schedules_are_launched_once_by_however_many_sweeps(house: House, redis: str, hints: Hints) -> None:
    house.subscribe(1)
    due, later = house.mailing(0, launched=False), house.mailing(0, launched=False)
    for each in (due, later):
        launching.schedule(house.session, each, now(house.session) + dt.timedelta(hours=1))
    due.scheduled_at = now(house.session)
    house.session.commit()
    assert sweep().launched == [due.id]
    assert sweep().launched == []
    house.session.refresh(due)
    house.session.refresh(later)
    assert (due.state, later.state) == ("preparing", "scheduled")


def test_a_schedule_that_another_sweep_is_working_on_is_passed_over(house: House, redis: str, hints: Hints) -> None:
    due = house.mailing(0, launched=False)
    launching.schedule(house.session, due, now(house.session) + dt.timedelta(hours=1))
    due.scheduled_at = now(house.session)
    house.session.commit()
    house.session.refresh(due, with_for_update=True)
    assert sweep().launched == []
    house.session.rollback()


def test_the_rest_of_a_long_cancelled_roster_is_skipped_and_it_ends(
    house: House, mailing: Mailing, redis: str, hints: Hints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "CANCEL_CHUNK", 2)
    launching.cancel(house.session, mailing)
    house.session.commit()
    assert house.states(mailing) == {"queued": 4, "skipped": 2}
    report = sweep()
    assert (report.skipped, report.finished) == (4, [mailing.id])
    assert house.states(mailing) == {"skipped": 6}
    assert mailing.state == MailingState.CANCELLED


def test_what_drained_without_anybody_noticing_is_finished(
    house: House, mailing: Mailing, redis: str, hints: Hints
) -> None:
    house.session.execute(text("UPDATE deliveries SET state = 'accepted', settled_at = now()"))
    house.session.commit()
    assert sweep().finished == [mailing.id]


def test_a_part_that_fails_does_not_keep_the_others_from_running(
    house: House, mailing: Mailing, redis: str, hints: Hints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.dispatch.sweeping.find_bequests", lambda _: 1 / 0)
    assert sweep().due == [mailing.id]


def test_each_sweep_leaves_the_databases_time_in_redis(house: House, redis: str, hints: Hints) -> None:
    sweep()
    with Redis.from_url(redis) as client:
        beat = float(client.get(HEARTBEAT_KEY) or 0)
    assert abs(beat - now(house.session).timestamp()) < 10


def test_a_sweep_without_redis_still_repairs(house: House, mailing: Mailing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_REDIS_URL", "redis://127.0.0.1:1/0")
    get_settings.cache_clear()
    take(house, mailing, key="elsewhere-9")
    end_leases(house)
    assert sweep().resolved == 6


WORKER = """
from mailer.dispatch import sweeping
from mailer.dispatch.sending import send
import sys
while True:
    sweeping.sweep()
    send(int(sys.argv[1]))
"""


@pytest.mark.integration
@pytest.mark.timeout(180)
def test_workers_killed_again_and_again_miss_nobody_and_mail_nobody_twice(
    house: House, redis: str, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., None]
) -> None:
    kills, connections = 4, 10
    house.subscribe(600)
    with Sink(keeps_content=False) as sink:
        sink.answer("content", Late(0.05))
        monkeypatch.setenv("MAILER_RELAY_URL", f"{sink.url}?connections={connections}")
        get_settings.cache_clear()
        mailing = house.mailing(0)
        prepare(mailing.id)
        for number in range(kills + 1):
            seen = len(sink.messages)
            with subprocess.Popen([sys.executable, "-c", WORKER, str(mailing.id)]) as worker:
                try:
                    if number < kills:
                        sink.wait_for(lambda seen=seen: len(sink.messages) >= seen + 60, timeout=60)
                    else:
                        # The mailing ends in a transaction of its own, behind the last outcome: so late no kill.
                        wait_until(
                            lambda: (
                                not {"queued", "claimed"} & house.states(mailing).keys()
                                and mailing.state == MailingState.FINISHED
                            ),
                            seconds=90,
                        )
                finally:
                    worker.kill()
        states = house.states(mailing)
        assert states["accepted"] + states.get("unknown", 0) == 600
        assert states.get("unknown", 0) <= connections * kills
        assert max(sink.counts.values()) == 1
        # Accepted is never claimed without the server's word, and a person hears of each that is unknown.
        assert states["accepted"] <= len(sink.counts) <= 600
        assert mailing.state == MailingState.FINISHED


@pytest.fixture
def wait_until() -> Callable[..., None]:
    def wait(condition: Callable[[], bool], *, seconds: float) -> None:
        ends_at = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < ends_at, "what the test waited for did not happen"
            time.sleep(0.2)

    return wait
