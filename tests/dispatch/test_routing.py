"""Several relays: shares, outages of one, reserves, what a newsletter is bound to; real servers at the other end."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select, text

from mailer import letters
from mailer.dispatch.models import Attempt, Mailing, Relay
from mailer.dispatch.outbox import send_letters
from mailer.dispatch.preparing import prepare
from mailer.dispatch.relays import registry as relays
from mailer.dispatch.relays import routing
from mailer.dispatch.rules import MailingState
from mailer.dispatch.sending import send
from mailer.dispatch.sending_process import close_process
from mailer.dispatch.suspending import is_suspended, list_suspended_relays, suspend_relay
from mailer.dispatch.way_states import WayState, list_relay_states
from mailer.errors import RuleError
from mailer.letters.rules import LetterKind
from mailer.settings import get_settings
from tests.dispatch.conftest import House
from tests.dispatch.sink import Late, Sink


@pytest.fixture
def sinks() -> Iterator[tuple[Sink, Sink]]:
    with Sink() as one, Sink() as two:
        yield one, two
        close_process()


def add(house: House, name: str, port: int, **changes: object) -> Relay:
    made = relays.create_relay(
        house.session, by=None, name=name, host="127.0.0.1", port=port, security="none", username="", **changes
    )
    house.session.commit()
    return made


@pytest.fixture
def small_claims(monkeypatch: pytest.MonkeyPatch, house: House) -> None:
    """So that no relay can claim the whole roster before the other one has had its turn."""
    monkeypatch.setenv("MAILER_BATCH_SIZE", "5")
    get_settings.cache_clear()


def prepared(house: House, count: int) -> Mailing:
    house.subscribe(count)
    mailing = house.mailing(0)
    prepare(mailing.id)
    return mailing


def test_each_relay_gets_the_share_of_its_weight(house: House, sinks: tuple[Sink, Sink]) -> None:
    one, two = sinks
    for sink in sinks:
        sink.answer("content", Late(0.005))
    add(house, "one", one.port, weight=3, connections=2)
    add(house, "two", two.port, weight=1, connections=2)
    mailing = prepared(house, 400)
    send(mailing.id)
    assert house.states(mailing) == {"accepted": 400}
    assert mailing.state == MailingState.FINISHED
    assert 260 <= len(one.messages) <= 340
    assert len(one.messages) + len(two.messages) == 400


def test_the_others_take_over_from_a_relay_that_is_down_and_nobody_pays_for_it(
    house: House, sinks: tuple[Sink, Sink], small_claims: None
) -> None:
    _, two = sinks
    with Sink() as gone:
        port = gone.port
    add(house, "gone", port, weight=5)
    add(house, "two", two.port)
    mailing = prepared(house, 60)
    send(mailing.id)
    assert house.states(mailing) == {"accepted": 60}
    assert len(two.messages) == 60
    assert {row.attempts for row in house.deliveries(mailing)} == {1}
    assert {row.faults for row in house.deliveries(mailing)} == {0}
    assert list_suspended_relays(house.session) == {"gone"}
    assert [route.address.name for route in routing.list_routes(house.session)] == ["two"]


def test_a_login_that_is_refused_leaves_one_relay_alone_and_pauses_nothing(
    house: House, sinks: tuple[Sink, Sink], small_claims: None
) -> None:
    one, two = sinks
    one.answer("mail", "550 5.7.1 Sender address rejected: not owned by user")
    add(house, "one", one.port)
    add(house, "two", two.port)
    mailing = prepared(house, 40)
    # What the first relay held when it refused us is the next run's.
    send(mailing.id)
    send(mailing.id)
    assert house.states(mailing) == {"accepted": 40}
    assert mailing.state == MailingState.FINISHED
    assert list_suspended_relays(house.session) == {"one"}


def test_the_reserve_waits_until_nobody_else_can(house: House, sinks: tuple[Sink, Sink]) -> None:
    one, two = sinks
    add(house, "one", one.port)
    add(house, "reserve", two.port, weight=0)
    assert [route.address.name for route in routing.list_routes(house.session)] == ["one"]
    states = {each.name: each.state for each in list_relay_states(house.session, house.newsletter.id)}
    assert states == {"one": WayState.OPEN, "reserve": WayState.RESERVE}
    suspend_relay(house.session, relay="one", reply_class="connection", reply="refused")
    house.session.commit()
    mailing = prepared(house, 5)
    send(mailing.id)
    assert (len(one.messages), len(two.messages)) == (0, 5)
    assert set(house.session.scalars(select(Attempt.relay))) == {"reserve"}


def test_with_every_relay_left_alone_nothing_is_claimed(house: House, sinks: tuple[Sink, Sink]) -> None:
    one, two = sinks
    add(house, "one", one.port)
    add(house, "two", two.port)
    mailing = prepared(house, 5)
    for name in ("one", "two"):
        suspend_relay(house.session, relay=name, reply_class="connection", reply="refused")
    house.session.commit()
    assert send(mailing.id) is None
    assert house.states(mailing) == {"queued": 5}
    assert not routing.has_route(house.session, house.newsletter.id)


def test_a_newsletter_is_bound_to_the_relays_chosen_for_it(house: House, sinks: tuple[Sink, Sink]) -> None:
    one, two = sinks
    add(house, "one", one.port)
    chosen = add(house, "two", two.port)
    routing.choose(house.session, house.newsletter.id, [chosen.id], by=None)
    house.session.commit()
    mailing = prepared(house, 10)
    send(mailing.id)
    assert (len(one.messages), len(two.messages)) == (0, 10)


def test_one_whose_relays_are_all_switched_off_is_paused_and_says_why(house: House, sinks: tuple[Sink, Sink]) -> None:
    add(house, "one", sinks[0].port)
    chosen = add(house, "two", sinks[1].port, is_enabled=False)
    routing.choose(house.session, house.newsletter.id, [chosen.id], by=None)
    house.session.commit()
    mailing = prepared(house, 3)
    send(mailing.id)
    assert house.states(mailing) == {"queued": 3}
    assert (mailing.state, mailing.pause_reason) == (MailingState.PAUSED, routing.NONE_IN_USE)


def test_a_relay_that_is_not_there_cannot_be_chosen(house: House) -> None:
    with pytest.raises(RuleError, match="no such relay"):
        routing.choose(house.session, house.newsletter.id, [4711], by=None)


def test_a_choice_ends_with_its_relay(house: House) -> None:
    made = add(house, "one", 2525)
    routing.choose(house.session, house.newsletter.id, [made.id], by=None)
    relays.remove_relay(house.session, made, by=None)
    house.session.commit()
    assert routing.find_choice(house.session, house.newsletter.id) == set()


def test_letters_leave_a_relay_that_is_down_to_itself(house: House, sinks: tuple[Sink, Sink]) -> None:
    with Sink() as gone:
        port = gone.port
    add(house, "gone", port, weight=100)
    add(house, "two", sinks[1].port, weight=0)
    letters.write(
        house.session,
        LetterKind.NOTICE,
        address="reader@example.org",
        locale="en",
        parameters={"subject": "Hello", "lines": ["A line."], "url": "http://127.0.0.1/"},
    )
    house.session.commit()
    send_letters()
    house.session.rollback()
    assert len(sinks[1].messages) == 1
    row = house.session.execute(text("SELECT state, attempts FROM letters")).one()
    assert tuple(row) == ("accepted", 1)
    assert is_suspended(house.session, "*")


def test_relays_with_rates_add_up_and_a_task_still_ends(house: House, sinks: tuple[Sink, Sink]) -> None:
    one, two = sinks
    add(house, "one", one.port, rate=20.0)
    add(house, "two", two.port, rate=20.0)
    mailing = prepared(house, 1000)
    send(mailing.id)
    # Five seconds of both, and not the whole mailing: others get their turn.
    assert 120 <= len(one.messages) + len(two.messages) <= 280
    assert min(len(one.messages), len(two.messages)) >= 60
    assert house.states(mailing)["queued"] >= 700


def test_a_relay_that_keeps_silent_does_not_hold_up_the_others(house: House, sinks: tuple[Sink, Sink]) -> None:
    one, two = sinks
    one.answer("greeting", Late(8.0))
    for sink in sinks:
        sink.answer("content", Late(0.02))
    add(house, "one", one.port, connections=2)
    add(house, "two", two.port, connections=2)
    mailing = prepared(house, 1000)
    send(mailing.id)
    assert len(two.messages) >= 300
    assert house.states(mailing)["accepted"] == len(one.messages) + len(two.messages)
