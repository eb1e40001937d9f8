import time
from types import SimpleNamespace

import pytest
from redis import Redis

from mailer.dispatch.pace import buckets
from mailer.dispatch.pace.buckets import AWAY_SECONDS, AWAY_SHARE, PREFIX, Grant, Limit, Meter, Pacer, connect


@pytest.fixture
def client(redis: str):  # type: ignore[no-untyped-def]
    with connect(redis) as client:
        yield client


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def gone() -> Redis:
    return connect("redis://127.0.0.1:1/0")


def clock_of(client: Redis) -> float:
    """Redis's own time: the only clock of the buckets."""
    seconds, micros = client.time()
    return int(seconds) + int(micros) / 1e6


def drain(client: Redis, pacers: list[Pacer], limit: Limit, wanted: int, seconds: float) -> tuple[int, float, float]:
    """Takes in turn as workers do, what there is, and waits as told.

    Returns how many, and between which two lengths of Redis's time that was: however late this process was woken.
    """
    before_first = clock_of(client)
    taken = pacers[0].take([limit], wanted).tokens
    after_first = clock_of(client)
    while clock_of(client) - after_first < seconds:
        for pacer in pacers:
            grant = pacer.take([limit], wanted)
            taken += grant.tokens
        if not grant.tokens:
            time.sleep(grant.wait)
    before_last = clock_of(client)
    taken += pacers[0].take([limit], 1_000_000).tokens
    return taken, before_last - after_first, clock_of(client) - before_first


@pytest.mark.parametrize("workers", [1, 3])
def test_a_rate_is_kept_to_the_message_by_however_many_workers(client: Redis, workers: int) -> None:
    # Whatever lateness a loaded machine makes up for fits into the bucket.
    limit = Limit.per_second("relay:a", 100.0, seconds=60.0)
    taken, least, most = drain(client, [Pacer(client) for _ in range(workers)], limit, 7, 1.5)
    assert 100 * least - 1 <= taken <= 100 * most


def test_a_bucket_fills_from_when_it_was_begun(client: Redis) -> None:
    pacer, limit = Pacer(client), Limit.per_second("relay:a", 100.0, seconds=60.0)
    pacer.begin([limit])
    since = clock_of(client)
    while clock_of(client) - since < 0.1:
        time.sleep(0.01)
    assert pacer.take([limit], 10).tokens == 10


def test_beginning_takes_nothing_away_from_a_bucket_that_is_there(client: Redis) -> None:
    pacer, limit = Pacer(client), Limit("relay:a", 0.001, 5.0)
    pacer.begin([limit])
    client.hset(PREFIX + "relay:a", "level", "3.5")
    pacer.begin([limit])
    assert pacer.take([limit], 10).tokens == 3


def test_a_new_bucket_is_empty_and_says_how_long_to_wait(client: Redis) -> None:
    grant = Pacer(client).take([Limit.per_second("relay:a", 50.0)], 10)
    assert grant.tokens == 0
    assert grant.wait == pytest.approx(0.02, abs=0.001)


def test_a_bucket_lost_with_its_redis_starts_empty(client: Redis) -> None:
    pacer, limit = Pacer(client), Limit("relay:a", 1000.0, 500.0)
    pacer.take([limit], 1)
    client.hset(PREFIX + "relay:a", "level", 500)
    assert pacer.take([limit], 10).tokens == 10
    client.flushall()
    client.script_flush()
    assert pacer.take([limit], 10).tokens == 0


def test_no_more_is_kept_than_the_burst(client: Redis) -> None:
    pacer, limit = Pacer(client), Limit("relay:a", 100.0, 5.0)
    pacer.take([limit], 1)
    client.hset(PREFIX + "relay:a", "at", 0)
    assert pacer.take([limit], 1000).tokens == 5


def test_a_clock_that_was_set_back_refunds_nothing_and_stops_nothing(client: Redis) -> None:
    pacer, limit = Pacer(client), Limit("relay:a", 1000.0, 500.0)
    client.hset(PREFIX + "relay:a", mapping={"level": 3, "at": time.time() + 3600})
    assert pacer.take([limit], 10).tokens == 3
    time.sleep(0.02)
    assert pacer.take([limit], 10).tokens == 10


def test_nothing_is_taken_unless_every_limit_has_it(client: Redis) -> None:
    pacer = Pacer(client)
    wide, narrow = Limit("relay:a", 0.001, 100.0), Limit("mailing:1", 0.001, 100.0)
    client.hset(PREFIX + wide.key, mapping={"level": 50, "at": time.time()})
    client.hset(PREFIX + narrow.key, mapping={"level": 3, "at": time.time()})
    assert pacer.take([wide, narrow], 10).tokens == 3
    grant = pacer.take([wide, narrow], 10)
    assert grant.tokens == 0
    assert grant.wait > 900
    assert float(client.hget(PREFIX + wide.key, "level") or 0) == pytest.approx(47, abs=0.1)


def test_a_rate_of_one_an_hour_is_a_rate(client: Redis) -> None:
    limit = Limit.per_second("provider:x", 1 / 3600)
    assert limit.burst == 1.0
    grant = Pacer(client).take([limit], 5)
    assert (grant.tokens, round(grant.wait)) == (0, 3600)
    assert client.ttl(PREFIX + limit.key) > 3600


def test_without_limits_everything_is_granted() -> None:
    assert Pacer(gone()).take([], 10) == Grant(10, 0.0)
    assert Pacer(gone()).take([Limit.per_second("a", 1.0)], 0) == Grant(0, 0.0)


def test_while_redis_is_away_a_cautious_rate_is_kept_from_an_empty_bucket() -> None:
    clock = Clock()
    pacer, limit = Pacer(gone(), clock=clock), Limit.per_second("relay:a", 100.0)
    assert pacer.take([limit], 10).tokens == 0
    assert pacer.is_away
    taken = 0
    for _ in range(100):
        clock.now += 0.1
        taken += pacer.take([limit], 10).tokens
    assert taken == pytest.approx(10 * 100 * AWAY_SHARE, rel=0.02)


def test_a_dead_redis_is_asked_once_in_a_while_and_not_for_each_message() -> None:
    clock, asked = Clock(), []
    pacer = Pacer(gone(), clock=clock)
    original = pacer._take
    pacer._take = lambda **names: asked.append(1) or original(**names)
    for _ in range(50):
        pacer.take([Limit.per_second("a", 10.0)], 1)
    assert len(asked) == 1
    clock.now += AWAY_SECONDS
    pacer.take([Limit.per_second("a", 10.0)], 1)
    assert len(asked) == 2


def test_a_redis_that_is_back_is_used_again(client: Redis) -> None:
    clock = Clock()
    pacer, limit = Pacer(gone(), clock=clock), Limit("relay:a", 1000.0, 500.0)
    pacer.take([limit], 1)
    pacer._take = Pacer(client)._take
    clock.now += AWAY_SECONDS
    pacer.take([limit], 1)
    assert not pacer.is_away
    assert client.exists(PREFIX + "relay:a")


def test_the_meter_tells_the_rate_of_the_last_seconds(client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    second = 1_790_000_000
    monkeypatch.setattr(buckets, "time", SimpleNamespace(time=lambda: second + 0.5))
    meter = Meter(client)
    assert meter.rate(1) == 0.0
    for back, count in ((1, 40), (2, 20), (3, 60), (40, 1000)):
        client.set(f"mailer:meter:1:{second - back}", count)
    assert meter.rate(1) == pytest.approx(40)
    meter.note(2, 7)
    assert sum(int(client.get(key) or 0) for key in client.scan_iter("mailer:meter:2:*")) == 7


def test_a_meter_without_redis_knows_nothing_and_breaks_nothing() -> None:
    meter = Meter(gone())
    meter.note(1, 5)
    assert meter.rate(1) is None
