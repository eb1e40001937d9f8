"""Places at a provider, in a real Redis; and a run that keeps to them."""

import pytest
from sqlalchemy import text

from mailer.dispatch.pace.buckets import connect
from mailer.dispatch.pace.crowd import Crowd
from mailer.dispatch.pace.places import Places
from mailer.dispatch.pace.provider_settings import set_override
from mailer.dispatch.pace.providers import Provider
from mailer.dispatch.preparing import prepare
from mailer.dispatch.sending import send
from tests.dispatch.conftest import House
from tests.dispatch.sink import Held, Late, Sink, Step


def test_workers_share_the_places_and_what_is_given_back_is_free_again(redis: str) -> None:
    with connect(redis) as client:
        one, two = Places(client, "one"), Places(client, "two")
        assert one.take({"qq.com": 4, "netease.com": 1}) == {"qq.com": 4, "netease.com": 1}
        assert two.take({"qq.com": 6, "netease.com": 1}) == {"qq.com": 2, "netease.com": 0}
        assert one.take({"qq.com": 4}) == {"qq.com": 2}
        one.release()
        assert two.take({"qq.com": 6}) == {"qq.com": 6}


def test_what_a_dead_worker_held_runs_out(redis: str) -> None:
    with connect(redis) as client:
        Places(client, "dead").take({"qq.com": 4})
        assert Places(client, "new").take({"qq.com": 4}) == {"qq.com": 0}
        client.hset("mailer:places:qq.com", "dead", "4 1")
        assert Places(client, "new").take({"qq.com": 4}) == {"qq.com": 4}


def test_without_redis_each_keeps_to_a_cautious_share_and_never_to_none() -> None:
    with connect("redis://127.0.0.1:1/0") as gone:
        places = Places(gone, "one")
        assert places.take({"icloud.com": 10, "qq.com": 3}) == {"icloud.com": 2, "qq.com": 1}
        places.release()


def test_a_crowd_claims_no_more_than_its_connections_carry() -> None:
    crowd = Crowd([Provider("qq.com", (), connections=4, messages_per_connection=8)])
    assert crowd.room("other") is None
    assert crowd.room("qq.com") == 0
    crowd.caps = {"qq.com": 4}
    assert crowd.room("qq.com") == 32
    for _ in range(16):
        crowd.claimed("qq.com")
    assert crowd.room("qq.com") == 0
    assert crowd.is_full("qq.com")


def is_qq(step: Step) -> bool:
    return str(step.recipient).endswith("@qq.com")


def count_others(sink: Sink) -> int:
    return sum(not message.recipient.endswith("@qq.com") for message in sink.messages)


def test_no_more_than_its_connections_are_on_their_way_to_a_provider_and_the_others_do_not_wait(
    house: House, relay, redis: str
) -> None:
    set_override(house.session, "qq.com", by=None, connections=2)
    house.session.commit()
    house.subscribe(20, domain="qq.com")
    house.subscribe(60)
    mailing = house.mailing(0)
    prepare(mailing.id)
    with Sink() as sink:
        relay(sink.url)
        # Not one of QQ's is answered before nearly all of the others are there: one may have been sent right behind
        # a message to QQ, before that was answered.
        sink.answer("content", Held(lambda: count_others(sink) >= 56, Late(0.05)), when=is_qq)
        while house.states(mailing).get("accepted") != 80:
            send(mailing.id)
        order = [message.recipient.rpartition("@")[2] for message in sink.messages]
        # As many of them as there are places have been taken meanwhile, and wait for their answers.
        assert order[:58].count("qq.com") <= 2
    took = house.session.scalar(
        text("SELECT extract(epoch FROM max(at) - min(at)) FROM attempts WHERE provider = 'qq.com'")
    )
    # Two at a time, each of them 50 milliseconds.
    assert float(took) >= 0.3


def test_a_provider_that_takes_its_time_holds_nobody_up_when_the_run_is_over(
    house: House, relay, redis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.dispatch.sending.RUN_SECONDS", 0.05)
    monkeypatch.setenv("MAILER_BATCH_SIZE", "20")
    readers = house.subscribe(4, domain="qq.com") + house.subscribe(600)
    mailing = house.mailing(0)
    prepare(mailing.id)
    with Sink() as sink:
        relay(sink.url)
        # A run that waited for QQ's answers and sent nothing meanwhile would wait for ever.
        sink.answer("content", Held(lambda: count_others(sink) >= 592), when=is_qq)
        while house.states(mailing).get("accepted") != len(readers):
            send(mailing.id)
        assert count_others(sink) == 600
