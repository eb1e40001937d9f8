"""`mailer run` from outside: what a newcomer sees at the first start, what dies and comes back, how it ends, and what
the second start finds.
"""

import http.client
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from mailer.embedded.processes import command_of, read_pid, wait_until
from mailer.embedded.service import find_free_port
from mailer.embedded.surroundings import read_environment
from mailer.maildir import Maildir

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

MAILER = (sys.executable, "-c", "from mailer.cli import main; main()")
NAMES = ("postgres", "redis", "mailbox", "worker", "beat", "web")


@dataclass
class Run:
    """A running `mailer run`, and its output so far."""

    data_dir: Path
    process: subprocess.Popen[str]
    web_port: int
    output: list[str] = field(default_factory=list)

    def read_until(self, words: str) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.output.append(line)
            if words in line:
                return
        pytest.fail(f"it ended without saying “{words}”:\n{''.join(self.output)}")

    def pid(self, name: str) -> int:
        pid = read_pid(self.data_dir / "run" / f"{name}.pid")
        assert pid, f"{name} has no pid file"
        return pid

    def status(self, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=20)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status

    def scalar(self, statement: str) -> object:
        with psycopg.connect(read_environment(self.data_dir)["MAILER_DATABASE_URL"]) as connection:
            row = connection.execute(statement).fetchone()
            return row[0] if row else None


@contextmanager
def running(data_dir: Path) -> Iterator[Run]:
    """As an operator starts it; killed outright if the test has not ended it."""
    web, smtp = find_free_port(), find_free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAILER_")}
    process = subprocess.Popen(
        [*MAILER, "run", f"--data-dir={data_dir}", f"--port={web}", f"--smtp-port={smtp}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    try:
        run = Run(data_dir, process, web)
        run.read_until("Ctrl-C stops everything")
        yield run
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def stop(run: Run) -> list[str]:
    """Sends SIGTERM and tells in which order the pid files went."""
    run.process.send_signal(signal.SIGTERM)
    left, order = list(NAMES), []
    deadline = time.monotonic() + 90
    while left and time.monotonic() < deadline:
        gone = [name for name in left if not (run.data_dir / "run" / f"{name}.pid").exists()]
        order += gone
        left = [name for name in left if name not in gone]
    run.process.wait(30)
    return order


@dataclass
class Story:
    """What was seen of the first and the second start."""

    first_output: str = ""
    pids: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    new_worker: int = 0
    restart_line: str = ""
    figures: dict[str, object] = field(default_factory=dict)
    captured: int = 0
    stop_order: list[str] = field(default_factory=list)
    exit_code: int | None = None
    survivors: list[int] = field(default_factory=list)
    environment_left: dict[str, str] = field(default_factory=dict)
    second_output: str = ""
    second_figures: dict[str, object] = field(default_factory=dict)


FIGURES = {
    "accounts": "SELECT count(*) FROM accounts",
    "issues": "SELECT array_agg(state ORDER BY id) FROM issues",
    "accepted": "SELECT count(*) FROM deliveries WHERE state = 'accepted'",
    "roster": "SELECT roster_size FROM mailings",
    "human opens": "SELECT count(*) FROM opens WHERE verdict = 'human'",
    "machine opens": "SELECT count(*) FROM opens WHERE verdict = 'machine'",
    "clicks": "SELECT count(*) FROM clicks",
}


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    """Starting everything takes seconds, so it happens once; the tests look at what was seen."""
    with tempfile.TemporaryDirectory(prefix="mailer-run-") as folder:
        Path(folder).chmod(0o711)
        yield live(Path(folder) / "data")


def live(data_dir: Path) -> Story:
    story = Story()
    with running(data_dir) as run:
        story.first_output = "".join(run.output)
        story.pids = {name: run.pid(name) for name in NAMES}
        story.statuses = {path: run.status(path) for path in ("/", "/mailbox/", "/desk/", "/admin/")}
        loaded = wait_until(lambda: not (data_dir / "run" / "sample-wanted").exists(), 120)
        assert loaded, (data_dir / "logs" / "sample.log").read_text()
        story.figures = {name: run.scalar(statement) for name, statement in FIGURES.items()}
        story.captured = Maildir(data_dir / "mailbox").count()
        os.kill(story.pids["worker"], signal.SIGKILL)
        run.read_until("worker was killed by SIGKILL")
        story.restart_line = run.output[-1]
        assert wait_until(lambda: read_pid(data_dir / "run" / "worker.pid") not in {None, story.pids["worker"]}, 20)
        story.new_worker = run.pid("worker")
        pids = {**story.pids, "worker": story.new_worker}
        story.stop_order = stop(run)
        story.exit_code = run.process.returncode
        story.survivors = [pid for pid in pids.values() if command_of(pid)]
        story.environment_left = read_environment(data_dir)
    with running(data_dir) as run:
        story.second_output = "".join(run.output)
        story.second_figures = {name: run.scalar(statement) for name, statement in FIGURES.items()}
        stop(run)
    return story


def test_the_first_start_prints_the_addresses_and_a_password_once(story: Story) -> None:
    for place in ("Portal", "Desk", "Admin", "Mailbox"):
        assert re.search(rf"{place} +http://127\.0\.0\.1:\d+/", story.first_output)
    assert re.search(r"First admin +admin@example\.org", story.first_output)
    assert re.search(r"Password +\S{20,}", story.first_output)
    assert "Password" not in story.second_output
    assert story.figures["accounts"] == story.second_figures["accounts"] == 1


def test_every_process_has_its_pid_file(story: Story) -> None:
    assert len(set(story.pids.values())) == len(NAMES)


def test_the_pages_are_served_and_the_closed_ones_ask_for_a_sign_in(story: Story) -> None:
    assert story.statuses["/"] == 200
    # Captured letters hold links that reset passwords.
    assert story.statuses["/desk/"] == story.statuses["/admin/"] == story.statuses["/mailbox/"] == 302


def test_a_newcomer_finds_a_sent_issue_with_figures_and_a_draft(story: Story) -> None:
    assert story.figures["issues"] == ["approved", "draft"]
    assert story.figures["roster"] == story.figures["accepted"] == story.captured == 200
    assert isinstance(story.figures["human opens"], int)
    assert story.figures["human opens"] > 50
    assert story.figures["machine opens"]
    assert story.figures["clicks"]


def test_a_killed_worker_is_started_again_at_once_and_it_is_said(story: Story) -> None:
    assert story.restart_line == "worker was killed by SIGKILL; starting it again.\n"
    assert story.new_worker != story.pids["worker"]


def test_sigterm_stops_everything_in_the_opposite_order(story: Story) -> None:
    assert story.stop_order == list(reversed(NAMES))
    assert story.exit_code == 0
    assert story.survivors == []
    assert story.environment_left == {}


def test_the_second_start_finds_yesterdays_data(story: Story) -> None:
    assert story.second_figures == story.figures
    assert "sample" not in story.second_output
