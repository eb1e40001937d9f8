"""The message loop against a real server on a socket: order, limits, leave to send, and relays that turn us away."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.dispatch.envelopes import Envelope, Result
from mailer.dispatch.journal import Journal
from mailer.dispatch.rules import Outcome
from mailer.dispatch.smtp.connection import BLOCK, in_blocks
from mailer.dispatch.smtp.transmission import RelayAddress, Transmitter, new_event_loop, send_one
from tests.dispatch.sink import DROP, HANG, Late, Sink, Then
from tests.dispatch.wire import LOOPS, PATIENT, envelope, transmit

PLAIN = ("SIZE 10485760", "8BITMIME", "ENHANCEDSTATUSCODES")


@pytest.fixture(params=sorted(LOOPS))
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


def outcomes(results: list[Result]) -> dict[str, int]:
    return dict(Counter(result.outcome.value for result in results))


# --- everyone, once ---


@pytest.mark.parametrize("offers", [("PIPELINING", *PLAIN), PLAIN, ()])
def test_everyone_gets_their_own_message_once(loop: str, offers: tuple[str, ...]) -> None:
    with Sink(offers=offers) as sink:
        results = transmit(RelayAddress.from_url(sink.url), [envelope(n) for n in range(200)], loop=loop)
    assert outcomes(results) == {"accepted": 200}
    assert {message.recipient: message.content for message in sink.messages} == {
        f"reader{n}@example.org": b"Subject: %d\r\n\r\nHello\r\n" % n for n in range(200)
    }
    assert len(sink.messages) == 200
    assert sink.connections == 10


def test_the_server_is_quoted(sink: Sink) -> None:
    sink.answer("content", "250 2.0.0 Ok: queued as 4F2A")
    (result,) = transmit(RelayAddress.from_url(sink.url, name="main"), [envelope(7)])
    assert result.duration_ms >= 0
    assert result == Result(
        delivery_id=7,
        outcome=Outcome.ACCEPTED,
        reply_class="accepted",
        stage="content",
        code=250,
        enhanced="2.0.0",
        reply="2.0.0 Ok: queued as 4F2A",
        is_tls=False,
        duration_ms=result.duration_ms,
        relay="main",
        is_relay_fault=False,
    )


def test_one_round_trip_a_message_where_the_server_pipelines(sink: Sink) -> None:
    transmit(RelayAddress.from_url(sink.url, connections=1), [envelope(n) for n in range(20)])
    # EHLO; the first commands; then each content with the next message's commands behind it; QUIT.
    assert len(sink.segments) == 1 + 1 + 20 + 1
    assert sink.segments[2].endswith(
        b"\r\n.\r\nMAIL FROM:<bounce@example.org> SIZE=21\r\nRCPT TO:<reader1@example.org>\r\nDATA\r\n"
    )


def test_nobody_stands_behind_a_message_that_may_take_its_time(sink: Sink) -> None:
    sent = [envelope(0), envelope(1, is_alone=True), envelope(2), envelope(3)]
    transmit(RelayAddress.from_url(sink.url, connections=1), sent)
    # EHLO; commands of 0; content 0 with commands of 1; content 1 alone; commands of 2; contents 2 and 3; QUIT.
    assert len(sink.segments) == 1 + 1 + 1 + 1 + 1 + 2 + 1
    assert sink.segments[3].endswith(b"\r\n.\r\n")


def test_nothing_travels_ahead_where_pipelining_is_not_offered() -> None:
    with Sink(offers=PLAIN) as sink:
        transmit(RelayAddress.from_url(sink.url, connections=1), [envelope(n) for n in range(5)])
    assert len(sink.segments) == 1 + 5 * 4 + 1


def test_dots_at_the_beginning_of_lines_arrive(sink: Sink) -> None:
    content = b".\r\n..\r\n.a\r\n\r\n.\r\nRCPT TO:<x@example.org>\r\n"
    transmit(RelayAddress.from_url(sink.url), [envelope(1, content=content), envelope(2, content=lambda: content)])
    assert [message.content for message in sink.messages] == [content, content]


def test_content_stuffed_by_its_maker_is_not_stuffed_again(sink: Sink) -> None:
    transmit(RelayAddress.from_url(sink.url), [envelope(content=b"..one\r\n", is_ready=True)])
    assert sink.messages[0].content == b".one\r\n"


@pytest.mark.parametrize("lengths", [(10, 20), (40_000, 40_000), (10, 200_000, 10), (BLOCK, 2), (3 * BLOCK,)])
def test_content_in_pieces_arrives_whole(sink: Sink, loop: str, lengths: tuple[int, ...]) -> None:
    pieces = [bytes([97 + n]) * (length - 2) + b"\r\n" for n, length in enumerate(lengths)]
    sent = [envelope(n, content=pieces, is_ready=True) for n in range(3)]
    transmit(RelayAddress.from_url(sink.url, connections=1), sent, loop=loop)
    assert [message.content for message in sink.messages] == [b"".join(pieces)] * 3


@given(st.lists(st.integers(1, 4 * BLOCK), min_size=1, max_size=8))
def test_blocks_are_no_longer_than_they_may_be_and_lose_nothing(lengths: list[int]) -> None:
    pieces = [bytes([n]) * length for n, length in enumerate(lengths)]
    blocks = [b"".join(block) for block in in_blocks(pieces)]
    assert b"".join(blocks) == b"".join(pieces)
    assert all(len(block) <= BLOCK for block in blocks)
    # No more of them than need be: two that follow each other would not fit into one.
    assert all(len(one) + len(next_one) > BLOCK for one, next_one in pairwise(blocks))


def test_content_is_made_only_when_its_turn_comes(sink: Sink) -> None:
    made: list[tuple[int, int]] = []

    def content(number: int) -> bytes:
        made.append((number, len(sink.messages)))
        return b"x\r\n"

    relay = RelayAddress.from_url(sink.url, connections=1)
    transmit(relay, [envelope(n, content=lambda n=n: content(n)) for n in range(10)])
    # At most one message is made ahead of the one that is on its way.
    assert all(number <= taken + 2 for number, taken in made)


def test_a_message_that_cannot_be_made_stops_nobody_else(sink: Sink) -> None:
    def broken() -> bytes:
        raise RuntimeError("no such slot")

    results = transmit(RelayAddress.from_url(sink.url), [envelope(1), envelope(2, content=broken), envelope(3)])
    assert [result.outcome for result in results] == [Outcome.ACCEPTED, Outcome.DEFERRED, Outcome.ACCEPTED]
    assert results[1].reply_class == "composition"
    assert not results[1].is_relay_fault


def test_a_null_return_path_and_an_idn_domain_are_written_right(sink: Sink) -> None:
    transmit(RelayAddress.from_url(sink.url), [envelope(sender="", recipient="reader@例子.test")])
    assert (sink.messages[0].sender, sink.messages[0].recipient) == ("", "reader@xn--fsqu00a.test")


# --- what the server cannot take is not offered to it ---


@pytest.mark.parametrize(
    ("changes", "reply_class"),
    [
        ({"recipient": "读者@example.org"}, "unsupported"),
        ({"sender": "编辑@example.org"}, "unsupported"),
        ({"recipient": "no at sign"}, "bad_address"),
        ({"recipient": ""}, "bad_address"),
        ({"recipient": "a@example.org>\r\nRCPT TO:<b@example.org"}, "bad_address"),
        ({"content": "Subject: 你好\r\n".encode()}, "unsupported"),
        ({"content": b"x" * 2000}, "too_large"),
    ],
)
@pytest.mark.parametrize("offers", [("PIPELINING", "SIZE 1000"), ("SIZE 1000",)])
def test_what_the_server_did_not_offer_is_refused_without_asking(
    changes: dict[str, object], reply_class: str, offers: tuple[str, ...]
) -> None:
    with Sink(offers=offers) as sink:
        relay = RelayAddress.from_url(sink.url, connections=1)
        results = transmit(relay, [envelope(1), envelope(2, **changes), envelope(3)])
    refused = results.pop(1)
    assert outcomes(results) == {"accepted": 2}
    assert (refused.outcome, refused.reply_class, refused.code) == (Outcome.REJECTED, reply_class, None)
    assert refused.reply
    assert {message.recipient for message in sink.messages} == {"reader1@example.org", "reader3@example.org"}


def test_what_the_server_offers_is_used() -> None:
    with Sink(offers=("PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8")) as sink:
        content = "Subject: 你好\r\n".encode()
        results = transmit(
            RelayAddress.from_url(sink.url, connections=1),
            [envelope(1, recipient="读者@example.org"), envelope(2, content=content)],
        )
    assert outcomes(results) == {"accepted": 2}
    assert [message.parameters for message in sink.messages] == [
        "SIZE=21 SMTPUTF8",
        f"SIZE={len(content)} BODY=8BITMIME",
    ]
    assert sink.messages[0].recipient == "读者@example.org"


# --- refusals stop nobody ---


@pytest.mark.parametrize("offers", [("PIPELINING", *PLAIN), PLAIN])
@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "content"])
def test_one_refusal_never_stops_the_rest(loop: str, stage: str, offers: tuple[str, ...]) -> None:
    with Sink(offers=offers) as sink:
        for number in range(0, 60, 7):
            line = f"bounce{number}@example.org" if stage == "mail" else f"reader{number}@example.org"
            sink.answer(
                stage,
                "550 5.7.1 Not you",
                when=lambda step, line=line: line in (step.sender, step.recipient) or f"<{line}>" in step.line,
            )
        relay = RelayAddress.from_url(sink.url, connections=2)
        results = transmit(relay, [envelope(n, sender=f"bounce{n}@example.org") for n in range(60)], loop=loop)
        assert sink.connections == 2
    wanted = {number: number % 7 != 0 for number in range(60)}
    assert {result.delivery_id: result.outcome is Outcome.ACCEPTED for result in results} == wanted
    assert {result.stage for result in results if result.code == 550} == {stage}
    assert sum(sink.counts.values()) == sum(wanted.values())


def test_a_server_that_says_354_to_nobody_gets_a_lone_dot(sink: Sink, loop: str) -> None:
    # RFC 2920 section 3.1: a client must be ready for a server that takes DATA after every RCPT was refused.
    sink.answer("rcpt", "550 5.1.1 No such user", when=lambda step: "gone" in step.line)
    sink.answer("data", "354 Go on", when=lambda step: not step.recipients)
    relay = RelayAddress.from_url(sink.url, connections=1)
    results = transmit(relay, [envelope(1), envelope(2, recipient="gone@example.org"), envelope(3)], loop=loop)
    assert [result.outcome for result in results] == [Outcome.ACCEPTED, Outcome.REJECTED, Outcome.ACCEPTED]
    assert results[1].reply_class == "no_such_user"
    assert (sink.connections, len(sink.messages)) == (1, 2)


@pytest.mark.parametrize(
    ("stage", "reply", "outcome", "reply_class", "is_relay_fault"),
    [
        ("rcpt", "550 5.1.1 User unknown", Outcome.REJECTED, "no_such_user", False),
        ("mail", "550 5.1.1 User unknown", Outcome.DEFERRED, "sender", True),
        ("content", "550 Ip frequency limited", Outcome.DEFERRED, "rate", True),
        ("content", "552 5.3.4 Message too big", Outcome.REJECTED, "too_large", False),
        ("rcpt", "451 4.7.1 Greylisted, try again", Outcome.DEFERRED, "greylist", False),
        ("data", "451 4.3.0 Later", Outcome.DEFERRED, "temporary", False),
        ("rcpt", "554 5.7.1 Relay access denied", Outcome.DEFERRED, "relay_access", True),
    ],
)
def test_a_reply_is_judged_by_its_step_its_code_and_its_words(
    sink: Sink, stage: str, reply: str, outcome: Outcome, reply_class: str, *, is_relay_fault: bool
) -> None:
    sink.answer(stage, reply)
    (result,) = transmit(RelayAddress.from_url(sink.url), [envelope()])
    assert (result.stage, result.outcome, result.reply_class) == (stage, outcome, reply_class)
    assert result.is_relay_fault is is_relay_fault
    assert f"{result.code} {result.reply}" == reply


def test_a_class_of_2xx_to_the_final_dot_is_acceptance(sink: Sink) -> None:
    sink.answer("content", "252 2.0.0 Probably")
    (result,) = transmit(RelayAddress.from_url(sink.url), [envelope()])
    assert (result.outcome, result.code) == (Outcome.ACCEPTED, 252)


# --- connections ---


def test_connections_are_kept_from_one_batch_to_the_next(sink: Sink) -> None:
    async def run() -> None:
        transmitter = Transmitter(RelayAddress.from_url(sink.url, connections=3), None, timeouts=PATIENT)
        for first in range(0, 90, 30):
            results = [r async for r in transmitter.send([envelope(n) for n in range(first, first + 30)])]
            assert outcomes(results) == {"accepted": 30}
        await transmitter.close()

    asyncio.run(run())
    assert sink.connections == 3
    assert [command for command in sink.commands if command == "QUIT"] == ["QUIT"] * 3


def test_a_connection_that_died_in_its_sleep_costs_nobody_anything(sink: Sink, loop: str) -> None:
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        transmitter = Transmitter(RelayAddress.from_url(sink.url, connections=3), None, timeouts=PATIENT)

        async def send(first: int) -> list[Result]:
            return [r async for r in transmitter.send([envelope(n) for n in range(first, first + 20)])]

        assert outcomes(runner.run(send(0))) == {"accepted": 20}
        sink.stop()
        sink.start()
        assert outcomes(runner.run(send(20))) == {"accepted": 20}
        runner.run(transmitter.close())
    assert len(sink.messages) == 40


def test_a_connection_is_left_after_its_messages(sink: Sink) -> None:
    relay = RelayAddress.from_url(sink.url, connections=2, messages_per_connection=7)
    results = transmit(relay, [envelope(n) for n in range(70)])
    assert outcomes(results) == {"accepted": 70}
    assert max(Counter(message.connection for message in sink.messages).values()) == 7
    assert sink.most_open <= 2 + 2  # one that is leaving beside each that works


def test_a_connection_is_left_when_it_is_old(sink: Sink) -> None:
    relay = RelayAddress.from_url(sink.url, connections=1, connection_seconds=0.0)
    assert outcomes(transmit(relay, [envelope(n) for n in range(3)])) == {"accepted": 3}
    assert sink.connections == 3


def test_idle_connections_are_left_in_good_time(sink: Sink, loop: str) -> None:
    relay = RelayAddress.from_url(sink.url, connections=3, idle_seconds=0.2)

    async def run() -> None:
        transmitter = Transmitter(relay, None, timeouts=PATIENT)
        assert len([result async for result in transmitter.send([envelope(n) for n in range(9)])]) == 9
        await asyncio.to_thread(sink.wait_for, lambda: sink.open == 0)
        # They said goodbye, and the next batch opens new ones.
        assert sink.commands.count("QUIT") == 3
        assert len([result async for result in transmitter.send([envelope(n) for n in range(9, 12)])]) == 3
        await transmitter.close()

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(run())
    assert sink.connections == 6


def test_no_more_connections_are_opened_than_there_are_messages(sink: Sink) -> None:
    transmit(RelayAddress.from_url(sink.url, connections=10), [envelope(n) for n in range(2)])
    assert sink.connections == 2


def test_421_between_messages_is_taken_for_what_it_is(sink: Sink, loop: str) -> None:
    # Unasked, right behind the reply to the fifth message on each connection.
    sink.answer(
        "content", Then(b"250 2.0.0 Taken\r\n421 4.7.0 That was enough\r\n", DROP), when=lambda step: step.messages == 4
    )
    results = transmit(RelayAddress.from_url(sink.url, connections=2), [envelope(n) for n in range(40)], loop=loop)
    assert outcomes(results) == {"accepted": 40}
    assert set(sink.counts.values()) == {1}
    assert sink.connections >= 8


@pytest.mark.parametrize("offers", [("PIPELINING", *PLAIN), PLAIN])
@pytest.mark.parametrize("reply", ["421 4.7.0 Enough for one connection", "450 MI:DMC 163 smtp", "451 RP:DRC too many"])
def test_a_server_that_has_enough_of_a_connection_gets_another(reply: str, offers: tuple[str, ...]) -> None:
    is_final = reply.startswith("421")
    with Sink(offers=offers) as sink:
        sink.answer("mail", Then(reply, DROP) if is_final else reply, when=lambda step: step.messages >= 5)
        results = transmit(RelayAddress.from_url(sink.url, connections=1), [envelope(n) for n in range(30)])
    if is_final:
        assert outcomes(results) == {"accepted": 30}
    else:
        # Those who met the refusal come again later, by no fault of theirs; the rest went by the next connection.
        assert outcomes(results) == {"accepted": 25, "deferred": 5}
        assert {result.reply_class for result in results if result.outcome is Outcome.DEFERRED} == {"rate"}
        assert all(result.is_relay_fault for result in results if result.outcome is Outcome.DEFERRED)
    assert set(sink.counts.values()) == {1}


def test_a_421_that_says_slow_down_is_not_answered_with_another_connection(sink: Sink) -> None:
    sink.answer("mail", Then("421 HL:IFC too much too fast", DROP), when=lambda step: step.messages >= 2)
    results = transmit(RelayAddress.from_url(sink.url, connections=1), [envelope(n) for n in range(3)])
    assert [result.reply_class for result in results] == ["accepted", "accepted", "rate"]
    assert sink.connections == 1


# --- a relay that fails for everyone ---


def test_a_closed_relay_gives_everyone_back_at_once(loop: str) -> None:
    with Sink() as sink:
        url = sink.url
    began = time.monotonic()
    results = transmit(RelayAddress.from_url(url), [envelope(n) for n in range(500)], loop=loop)
    assert time.monotonic() - began < 10
    assert outcomes(results) == {"deferred": 500}
    assert {(r.stage, r.reply_class, r.is_relay_fault, r.code) for r in results} == {
        ("connect", "connection", True, None)
    }


def test_a_relay_that_turns_us_away_is_quoted_to_everyone(sink: Sink) -> None:
    sink.answer("greeting", "554 5.7.1 Your address is on our black list")
    results = transmit(RelayAddress.from_url(sink.url), [envelope(n) for n in range(50)])
    assert outcomes(results) == {"deferred": 50}
    assert {(r.stage, r.code, r.reply_class, r.is_relay_fault) for r in results} == {("greeting", 554, "policy", True)}
    assert sink.connections <= 10


def test_a_relay_that_takes_fewer_connections_than_we_may_open_still_takes_everything(sink: Sink) -> None:
    sink.answer("greeting", Then("421 4.7.0 Too many connections", DROP), when=lambda step: step.connection > 3)
    results = transmit(RelayAddress.from_url(sink.url, connections=10), [envelope(n) for n in range(100)])
    assert outcomes(results) == {"accepted": 100}
    assert set(sink.counts.values()) == {1}


def test_a_relay_that_drops_every_connection_is_not_knocked_at_for_ever(sink: Sink, loop: str) -> None:
    sink.answer("mail", DROP)
    results = transmit(RelayAddress.from_url(sink.url, connections=3), [envelope(n) for n in range(300)], loop=loop)
    assert outcomes(results) == {"deferred": 300}
    assert all(result.is_relay_fault for result in results)
    assert sink.connections <= 3 * 2


def test_a_lazy_source_is_not_drained_into_a_closed_relay() -> None:
    with Sink() as sink:
        url = sink.url
    source = (envelope(n) for n in itertools.count())
    results = transmit(RelayAddress.from_url(url, connections=4), source)
    assert outcomes(results) == {"deferred": 4}
    assert next(source).delivery_id == 4


# --- where envelopes come from, and who may go ---


def test_envelopes_are_pulled_as_connections_become_free(sink: Sink) -> None:
    pulled: list[int] = []

    def source() -> Iterator[Envelope]:
        for number in range(200):
            pulled.append(number - len(sink.messages))
            yield envelope(number)

    results = transmit(RelayAddress.from_url(sink.url, connections=4), source())
    assert outcomes(results) == {"accepted": 200}
    # Never further ahead of the wire than one on its way and one behind it on each connection.
    assert max(pulled) <= 2 * 4


def test_an_error_of_the_source_is_raised_when_the_rest_is_done(sink: Sink) -> None:
    def source() -> Iterator[Envelope]:
        yield from (envelope(n) for n in range(10))
        raise ConnectionError("the database is away")

    async def run() -> list[Result]:
        transmitter = Transmitter(RelayAddress.from_url(sink.url, connections=2), None, timeouts=PATIENT)
        results: list[Result] = []

        async def read() -> None:
            async for result in transmitter.send(source()):
                results.append(result)  # noqa: PERF401  (kept although the loop ends by an error)

        with pytest.raises(ConnectionError, match="database is away"):
            await read()
        await transmitter.close()
        return results

    assert outcomes(asyncio.run(run())) == {"accepted": 10}
    assert len(sink.messages) == 10


def test_nothing_to_send_opens_no_connection(sink: Sink) -> None:
    assert transmit(RelayAddress.from_url(sink.url), []) == []
    assert transmit(RelayAddress.from_url(sink.url), iter(())) == []
    assert sink.connections == 0


@pytest.mark.parametrize("is_awaited", [True, False])
def test_who_may_not_go_does_not(sink: Sink, *, is_awaited: bool) -> None:
    def may_send(item: Envelope) -> bool | Awaitable[bool]:
        may = item.delivery_id % 3 != 0

        async def later() -> bool:
            await asyncio.sleep(0)
            return may

        return later() if is_awaited else may

    results = transmit(
        RelayAddress.from_url(sink.url, connections=3), [envelope(n) for n in range(60)], may_send=may_send
    )
    assert {r.delivery_id for r in results if r.outcome is Outcome.ACCEPTED} == {n for n in range(60) if n % 3}
    withheld = [result for result in results if result.outcome is not Outcome.ACCEPTED]
    assert {(r.outcome, r.reply_class, r.is_relay_fault) for r in withheld} == {(Outcome.DEFERRED, "withheld", True)}
    assert len(sink.messages) == 40
    assert not [command for command in sink.commands if "reader3@" in command]


def test_leave_that_is_old_is_asked_for_again_before_the_content(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailer.dispatch.smtp.lane.STALE", 0.05)
    sink.answer("data", Late(0.2, "354 At last"), times=1)
    asked: list[int] = []

    def may_send(item: Envelope) -> bool:
        asked.append(item.delivery_id)
        return len(asked) == 1

    (result,) = transmit(RelayAddress.from_url(sink.url), [envelope()], may_send=may_send)
    assert asked == [1, 1]
    assert result.reply_class == "withheld"
    assert sink.messages == []


@pytest.mark.parametrize("is_always_waiting", [True, False])
def test_the_pace_is_kept(sink: Sink, *, is_always_waiting: bool) -> None:
    turns = itertools.count()
    gate = asyncio.Event()
    let_go: list[int] = []

    def pace(item: Envelope) -> Awaitable[None] | None:
        async def wait() -> None:
            if item.delivery_id >= 10:
                await gate.wait()
            let_go.append(item.delivery_id)

        return wait() if is_always_waiting or next(turns) % 2 else None

    async def run() -> list[Result]:
        transmitter = Transmitter(RelayAddress.from_url(sink.url, connections=2), None, timeouts=PATIENT)
        results = []
        async for result in transmitter.send([envelope(n) for n in range(20)], pace=pace):
            results.append(result)
            if len(results) == 10:
                gate.set()
        await transmitter.close()
        return results

    assert outcomes(asyncio.run(run())) == {"accepted": 20}
    assert set(sink.counts.values()) == {1}


def test_a_stop_lets_what_is_on_its_way_finish_and_takes_no_more(sink: Sink, loop: str) -> None:
    sink.answer("content", Late(0.2, "250 2.0.0 Taken"))

    async def run() -> list[Result]:
        transmitter = Transmitter(RelayAddress.from_url(sink.url, connections=3), None, timeouts=PATIENT)
        results = []
        async for result in transmitter.send(envelope(n) for n in itertools.count()):
            results.append(result)
            transmitter.stop()
        await transmitter.close()
        return results

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        results = runner.run(run())
    assert outcomes(results) == {"accepted": len(sink.messages)}
    # On each connection at most one more was on its way, and one whose commands had gone ahead of it.
    assert 3 <= len(results) <= 9


def test_a_stop_does_not_wait_for_the_pace(sink: Sink) -> None:
    async def run() -> list[Result]:
        transmitter = Transmitter(RelayAddress.from_url(sink.url, connections=2), None, timeouts=PATIENT)

        def pace(item: Envelope) -> Awaitable[None] | None:
            if item.delivery_id < 2:
                return None
            asyncio.get_running_loop().call_soon(transmitter.stop)
            return asyncio.Event().wait()  # type: ignore[return-value]  # what it gives is not looked at

        results = [r async for r in transmitter.send([envelope(n) for n in range(50)], pace=pace)]
        await transmitter.close()
        return results

    results = asyncio.run(run())
    assert sum(result.outcome is Outcome.ACCEPTED for result in results) == len(sink.messages) <= 2
    assert {r.reply_class for r in results if r.outcome is not Outcome.ACCEPTED} <= {"withheld"}


def test_a_reader_that_stops_reading_ends_the_send(sink: Sink) -> None:
    sink.answer("content", HANG, when=lambda step: step.recipient != "reader0@example.org")

    async def run() -> None:
        transmitter = Transmitter(RelayAddress.from_url(sink.url, connections=2), None, timeouts=PATIENT)
        results = transmitter.send([envelope(n) for n in range(50)])
        async for _ in results:
            break
        await results.aclose()
        await transmitter.close()

    asyncio.run(run())
    sink.wait_for(lambda: sink.open == 0)
    assert sink.open == 0
    assert len(sink.messages) < 50


def test_a_slow_reader_is_not_buried_in_results(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailer.dispatch.smtp.run.UNREAD_LIMIT", 20)

    async def run() -> list[Result]:
        transmitter = Transmitter(RelayAddress.from_url(sink.url, connections=4), None, timeouts=PATIENT)
        results = []
        async for result in transmitter.send(envelope(n) for n in range(200)):
            results.append(result)
            # What has been taken and not read yet stays within the limit and what is on its way.
            assert len(sink.messages) - len(results) <= 20 + 2 * 4
            await asyncio.sleep(0.001)
        await transmitter.close()
        return results

    assert outcomes(asyncio.run(run())) == {"accepted": 200}


# --- the journal ---


def test_every_reply_is_in_the_journal_before_its_result(sink: Sink, tmp_path: Path) -> None:
    sink.answer("content", "452 4.3.1 Later", when=lambda step: step.recipient == "reader3@example.org")
    journal = Journal(tmp_path, "worker")

    async def run() -> None:
        transmitter = Transmitter(RelayAddress.from_url(sink.url, connections=2), journal, timeouts=PATIENT)
        async for result in transmitter.send([envelope(n) for n in range(30)]):
            (path,) = Journal.files(tmp_path)
            entry = Journal.read(path)[result.delivery_id]
            assert (entry.token, entry.code, entry.reply) == (f"token{result.delivery_id}", result.code, result.reply)
        await transmitter.close()

    asyncio.run(run())
    (path,) = Journal.files(tmp_path)
    assert len(Journal.read(path)) == 30
    journal.settled(range(30))
    journal.close()
    assert Journal.files(tmp_path) == []


def test_an_intent_is_written_before_the_content_goes_out(sink: Sink, tmp_path: Path) -> None:
    journal = Journal(tmp_path, "worker")
    seen: list[bool] = []

    def look(step: object) -> bool:
        (path,) = Journal.files(tmp_path)
        seen.append(Journal.read(path)[1].is_intent)
        return False

    sink.answer("content", "250 never used", when=look)
    transmit(RelayAddress.from_url(sink.url), [envelope(1)], journal=journal)
    assert seen == [True]
    journal.close()


# --- one letter ---


def test_one_letter_is_sent_and_waited_for(sink: Sink) -> None:
    result = send_one(RelayAddress.from_url(sink.url), envelope(5))
    assert result.outcome is Outcome.ACCEPTED
    assert [message.recipient for message in sink.messages] == ["reader5@example.org"]
    sink.wait_for(lambda: sink.open == 0)


def test_the_loop_is_the_fast_one_where_there_is_one() -> None:
    loop = new_event_loop()
    assert type(loop).__module__.startswith("uvloop")
    loop.close()
