"""What people do while a mailing is sent."""

import threading
import time
from collections.abc import Iterator

import pytest

from mailer.audience import leaving
from mailer.db import session_scope
from mailer.dispatch import launching
from mailer.dispatch.models import Mailing
from mailer.links import UnsubscribeTarget
from tests.chaos.conftest import MakeStage
from tests.chaos.stage import CONNECTIONS, FULL, Stage, many

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

LATE = 0.0 if FULL else 0.1
# What the rules allow.
EFFECTIVE_SECONDS = 2.0


class Naps(threading.Thread):
    """How late this machine wakes whoever has slept for a moment: on a crowded one, what is on its way is that late."""

    def __init__(self) -> None:
        super().__init__(name="naps", daemon=True)
        self._is_over = threading.Event()
        self._latest = 0.0

    def run(self) -> None:
        while not self._is_over.is_set():
            began = time.monotonic()
            time.sleep(0.02)
            self._latest = max(self._latest, time.monotonic() - began - 0.02)

    @property
    def effective(self) -> float:
        """Within so many seconds it must have taken effect: a message that was on its way has been taken by then."""
        return EFFECTIVE_SECONDS + LATE + 0.5 + 3 * self._latest

    def stop(self) -> None:
        self._is_over.set()
        self.join()


@pytest.fixture
def naps() -> Iterator[Naps]:
    naps = Naps()
    naps.start()
    yield naps
    naps.stop()


def taken_after(stage: Stage, moment: float) -> list[str]:
    return [recipient for at, recipient in stage.relay.taken() if at > moment]


def act(what: object, mailing: Mailing) -> float:
    """Does it as the pages do; the time at which it was committed."""
    with session_scope() as session:
        what(session, session.get_one(Mailing, mailing.id))  # type: ignore[operator]
    return time.time()


def test_readers_who_leave_in_mid_send_are_not_mailed_two_seconds_later(make_stage: MakeStage, naps: Naps) -> None:
    stage = make_stage(late=LATE)
    readers = stage.house.subscribe(many(1000))
    mailing = stage.house.mailing()
    stage.watch(mailing)
    stage.start()
    stage.wait_taken(many(1000) // 10)
    # Every other reader who comes late in the order; so few in the suite that they have left long before their turn.
    leavers = readers[many(1000) // 2 :: 2][:2000] if FULL else readers[-80::2]
    with session_scope() as session:
        for reader in leavers:
            leaving.unsubscribe(session, UnsubscribeTarget(reader, 0, (stage.house.lists[0].id,)))
    left_at = time.time()
    stage.wait_finished(mailing)
    account = stage.account(mailing)
    late = set(taken_after(stage, left_at + naps.effective))
    gone = {row.address for row in stage.house.deliveries(mailing) if row.subscriber_id in set(leavers)}
    stage.report("unsubscribe committed in mid-send", account, mailed_too_late=len(late & gone))
    assert late & gone == set()
    assert (account.missed, account.twice) == (set(), set())
    # Those who were not mailed were skipped, and nobody else was.
    assert {row.address for row in stage.house.deliveries(mailing) if row.state == "skipped"} <= gone
    assert account.states["skipped"] >= len(leavers) // 2


def test_pause_resume_and_cancel_take_effect_within_two_seconds(make_stage: MakeStage, naps: Naps) -> None:
    stage = make_stage(late=LATE)
    stage.house.subscribe(many(1200))
    mailing = stage.house.mailing()
    stage.watch(mailing)
    stage.start()
    stage.wait_taken(many(1200) // 10)
    paused_at = act(launching.pause, mailing)
    stage.wait_for(lambda: "claimed" not in stage.house.states(mailing), what="the end of what was on its way")
    # Two sweeps later still nothing has moved.
    stage.wait_sweeps(2)
    assert taken_after(stage, paused_at + naps.effective) == []
    assert set(stage.house.states(mailing)) == {"accepted", "queued"}
    count = stage.relay.count()
    resumed_at = act(launching.resume, mailing)
    stage.wait_taken(count + CONNECTIONS)
    waited = stage.relay.taken()[count][0] - resumed_at
    cancelled_at = act(launching.cancel, mailing)
    stage.wait_finished(mailing)
    account = stage.account(mailing)
    stage.report("pause, resume, cancel", account, resumed_in=round(waited, 1))
    # A worker may have to be woken for it, which the suite's machine may take its time for.
    assert waited < EFFECTIVE_SECONDS or not FULL
    assert taken_after(stage, cancelled_at + naps.effective) == []
    assert set(account.states) == {"accepted", "skipped"}
    assert account.states["accepted"] == stage.relay.count()
    assert (account.missed, account.twice) == (set(), set())


def test_the_same_issue_to_an_overlapping_list_reaches_nobody_twice(make_stage: MakeStage) -> None:
    stage = make_stage(late=0.02 if not FULL else 0.0)
    first_only, both, second_only = many(300), many(300) // 2, many(300) // 3
    stage.house.subscribe(first_only, lists=(0,))
    shared = stage.house.subscribe(both, lists=(0, 1))
    stage.house.subscribe(second_only, lists=(1,))
    stage.start()
    first = stage.house.mailing(0)
    stage.watch(first)
    stage.wait_taken((first_only + both) // 3)
    # While the first is on its way. Of a later edition it would stop the first (`tests/dispatch/test_halting.py`).
    second = stage.house.mailing(1)
    stage.watch(second)
    stage.wait_finished(first, second)
    account = stage.account(first, second)
    stage.report("the same issue mailed again to an overlapping list", account, already_sent=both)
    assert (account.missed, account.twice) == (set(), set())
    assert stage.house.states(first) == {"accepted": first_only + both}
    assert stage.house.states(second) == {"accepted": second_only}
    assert stage.house.exclusions(second) == dict.fromkeys(shared, "already_sent")
    assert stage.house.exclusions(first) == {}
