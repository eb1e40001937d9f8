"""Redis and PostgreSQL die in mid-send and come back; nobody does anything about it."""

import pytest

from tests.chaos.conftest import MakeStage
from tests.chaos.stage import FULL, Services, Stage, many

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

RECIPIENTS = many(1500)


def sending(make_stage: MakeStage) -> Stage:
    """In the midst of it, a quarter taken."""
    stage = make_stage(late=0.0 if FULL else 0.05)
    stage.house.subscribe(RECIPIENTS)
    stage.watch(stage.house.mailing())
    stage.start()
    stage.wait_taken(RECIPIENTS // 4)
    return stage


def expect_all(stage: Stage, row: str) -> None:
    (mailing,) = stage.mailings()
    stage.wait_finished(mailing)
    account = stage.account(mailing)
    stage.report(row, account)
    assert account.states == {"accepted": RECIPIENTS}
    assert (account.missed, account.twice) == (set(), set())


def test_redis_killed_and_restarted_empty_costs_nothing_but_time(make_stage: MakeStage, services: Services) -> None:
    stage = sending(make_stage)
    services.kill_redis()
    # What is in hand goes on without it, for the few seconds that a run lasts; which may be over just now.
    before = stage.relay.count()
    stage.wait_for(
        lambda: stage.relay.count() >= before + 20 or stage.sender_pid() is None,
        what="a few messages without Redis",
    )
    services.redis.start()
    expect_all(stage, "Redis killed and restarted empty")


def test_postgresql_killed_and_restarted_costs_nothing_but_time(make_stage: MakeStage, services: Services) -> None:
    stage = sending(make_stage)
    services.kill_postgres()
    services.postgres.start()
    expect_all(stage, "PostgreSQL killed and restarted")


def test_both_killed_at_once_cost_nothing_but_time(make_stage: MakeStage, services: Services) -> None:
    stage = sending(make_stage)
    services.kill_redis()
    services.kill_postgres()
    services.postgres.start()
    services.redis.start()
    expect_all(stage, "Redis and PostgreSQL killed at once")
