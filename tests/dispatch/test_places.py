"""Places at a provider, in a real Redis; and a run that keeps to them."""

from sqlalchemy import text

from mailer.dispatch.pace.buckets import connect
from mailer.dispatch.pace.crowd import Crowd
from mailer.dispatch.pace.places import Places
from mailer.dispatch.pace.provider_settings import set_override
from mailer.dispatch.pace.providers import Provider
from mailer.dispatch.preparing import prepare
from mailer.dispatch.sending import send
from tests.dispatch.conftest import House
from tests.dispatch.sink import Late, Sink


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
        sink.answer("content", Late(0.05), when=lambda step: str(step.recipient).endswith("@qq.com"))
        send(mailing.id)
        assert house.states(mailing) == {"accepted": 80}
        order = [str(message.recipients[0]).rpartition("@")[2] for message in sink.messages]
        # Sixty others are done while two connections still work on QQ: none stands behind one of its readers.
        assert order.index("example.org") < 4
        assert order[-10:] == ["qq.com"] * 10
    took = house.session.scalar(
        text("SELECT extract(epoch FROM max(at) - min(at)) FROM attempts WHERE provider = 'qq.com'")
    )
    assert float(took) >= 0.3
