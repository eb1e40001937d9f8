"""Children that are started, watched, restarted and ended: real processes, and nothing of them left over."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailer.embedded.processes import (
    LONGEST_LOG,
    Child,
    Program,
    command_of,
    end_left_over,
    last_words,
    read_pid,
    wait_until,
)
from mailer.embedded.supervisor import PATIENCE, TRIES, Supervisor
from mailer.embedded.surroundings import Plan
from mailer.errors import ServiceError


def shell(script: str, **values: object) -> Program:
    return Program("act", ["/bin/sh", "-c", script], **values)  # type: ignore[arg-type]


@pytest.fixture
def child_of(tmp_path: Path) -> Iterator[Callable[[Program], Child]]:
    """Children that are gone after the test, also where it fails in between."""
    made: list[Child] = []

    def start(program: Program) -> Child:
        child = Child(tmp_path, program)
        made.append(child)
        child.start()
        return child

    yield start
    for child in made:
        child.bury()


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[tuple[Supervisor, list[str]]]:
    """One that has been given nothing to do yet, and what it says."""
    said: list[str] = []
    made = Supervisor(Plan(data_dir=tmp_path, web_port=1, smtp_port=1, mailbox_dir=tmp_path / "mailbox"), said.append)
    yield made, said
    made.stop()


def test_a_child_writes_its_pid_and_its_log_and_takes_both_back(
    tmp_path: Path, child_of: Callable[[Program], Child]
) -> None:
    child = child_of(shell("echo here; exec sleep 600"))
    assert read_pid(tmp_path / "run" / "act.pid") == child.pid
    assert wait_until(lambda: "here" in (tmp_path / "logs" / "act.log").read_text(), 10)
    assert not child.has_ended()
    child.stop()
    assert child.has_ended()
    assert not (tmp_path / "run" / "act.pid").exists()
    child.stop()


def test_a_child_that_will_not_end_is_killed_with_all_its_own(
    tmp_path: Path, child_of: Callable[[Program], Child]
) -> None:
    child = child_of(shell("trap '' TERM; sleep 600 & echo $!; wait; sleep 600", stop_seconds=0.2))
    log = tmp_path / "logs" / "act.log"
    assert wait_until(lambda: log.read_text().strip().isdigit(), 10)
    grandchild = int(log.read_text())
    # While it becomes `sleep`, the kernel shows no command line for a moment.
    assert wait_until(lambda: bool(command_of(grandchild)), 10)
    child.stop()
    assert wait_until(lambda: not command_of(grandchild), 10)


def test_a_dead_leader_leaves_no_pool_behind(tmp_path: Path, child_of: Callable[[Program], Child]) -> None:
    child = child_of(shell("sleep 600 & echo $!; wait"))
    log = tmp_path / "logs" / "act.log"
    assert wait_until(lambda: log.read_text().strip().isdigit(), 10)
    assert child.pid
    os.kill(child.pid, signal.SIGKILL)
    assert wait_until(child.has_ended, 10)
    assert child.exit_code == -signal.SIGKILL
    assert wait_until(lambda: bool(command_of(int(log.read_text()))), 10), "the pool outlives its leader"
    child.bury()
    assert wait_until(lambda: not command_of(int(log.read_text())), 10)


def test_a_program_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"act cannot be started: .*No such file"):
        Child(tmp_path, Program("act", ["/nowhere/program"])).start()


def test_the_last_words_are_the_error_and_not_what_came_before_this_start(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("ValueError: of yesterday\n")
    since = log.stat().st_size
    assert last_words(log, since) == ""
    with log.open("a") as file:
        file.write("Traceback (most recent call last):\nmailer.errors.RuleError: The reason.\nWorker exiting\n\n")
    assert last_words(log, since) == "mailer.errors.RuleError: The reason"
    with log.open("a") as file:
        file.writelines(f"line {number}\n" for number in range(40))
    assert last_words(log, since) == "line 39"
    assert last_words(tmp_path / "absent.log", 0) == ""


def test_a_log_that_has_grown_long_is_put_aside_at_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "act.log"
    with log.open("wb") as file:
        file.truncate(LONGEST_LOG + 1)
    child = Child(tmp_path, shell("echo new; exec sleep 600"))
    child.start()
    assert wait_until(lambda: log.read_text() == "new\n", 10)
    child.stop()
    assert (tmp_path / "logs" / "act.log.1").stat().st_size == LONGEST_LOG + 1


def test_what_is_left_over_is_ended_only_if_it_is_ours(tmp_path: Path) -> None:
    pid_file = tmp_path / "act.pid"
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as other:
        pid_file.write_text(f"{other.pid}\n")
        end_left_over(pid_file, lambda _pid: False, how=signal.SIGTERM, seconds=5)
        assert other.poll() is None
        end_left_over(pid_file, lambda _pid: other.poll() is None, how=signal.SIGTERM, seconds=5)
        assert other.wait(10) == -signal.SIGTERM


@pytest.mark.parametrize("content", ["", "no number\n", "0\n", "1\n", "-1\n", "99999999\n"])
def test_an_odd_pid_file_ends_nothing(tmp_path: Path, content: str) -> None:
    pid_file = tmp_path / "act.pid"
    pid_file.write_text(content)
    asked: list[int] = []

    def judge(pid: int) -> bool:
        asked.append(pid)
        return False

    end_left_over(pid_file, judge, how=signal.SIGTERM, seconds=1)
    assert all(pid > 1 for pid in asked)


def test_what_keeps_dying_is_started_again_more_and_more_slowly(
    tmp_path: Path, supervisor: tuple[Supervisor, list[str]]
) -> None:
    kept, said = supervisor
    kept._begin("act", Child(tmp_path, shell("exit 3")))

    def look() -> bool:
        kept.check()
        return len(said) == 3

    assert wait_until(look, 30)
    assert said == [
        "act ended with exit code 3; starting it again.",
        f"act ended with exit code 3; starting it again in {PATIENCE[1]:g} s.",
        f"act ended with exit code 3; starting it again in {PATIENCE[2]:g} s.",
    ]


def test_what_ends_by_itself_is_not_started_again_unless_it_failed(
    tmp_path: Path, supervisor: tuple[Supervisor, list[str]]
) -> None:
    kept, said = supervisor
    runs = tmp_path / "runs"
    kept.begin_once(Child(tmp_path, shell(f"echo run >> {runs}")))

    def look() -> bool:
        kept.check()
        return not kept._kept

    assert wait_until(look, 30)
    assert said == []
    assert runs.read_text() == "run\n"
    kept.begin_once(Child(tmp_path, shell(f"echo again >> {runs}; exit 1")))
    assert wait_until(look, 30)
    assert runs.read_text().count("again") == TRIES
    assert said[-1].startswith("act ended with exit code 1 (see ")
