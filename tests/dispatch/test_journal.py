"""The journal: what is in it when its process is gone, however that went."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.dispatch.journal import CHUNK, Journal, JournalEntry
from mailer.errors import UnreadableError
from tests.dispatch.sink import Sink

ROOT = Path(__file__).parents[2]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journals", "worker")
    yield journal
    journal.close()


def read_all(directory: Path) -> dict[int, JournalEntry]:
    entries: dict[int, JournalEntry] = {}
    for path in Journal.files(directory):
        entries |= Journal.read(path)
    return entries


def written(path: Path) -> bytes:
    """What a file holds but for the zeros behind it."""
    return path.read_bytes().rstrip(b"\0")


def test_an_intent_without_a_reply_stays_an_intent(journal: Journal, tmp_path: Path) -> None:
    journal.intent(1, "claim-a")
    journal.intent(2, "claim-a")
    journal.reply(2, 250, "2.0.0", "2.0.0 Ok: queued as 4F2A")
    assert read_all(tmp_path / "journals") == {
        1: JournalEntry(1, "claim-a"),
        2: JournalEntry(2, "claim-a", 250, "2.0.0", "2.0.0 Ok: queued as 4F2A"),
    }
    assert read_all(tmp_path / "journals")[1].is_intent
    assert not read_all(tmp_path / "journals")[2].is_intent


def test_an_intent_that_came_to_nothing_is_taken_back(journal: Journal, tmp_path: Path) -> None:
    journal.intent(1, "a")
    journal.withdraw(1)
    assert read_all(tmp_path / "journals") == {}


def test_the_last_word_on_a_delivery_counts(journal: Journal, tmp_path: Path) -> None:
    journal.intent(1, "first")
    journal.reply(1, 451, None, "later")
    journal.intent(1, "second")
    assert read_all(tmp_path / "journals") == {1: JournalEntry(1, "second")}


def test_lines_are_with_the_kernel_at_once(journal: Journal, tmp_path: Path) -> None:
    journal.intent(1, "a")
    (path,) = Journal.files(tmp_path / "journals")
    assert Journal.read(path)[1].is_intent
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_reply_of_many_lines_stays_one_entry(journal: Journal, tmp_path: Path) -> None:
    journal.intent(1, "a")
    journal.reply(1, 550, None, "first\nI 00000000 2 forged\nR 00000000 2 250 - Ok")
    assert read_all(tmp_path / "journals") == {
        1: JournalEntry(1, "a", 550, None, "first\nI 00000000 2 forged\nR 00000000 2 250 - Ok")
    }


@given(st.integers(min_value=1), st.text(alphabet=st.characters(exclude_characters="\r\n\0", codec="utf-8")), st.text())
def test_whatever_a_server_says_can_be_read_back(number: int, token: str, text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        journal = Journal(Path(place), "worker")
        journal.intent(number, token)
        journal.reply(number, 550, "5.1.1", text)
        (entry,) = read_all(Path(place)).values()
        journal.close()
    assert (entry.delivery_id, entry.token, entry.code, entry.enhanced) == (number, token, 550, "5.1.1")
    assert entry.reply == text.encode("utf-8", "replace").decode().replace("\x1e", " ").replace("\0", " ")


# --- what is damaged ---


def test_a_torn_last_line_is_left_out(journal: Journal, tmp_path: Path) -> None:
    journal.intent(1, "a")
    journal.intent(2, "b")
    (path,) = Journal.files(tmp_path / "journals")
    whole = written(path)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        entries = Journal.read(path)
        # A prefix never says anything that the whole does not say.
        assert entries.items() <= {1: JournalEntry(1, "a"), 2: JournalEntry(2, "b")}.items()
    path.write_bytes(whole)


@pytest.mark.parametrize(
    "damage",
    [b"what is this\n", b"I 00000000 3 token\n", b"\xff\n", b"\n", b"I\n", b"X 9be3e0a3 3\n", b"R zz 3 250 - Ok\n"],
)
def test_damage_in_the_midst_is_said_with_its_place(journal: Journal, tmp_path: Path, damage: bytes) -> None:
    journal.intent(1, "a")
    (path,) = Journal.files(tmp_path / "journals")
    path.write_bytes(written(path) + damage + written(path))
    with pytest.raises(UnreadableError, match="line 2 is damaged") as caught:
        Journal.read(path)
    assert caught.value.place == "2"


def test_a_line_that_was_copied_from_its_end_is_left_out(journal: Journal, tmp_path: Path) -> None:
    # A processor may copy the last bytes of a line first, and the process be killed there.
    journal.intent(1, "a")
    journal.intent(2, "b")
    (path,) = Journal.files(tmp_path / "journals")
    first, second = written(path).splitlines(keepends=True)
    for kept in range(len(second)):
        path.write_bytes(first + second[:kept] + bytes(len(second) - kept - 1) + second[-1:])
        entries = Journal.read(path)
        assert entries.items() <= {1: JournalEntry(1, "a"), 2: JournalEntry(2, "b")}.items()
        assert 1 in entries


def test_a_file_that_was_being_emptied_says_nothing(journal: Journal, tmp_path: Path) -> None:
    journal.intent(1, "a")
    (path,) = Journal.files(tmp_path / "journals")
    path.write_bytes(b"\0" + written(path)[1:])
    assert Journal.read(path) == {}


def test_a_journal_grows_as_far_as_its_replies_need(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "worker", rotate_bytes=100)
    long = "x" * (CHUNK // 3)
    for number in range(8):
        journal.intent(number, "a")
        for _ in range(4):
            journal.reply(number, 550, None, long)
    entries = read_all(tmp_path)
    assert {entry.reply for entry in entries.values()} == {long}
    assert len(entries) == 8
    journal.settled(range(8))
    journal.close()
    assert Journal.files(tmp_path) == []


def test_a_reply_without_its_intent_is_damage(tmp_path: Path, journal: Journal) -> None:
    journal.intent(1, "a")
    journal.reply(1, 250, None, "Ok")
    (path,) = Journal.files(tmp_path / "journals")
    path.write_bytes(written(path).split(b"\n", 1)[1])
    with pytest.raises(UnreadableError):
        Journal.read(path)


def test_a_journal_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"gone\.1\.journal"):
        Journal.read(tmp_path / "gone.1.journal")


def test_no_journal_is_ever_seen_unlocked_by_a_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[Path]] = []
    lock = fcntl.flock

    def look_first(descriptor: int, operation: int) -> None:
        seen.append(Journal.files(tmp_path))
        lock(descriptor, operation)

    monkeypatch.setattr("fcntl.flock", look_first)
    journal = Journal(tmp_path, "worker")
    assert seen == [[]]
    assert [path.name for path in Journal.files(tmp_path)] == ["worker.1.journal"]
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_nobody_writes_into_anothers_journal(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        Journal(tmp_path / "journals", "worker")


# --- what is settled goes away ---


def test_what_postgresql_knows_is_forgotten(journal: Journal, tmp_path: Path) -> None:
    for number in range(100):
        journal.intent(number, "a")
        journal.reply(number, 250, None, "Ok")
    journal.intent(100, "a")
    journal.settled(range(100))
    (path,) = Journal.files(tmp_path / "journals")
    # One is still open: its file stays as it is.
    assert Journal.read(path)[100].is_intent
    journal.reply(100, 250, None, "Ok")
    journal.settled([100])
    assert Journal.read(path) == {}
    journal.intent(101, "b")
    assert Journal.read(path) == {101: JournalEntry(101, "b")}


def test_a_long_journal_goes_on_in_another_file_and_each_file_tells_the_whole_story(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "worker", rotate_bytes=500)
    for number in range(100):
        journal.intent(number, "a")
        if number >= 50:
            journal.reply(number - 50, 250, None, "Ok")
    for number in range(50, 100):
        journal.reply(number, 250, None, "Ok")
    paths = Journal.files(tmp_path)
    assert len(paths) > 3
    # No file has a reply whose intent lies in another: each can be read, and settled, by itself.
    assert sum(len(Journal.read(path)) for path in paths) == 100
    assert not any(entry.is_intent for path in paths for entry in Journal.read(path).values())
    assert all(Journal.is_living(path) for path in paths)
    journal.settled(range(99))
    assert len(Journal.files(tmp_path)) == 1
    journal.settled([99])
    journal.close()
    assert Journal.files(tmp_path) == []


def test_settling_the_unheard_of_does_no_harm(journal: Journal, tmp_path: Path) -> None:
    journal.intent(7, "a")
    journal.settled([1, 2, 3])
    (path,) = Journal.files(tmp_path / "journals")
    assert set(Journal.read(path)) == {7}


def test_closing_keeps_what_is_not_settled(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "worker")
    journal.intent(1, "a")
    journal.close()
    (path,) = Journal.files(tmp_path)
    assert not Journal.is_living(path)
    assert Journal.read(path)[1].is_intent
    Journal.discard(path)
    Journal.discard(path)
    assert Journal.files(tmp_path) == []


# --- processes ---

WRITER = """
import sys, time
from pathlib import Path
from mailer.dispatch.journal import Journal
journal = Journal(Path(sys.argv[1]), "worker")
journal.intent(1, "a")
journal.reply(1, 250, None, "Ok")
journal.intent(2, "a")
print("written", flush=True)
time.sleep(600)
"""


def test_a_living_process_is_told_from_a_dead_one(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        (path,) = Journal.files(tmp_path)
        assert Journal.is_living(path)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not Journal.is_living(path)
    entries = Journal.read(path)
    assert (entries[1].code, entries[2].is_intent) == (250, True)


def test_a_child_that_is_forked_does_not_keep_a_dead_ones_lock(tmp_path: Path) -> None:
    # A subprocess started by the worker outlives it now and then; its files are closed on exec.
    script = WRITER.replace('print("written"', 'import subprocess; subprocess.Popen(["sleep", "600"]); print("written"')
    script = script.replace('["sleep", "600"])', '["sleep", "600"], stdout=subprocess.DEVNULL).pid')
    script = script.replace("import subprocess; ", "import subprocess; child = ").replace(
        'print("written"', 'print(child, flush=True); print("written"'
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert process.stdout.readline() == b"written\n"
        process.kill()
        process.wait()
    (path,) = Journal.files(tmp_path)
    assert not Journal.is_living(path)
    os.kill(child, signal.SIGKILL)


def test_a_file_that_is_gone_has_no_living_process(tmp_path: Path) -> None:
    assert not Journal.is_living(tmp_path / "gone.1.journal")


SENDER = """
import asyncio, itertools, sys
from pathlib import Path
from mailer.dispatch.journal import Journal
from mailer.dispatch.smtp.transmission import RelayAddress, Transmitter, new_event_loop
from tests.dispatch.wire import envelope

async def main():
    transmitter = Transmitter(RelayAddress.from_url(sys.argv[1], connections=10), Journal(Path(sys.argv[2]), "worker"))
    async for _ in transmitter.send(envelope(n) for n in itertools.count()):
        pass

with asyncio.Runner(loop_factory=new_event_loop) as runner:
    runner.run(main())
"""


@pytest.mark.parametrize("attempt", range(3))
def test_a_killed_sender_leaves_unknown_only_what_was_in_flight(tmp_path: Path, attempt: int) -> None:
    with Sink(keeps_content=False) as sink:
        with subprocess.Popen([sys.executable, "-c", SENDER, sink.url, str(tmp_path)], cwd=ROOT) as process:
            sink.wait_for(lambda: len(sink.messages) >= 300 + 137 * attempt)
            process.kill()
            process.wait()
        sink.wait_for(lambda: sink.open == 0)
        taken = set(sink.counts)
    entries = read_all(tmp_path)
    accepted = {f"reader{number}@example.org" for number, entry in entries.items() if entry.code == 250}
    unknown = {f"reader{number}@example.org" for number, entry in entries.items() if entry.is_intent}
    # Nobody who was taken is missing, nobody who is called accepted was not taken, and ten connections were open.
    assert accepted <= taken <= accepted | unknown
    assert len(unknown) <= 10
    assert set(sink.counts.values()) == {1}
