import datetime as dt
import time

import pytest
from redis import Redis
from sqlalchemy import text

from mailer.db import now
from mailer.dispatch import progress as room
from mailer.dispatch.models import Mailing, Suspension
from mailer.dispatch.pace.provider_settings import set_override
from mailer.dispatch.preparing import prepare
from mailer.dispatch.progress import get_progress
from mailer.dispatch.rules import DeliveryState, MailingState
from mailer.dispatch.suspending import suspend_relay
from mailer.queue import HEARTBEAT_KEY
from mailer.settings import get_settings
from tests.dispatch.conftest import House


@pytest.fixture
def mailing(house: House) -> Mailing:
    readers = house.subscribe(10) + house.subscribe(5, domain="163.com")
    house.suppress(readers[0])
    mailing = house.mailing(0)
    prepare(mailing.id)
    house.session.refresh(mailing)
    return mailing


def set_states(house: House, count: int, state: str) -> None:
    house.session.execute(
        text(
            "UPDATE deliveries SET state = :state, settled_at = now() WHERE id IN "
            "(SELECT id FROM deliveries WHERE state = 'queued' ORDER BY id LIMIT :count)"
        ),
        {"state": state, "count": count},
    )
    house.session.commit()


def stand_still(house: House, mailing: Mailing, minutes: int = 6) -> None:
    mailing.started_at = now(house.session) - dt.timedelta(minutes=minutes)
    mailing.launched_at = mailing.started_at
    house.session.commit()


def beat(house: House, redis: str) -> None:
    with Redis.from_url(redis) as client:
        client.set(HEARTBEAT_KEY, now(house.session).timestamp())


def test_every_state_is_counted_and_the_sum_is_the_roster(house: House, mailing: Mailing, redis: str) -> None:
    set_states(house, 4, "accepted")
    set_states(house, 1, "unknown")
    found = get_progress(house.session, mailing)
    assert set(found.states) == set(DeliveryState)
    assert (found.states[DeliveryState.ACCEPTED], found.states[DeliveryState.UNKNOWN]) == (4, 1)
    assert sum(found.states.values()) == found.roster == 14
    assert found.pending == 9
    assert found.exclusions == {"suppressed": 1}
    assert found.stall is None


def test_a_draft_has_no_roster_yet(house: House, redis: str) -> None:
    found = get_progress(house.session, house.mailing(0, launched=False))
    assert (found.roster, sum(found.states.values()), found.rate_per_second, found.finish_at) == (None, 0, None, None)


def test_the_finish_follows_from_the_rate_and_from_a_providers_limit(
    house: House, mailing: Mailing, redis: str
) -> None:
    with Redis.from_url(redis) as client:
        client.set(f"mailer:meter:{mailing.id}:{int(time.time()) - 1}", 7)
    found = get_progress(house.session, mailing)
    assert found.rate_per_second == pytest.approx(7, rel=0.6)
    assert found.finish_at is not None
    # Five NetEase readers at 3,000 an hour.
    assert (found.finish_at - now(house.session)).total_seconds() == pytest.approx(6, abs=0.5)


def test_nothing_is_a_stall_before_five_minutes(house: House, mailing: Mailing, redis: str) -> None:
    stand_still(house, mailing, minutes=4)
    assert get_progress(house.session, mailing).stall is None


def test_a_stall_names_its_cause(house: House, mailing: Mailing, redis: str) -> None:
    stand_still(house, mailing)
    assert get_progress(house.session, mailing).stall == room.NO_WORKER
    beat(house, redis)
    assert get_progress(house.session, mailing).stall == room.NOBODY_KNOWS
    for provider in ("other", "netease.com"):
        house.session.add(
            Suspension(provider=provider, until=now(house.session) + dt.timedelta(hours=1), reply_class="rate")
        )
    house.session.flush()
    found = get_progress(house.session, mailing)
    assert found.stall == room.ALL_SUSPENDED
    assert [suspension.provider for suspension in found.suspensions] == ["netease.com", "other"]
    suspend_relay(house.session, reply_class="connection", reply="refused")
    assert get_progress(house.session, mailing).stall == room.RELAY_AWAY
    house.session.rollback()


def test_a_mailing_that_goes_slowly_by_wish_does_not_stand_still(house: House, mailing: Mailing, redis: str) -> None:
    mailing.rate = 1 / 240
    stand_still(house, mailing, minutes=7)
    assert get_progress(house.session, mailing).stall == room.NO_WORKER
    beat(house, redis)
    assert get_progress(house.session, mailing).stall is None
    stand_still(house, mailing, minutes=9)
    assert get_progress(house.session, mailing).stall == room.NOBODY_KNOWS


def test_a_provider_that_gets_a_few_an_hour_does_not_make_it_stand_still(
    house: House, mailing: Mailing, redis: str
) -> None:
    set_override(house.session, "netease.com", by=None, per_hour=10)
    stand_still(house, mailing, minutes=10)
    beat(house, redis)
    # There are others, who could have been written to.
    assert get_progress(house.session, mailing).stall == room.NOBODY_KNOWS
    house.session.execute(text("UPDATE deliveries SET state = 'accepted', settled_at = now() WHERE provider = 'other'"))
    house.session.commit()
    assert get_progress(house.session, mailing).stall is None


def test_a_full_disk_of_ours_is_not_laid_at_the_relays_door(house: House, mailing: Mailing, redis: str) -> None:
    stand_still(house, mailing)
    beat(house, redis)
    suspend_relay(house.session, reply_class="journal", reply="No space left on device")
    assert get_progress(house.session, mailing).stall == room.DISK_FULL


def test_progress_ends_a_stall(house: House, mailing: Mailing, redis: str) -> None:
    stand_still(house, mailing)
    mailing.progressed_at = now(house.session)
    assert get_progress(house.session, mailing).stall is None


def test_waiting_for_the_next_attempt_is_no_stall_and_its_time_is_told(
    house: House, mailing: Mailing, redis: str
) -> None:
    stand_still(house, mailing)
    later = now(house.session) + dt.timedelta(minutes=30)
    house.session.execute(text("UPDATE deliveries SET next_attempt_at = :at"), {"at": later})
    house.session.commit()
    found = get_progress(house.session, mailing)
    assert (found.stall, found.next_attempt_at) == (None, later)


def test_a_preparation_that_lasts_is_a_stall_too(house: House, redis: str) -> None:
    mailing = house.mailing(0)
    stand_still(house, mailing)
    beat(house, redis)
    assert get_progress(house.session, mailing).stall == room.PREPARING


@pytest.mark.parametrize("state", [MailingState.PAUSED, MailingState.FINISHED, MailingState.CANCELLED])
def test_what_is_not_being_sent_cannot_stall(house: House, mailing: Mailing, redis: str, state: MailingState) -> None:
    stand_still(house, mailing)
    mailing.state = state
    house.session.commit()
    found = get_progress(house.session, mailing)
    assert (found.stall, found.rate_per_second, found.finish_at) == (None, None, None)


def test_a_redis_that_is_away_costs_the_rate_and_is_told_as_the_cause(
    house: House, mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_REDIS_URL", "redis://127.0.0.1:1/0")
    get_settings.cache_clear()
    stand_still(house, mailing)
    found = get_progress(house.session, mailing)
    assert (found.rate_per_second, found.finish_at, found.stall) == (None, None, room.NO_REDIS)
    assert found.roster == 14
    monkeypatch.undo()
    get_settings.cache_clear()
