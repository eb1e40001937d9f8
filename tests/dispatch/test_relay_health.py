"""The sweep's look at the relays, against a server that answers, refuses, or is not there."""

from sqlalchemy import text

from mailer.dispatch.relays import registry as relays
from mailer.dispatch.relays.health import probe_due
from mailer.dispatch.suspending import list_suspended_relays, suspend_relay
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


def test_a_change_forgets_what_was_known(house: House) -> None:
    relay = add(house, "one", 2525)
    relay.is_reachable, relay.probe_error = False, "no"
    suspend_relay(house.session, relay="one", reply_class="connection", reply="no")
    relays.change_relay(house.session, relay, by=None, port=2526)
    assert (relay.probed_at, relay.is_reachable, relay.probe_error) == (None, None, "")
    assert list_suspended_relays(house.session) == set()
