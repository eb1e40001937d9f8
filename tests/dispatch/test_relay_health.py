"""The sweep's look at the relays, against a server that answers, refuses, or is not there."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from mailer.dispatch.pace.buckets import connect
from mailer.dispatch.relays import registry as relays
from mailer.dispatch.relays import settings_look
from mailer.dispatch.relays.health import AGAIN_SECONDS, EVERY_SECONDS, probe_due
from mailer.dispatch.relays.routing import has_route
from mailer.dispatch.suspending import list_suspended_relays, suspend_relay
from mailer.dispatch.way_states import WayState, find_settings_state
from tests.dispatch.conftest import House
from tests.dispatch.sink import Sink
from tests.dispatch.test_routing import add


def test_what_the_probe_found_is_kept_and_stops_and_starts_the_relay(house: House) -> None:
    with Sink() as sink:
        relay = add(house, "one", sink.port)
        sink.answer("greeting", "554 5.7.1 Not you", times=1)
        assert probe_due() == [relay.id]
        house.session.refresh(relay)
        assert (relay.is_reachable, relay.probe_error) == (False, "554 5.7.1 Not you")
        assert list_suspended_relays(house.session) == {"one"}
        assert probe_due() == []
        house.session.execute(text("UPDATE relays SET probed_at = now() - interval '61 seconds'"))
        house.session.commit()
        assert probe_due() == [relay.id]
        house.session.refresh(relay)
        assert (relay.is_reachable, relay.probe_error) == (True, "")
        assert list_suspended_relays(house.session) == set()
        house.session.execute(text("UPDATE relays SET probed_at = now() - interval '61 seconds'"))
        house.session.commit()
        # One that answers is asked less often.
        assert probe_due() == []


def test_one_that_is_not_there_is_told_and_one_that_is_off_is_not_asked(house: House) -> None:
    with Sink() as gone:
        port = gone.port
    relay = add(house, "gone", port)
    add(house, "off", port, is_enabled=False)
    assert probe_due() == [relay.id]
    house.session.refresh(relay)
    assert relay.is_reachable is False
    assert "refused" in relay.probe_error.lower()


def test_the_relay_of_the_settings_is_asked_too_a_minute_after_the_start(
    house: House, relay: Callable[[str], None], redis: str
) -> None:
    def pass_time() -> None:
        client.delete(settings_look.TURN)

    with Sink() as sink, connect(redis) as client:
        relay(sink.url)
        sink.answer("greeting", "554 5.7.1 Not you", times=1)
        # What has just been started is not judged by what is not up yet.
        assert (probe_due(), sink.connections) == ([], 0)
        assert (probe_due(), sink.connections) == ([], 0)
        assert find_settings_state(house.session).probed_at is None
        pass_time()
        probe_due()
        state = find_settings_state(house.session)
        assert (state.state, state.is_reachable, state.reply) == (WayState.SUSPENDED, False, "554 5.7.1 Not you")
        assert not has_route(house.session)
        house.session.rollback()
        assert client.ttl(settings_look.TURN) <= AGAIN_SECONDS
        pass_time()
        probe_due()
        state = find_settings_state(house.session)
        assert (state.state, state.is_reachable, state.reply) == (WayState.OPEN, True, "")
        assert state.probed_at is not None
        assert AGAIN_SECONDS < client.ttl(settings_look.TURN) <= EVERY_SECONDS
        house.session.rollback()
        # Another relay is set up: that of the settings is nobody's business any more.
        add(house, "one", sink.port, is_enabled=True)
        probe_due()
        pass_time()
        before = sink.connections
        assert (probe_due(), sink.connections) == ([], before)


def test_without_redis_the_relay_of_the_settings_is_left_to_the_mail(
    house: House, relay: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sink() as sink:
        relay(sink.url)
        monkeypatch.setattr(settings_look, "_connect", lambda: connect("redis://127.0.0.1:1/0"))
        assert (probe_due(), probe_due(), sink.connections) == ([], [], 0)
        state = find_settings_state(house.session)
        assert (state.state, state.probed_at) == (WayState.OPEN, None)


def test_a_change_forgets_what_was_known(house: House) -> None:
    relay = add(house, "one", 2525)
    relay.is_reachable, relay.probe_error = False, "no"
    suspend_relay(house.session, relay="one", reply_class="connection", reply="no")
    relays.change_relay(house.session, relay, by=None, port=2526)
    assert (relay.probed_at, relay.is_reachable, relay.probe_error) == (None, None, "")
    assert list_suspended_relays(house.session) == set()
