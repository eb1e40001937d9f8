"""Workers that die: outright, again and again; and in order."""

import random
import time

import pytest

from mailer.dispatch.sending_process import journal_directory
from mailer.embedded.bench_meters import tree_of
from mailer.embedded.processes import command_of
from tests.chaos.conftest import MakeStage
from tests.chaos.stage import CONNECTIONS, FULL, many

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


def test_workers_killed_at_random_miss_nobody_and_mail_nobody_twice(make_stage: MakeStage) -> None:
    kills = 20 if FULL else 5
    stage = make_stage(late=0.0 if FULL else 0.05)
    stage.house.subscribe(many(1500))
    mailing = stage.house.mailing()
    stage.watch(mailing)
    stage.start()
    worker, chance, died = stage.children[0], random.Random(), 0
    while died < kills:
        stage.wait_taken(int(many(1500) * (died + 1) / (kills + 2)))
        # One of the worker's pool, so that the worker goes on; or all of it, as when its machine loses power.
        if chance.random() < 0.7:
            died += stage.kill_sender()
        else:
            worker = stage.kill_worker(worker)
            died += 1
    stage.wait_finished(mailing)
    account = stage.account(mailing)
    stage.report("20 × SIGKILL of workers at random", account, kills=kills)
    assert account.missed == set()
    assert account.twice == set()
    assert account.unknown <= CONNECTIONS * kills
    assert account.states == {
        "accepted": many(1500) - account.unknown, **({"unknown": account.unknown} if account.unknown else {})
    }  # fmt: skip


def test_a_pool_whose_worker_was_killed_ends_and_another_takes_over(make_stage: MakeStage) -> None:
    stage = make_stage(late=0.1)
    stage.house.subscribe(800)
    mailing = stage.house.mailing()
    stage.watch(mailing)
    stage.start()
    stage.wait_taken(100)
    pool = tree_of(stage.children[0].pid or 0)[1:]
    stage.orphan_pool(stage.children[0])
    stage.wait_finished(mailing)
    stage.wait_for(lambda: not any(command_of(pid) for pid in pool), what="the end of the orphans")
    account = stage.account(mailing)
    stage.report("SIGKILL of a worker's main process alone", account)
    assert account.states["accepted"] + account.unknown == 800
    assert account.unknown <= CONNECTIONS
    assert (account.missed, account.twice) == (set(), set())


def test_a_worker_told_to_end_in_mid_send_drains_and_leaves_nothing_unknown(make_stage: MakeStage) -> None:
    stage = make_stage(late=0.0 if FULL else 0.1)
    stage.house.subscribe(many(1000))
    mailing = stage.house.mailing()
    stage.watch(mailing)
    stage.start()
    stage.wait_taken(many(1000) // 10)
    worker = stage.children[0]
    began = time.monotonic()
    worker.stop()
    seconds = time.monotonic() - began
    assert seconds < 30
    states = stage.house.states(mailing)
    # Nothing is left in anybody's hands: what was on the wire has its answer, the rest is in the queue again.
    assert set(states) == {"accepted", "queued"}
    assert states["accepted"] == stage.relay.count()
    assert [path for path in journal_directory().iterdir() if path.stat().st_size] == []
    stage.children.remove(worker)
    stage.start_worker()
    stage.wait_finished(mailing)
    account = stage.account(mailing)
    stage.report("SIGTERM in mid-send", account, drained_in=round(seconds, 1))
    assert account.states == {"accepted": many(1000)}
    assert (account.missed, account.twice) == (set(), set())
