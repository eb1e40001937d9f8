"""Every way a conversation can break, on real sockets, on both event loops: what is deferred, what is unknown, what is
sent again, and what the journal would tell a sweep."""

import json
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.dispatch.envelopes import Result
from mailer.dispatch.journal import Journal
from mailer.dispatch.rules import Outcome
from mailer.dispatch.smtp.relay import Timeouts
from mailer.dispatch.smtp.transmission import RelayAddress
from tests.dispatch.sink import DROP, HANG, RESET, Answer, Flood, Late, Sink, Slow, Then
from tests.dispatch.wire import HASTY, LOOPS, PATIENT, envelope, transmit

OFFERS = {"pipelining": ("PIPELINING", "SIZE 104857600"), "step by step": ("SIZE 104857600",)}
LONG = b"Subject: long\r\n\r\n" + b"a line of this long message\r\n" * 400_000
GARBAGE = b"\x00\xff\xfe what is this\r\n"
FLOODS = [Flood(b"250-" + b"x" * 996 + b"\r\n"), Flood(b"2" * 65536)]


@pytest.fixture(params=sorted(LOOPS))
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=sorted(OFFERS))
def sink(request: pytest.FixtureRequest) -> Iterator[Sink]:
    with Sink(offers=OFFERS[request.param]) as sink:
        yield sink


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path, "worker")
    yield journal
    journal.close()


def send(sink: Sink, journal: Journal, loop: str, *, content: bytes = b"x\r\n", timeouts: Timeouts = PATIENT) -> Result:
    (result,) = transmit(
        RelayAddress.from_url(sink.url), [envelope(1, content=content)], journal=journal, loop=loop, timeouts=timeouts
    )
    return result


def in_journal(tmp_path: Path) -> str:
    """What a sweep would read of delivery 1, were the worker killed now."""
    (path,) = Journal.files(tmp_path)
    entry = Journal.read(path).get(1)
    return "nothing" if entry is None else "intent" if entry.is_intent else "reply"


# --- one message, one fault ---


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("fault", [DROP, RESET, GARBAGE, *FLOODS], ids=str)
def test_before_the_content_nothing_is_lost(
    sink: Sink, loop: str, journal: Journal, tmp_path: Path, stage: str, fault: Answer
) -> None:
    sink.answer(stage, fault)
    result = send(sink, journal, loop)
    assert (result.outcome, result.stage, result.code) == (Outcome.DEFERRED, stage, None)
    assert (result.reply_class, result.is_relay_fault) == ("connection", True)
    assert result.reply
    assert in_journal(tmp_path) == "nothing"
    assert sink.messages == []
    assert sink.written < 50_000_000


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("fault", [HANG, Slow(0.08, "250 one byte at a time and for a long time")], ids=str)
def test_silence_before_the_content_ends_by_itself(
    sink: Sink, loop: str, journal: Journal, tmp_path: Path, stage: str, fault: Answer
) -> None:
    sink.answer(stage, fault)
    result = send(sink, journal, loop, timeouts=HASTY)
    assert (result.outcome, result.stage) == (Outcome.DEFERRED, stage)
    assert "in time" in result.reply
    assert in_journal(tmp_path) == "nothing"
    # A silent relay is not asked a second time for the same message.
    assert sink.connections == 1


@pytest.mark.parametrize("fault", [DROP, RESET, GARBAGE, *FLOODS], ids=str)
def test_after_the_final_dot_nobody_knows(
    sink: Sink, loop: str, journal: Journal, tmp_path: Path, fault: Answer
) -> None:
    sink.answer("content", fault)
    result = send(sink, journal, loop)
    assert (result.outcome, result.stage, result.reply_class) == (Outcome.UNKNOWN, "content", "lost_reply")
    assert result.code is None
    assert in_journal(tmp_path) == "intent"
    assert sink.connections == 1
    assert sink.written < 50_000_000


@pytest.mark.parametrize("fault", [HANG, Slow(0.2, "250 one byte at a time")], ids=str)
def test_silence_after_the_final_dot_is_unknown(
    sink: Sink, loop: str, journal: Journal, tmp_path: Path, fault: Answer
) -> None:
    sink.answer("content", fault)
    result = send(sink, journal, loop, timeouts=HASTY)
    assert (result.outcome, result.reply_class) == (Outcome.UNKNOWN, "lost_reply")
    assert in_journal(tmp_path) == "intent"
    assert len(sink.messages) <= 1


def test_a_nonsense_answer_to_the_final_dot_is_unknown(sink: Sink, loop: str, journal: Journal, tmp_path: Path) -> None:
    sink.answer("content", "354 Go on")
    result = send(sink, journal, loop)
    assert result.outcome is Outcome.UNKNOWN
    assert in_journal(tmp_path) == "intent"


@pytest.mark.parametrize("fault", [DROP, RESET], ids=str)
def test_lost_within_long_content_is_deferred_because_the_dot_never_left(
    sink: Sink, loop: str, journal: Journal, tmp_path: Path, fault: Answer
) -> None:
    sink.answer("body", fault)
    result = send(sink, journal, loop, content=LONG)
    assert (result.outcome, result.stage, result.is_relay_fault) == (Outcome.DEFERRED, "content", True)
    # The intent was taken back: a sweep after a kill would not call it unknown either.
    assert in_journal(tmp_path) == "nothing"
    assert sink.messages == []


def test_lost_within_short_content_is_unknown_because_the_dot_may_have_left(
    sink: Sink, loop: str, journal: Journal, tmp_path: Path
) -> None:
    sink.answer("body", DROP)
    result = send(sink, journal, loop)
    assert result.outcome is Outcome.UNKNOWN
    assert in_journal(tmp_path) == "intent"


def test_a_server_that_stops_reading_is_left(sink: Sink, loop: str, journal: Journal, tmp_path: Path) -> None:
    sink.answer("body", Late(60))
    result = send(sink, journal, loop, content=LONG, timeouts=Timeouts(block=0.3, quit=0.1))
    assert (result.outcome, result.stage) == (Outcome.DEFERRED, "content")
    assert in_journal(tmp_path) == "nothing"


@pytest.mark.parametrize(
    ("reply", "outcome", "reply_class"),
    [
        ("552 5.3.4 Message too big", Outcome.REJECTED, "too_large"),
        ("451 4.3.0 Out of order", Outcome.DEFERRED, "temporary"),
    ],
)
def test_a_server_that_interrupts_the_content_is_heard(
    sink: Sink, loop: str, journal: Journal, reply: str, outcome: Outcome, reply_class: str
) -> None:
    # It says so, and reads on for a while: closing at once could destroy its own words on the way.
    sink.answer("body", Then(reply, HANG))
    result = send(sink, journal, loop, content=LONG)
    assert (result.outcome, result.reply_class, result.stage) == (outcome, reply_class, "content")
    assert f"{result.code} {result.reply}" == reply


def test_a_421_behind_the_354_stops_the_content(sink: Sink, loop: str, journal: Journal, tmp_path: Path) -> None:
    sink.answer("data", b"354 Go on\r\n421 4.3.2 No, shutting down\r\n")
    result = send(sink, journal, loop)
    assert (result.outcome, result.code, result.stage) == (Outcome.DEFERRED, 421, "content")
    assert in_journal(tmp_path) == "nothing"
    assert sink.messages == []


# --- many messages, faults among them ---


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("fault", [DROP, RESET], ids=str)
def test_a_connection_lost_before_the_content_costs_nobody_anything(
    sink: Sink, loop: str, stage: str, fault: Answer
) -> None:
    sink.answer(stage, fault, when=lambda step: step.messages == 5)
    results = transmit(RelayAddress.from_url(sink.url, connections=2), [envelope(n) for n in range(60)], loop=loop)
    assert Counter(result.outcome for result in results) == {Outcome.ACCEPTED: 60}
    assert set(sink.counts.values()) == {1}


@pytest.mark.parametrize("fault", [DROP, RESET], ids=str)
def test_only_those_in_flight_are_unknown(
    sink: Sink, loop: str, journal: Journal, tmp_path: Path, fault: Answer
) -> None:
    sink.answer("content", fault, when=lambda step: step.messages == 5)
    relay = RelayAddress.from_url(sink.url, connections=2)
    results = transmit(relay, [envelope(n) for n in range(60)], journal=journal, loop=loop)
    unknown = {result.delivery_id for result in results if result.outcome is Outcome.UNKNOWN}
    assert Counter(result.outcome for result in results) == {
        Outcome.ACCEPTED: 60 - len(unknown),
        Outcome.UNKNOWN: len(unknown),
    }
    # Each connection ends with its sixth message; the commands that travelled with it went by another.
    ended = Counter(message.connection for message in sink.messages)
    assert len(unknown) == sum(taken == 6 for taken in ended.values()) >= 8
    assert set(sink.counts.values()) == {1}
    (path,) = Journal.files(tmp_path)
    assert {number for number, entry in Journal.read(path).items() if entry.is_intent} == unknown


def test_a_poisonous_recipient_does_not_take_the_others_along(sink: Sink, loop: str) -> None:
    sink.answer("rcpt", DROP, when=lambda step: "reader7@" in step.line)
    results = transmit(RelayAddress.from_url(sink.url, connections=2), [envelope(n) for n in range(40)], loop=loop)
    assert Counter(result.outcome for result in results) == {Outcome.ACCEPTED: 39, Outcome.DEFERRED: 1}
    assert set(sink.counts.values()) == {1}


def test_a_relay_that_goes_away_in_the_middle_loses_nobody(sink: Sink, loop: str) -> None:
    results: list[Result] = []
    sink.answer("content", HANG, when=lambda _: len(sink.messages) >= 20)
    sink.answer("greeting", DROP, when=lambda step: step.connection > 4)
    relay = RelayAddress.from_url(sink.url, connections=4)
    results = transmit(relay, [envelope(n) for n in range(100)], loop=loop, timeouts=HASTY)
    counted = Counter(result.outcome for result in results)
    assert sum(counted.values()) == 100
    assert counted[Outcome.UNKNOWN] <= 4
    accepted = {result.delivery_id for result in results if result.outcome is Outcome.ACCEPTED}
    # Whoever was not accepted and is not unknown was certainly not taken.
    deferred = {f"reader{r.delivery_id}@example.org" for r in results if r.outcome is Outcome.DEFERRED}
    assert not deferred & set(sink.counts)
    assert len(accepted) + counted[Outcome.UNKNOWN] + len(deferred) == 100


def test_memory_stays_bounded_under_a_gigabyte_of_reply(loop: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Sink() as sink:
        sink.answer("content", Flood(b"250-" + b"x" * 65000 + b"\r\n", total=1_000_000_000))
        results = transmit(RelayAddress.from_url(sink.url, connections=3), [envelope(n) for n in range(9)], loop=loop)
    assert {result.outcome for result in results} <= {Outcome.UNKNOWN, Outcome.DEFERRED}
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 100_000_000


# --- a disk that is full ---

FULL_DISK = """
import asyncio, json, resource, sys
from pathlib import Path
from mailer.dispatch.journal import CHUNK, Journal
from mailer.dispatch.smtp.transmission import RelayAddress, Transmitter
from tests.dispatch.wire import envelope

journal = Journal(Path(sys.argv[2]), "worker")
# No file of this process may grow beyond this: when the journal is to grow, the write that crosses it is cut short.
resource.setrlimit(resource.RLIMIT_FSIZE, (CHUNK + 1000, resource.RLIM_INFINITY))

async def main():
    transmitter = Transmitter(RelayAddress.from_url(sys.argv[1], connections=2), journal)
    results, error = [], None
    try:
        async for result in transmitter.send([envelope(n) for n in range(800)]):
            results.append((result.delivery_id, result.outcome.value, result.reply_class))
    except OSError as caught:
        error = str(caught)
    await transmitter.close()
    print(json.dumps({"results": results, "error": error}))

asyncio.run(main())
"""


def test_a_full_disk_under_the_journal_stops_the_send_and_loses_nothing(tmp_path: Path) -> None:
    with Sink() as sink:
        done = subprocess.run(
            [sys.executable, "-c", FULL_DISK, sink.url, str(tmp_path)],
            capture_output=True,
            check=True,
            cwd=Path(__file__).parents[2],
        )
    said = json.loads(done.stdout)
    assert said["error"]
    counted = Counter(outcome for _, outcome, _ in said["results"])
    accepted = {number for number, outcome, _ in said["results"] if outcome == "accepted"}
    assert set(sink.counts) == {f"reader{number}@example.org" for number in accepted}
    assert 50 < counted["accepted"] < 600
    assert {reply_class for _, outcome, reply_class in said["results"] if outcome == "deferred"} <= {
        "journal",
        "withheld",
    }
    # The journal is whole: what was cut short was taken back.
    (path,) = Journal.files(tmp_path)
    entries = Journal.read(path)
    assert {number for number, entry in entries.items() if not entry.is_intent} <= accepted
    assert set(entries) <= accepted | {number for number, _, _ in said["results"]}
