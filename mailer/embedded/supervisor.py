"""The whole service on one machine: PostgreSQL, Redis, mailbox, worker, beat and web, started in that order, watched,
started again when they die, stopped in the opposite order.

One thread and no callbacks: whoever holds a `Supervisor` calls `check()` a few times a second.
"""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from mailer.embedded.crew import DRAIN_SECONDS, NAMES, Member, make_crew
from mailer.embedded.processes import (
    Child,
    command_of,
    end_left_over,
    last_words,
    make_folder,
    read_pid,
    wait_until,
    write_pid,
)
from mailer.embedded.service import LOOPBACK, make_data_dir
from mailer.embedded.services import Postgres, Redis
from mailer.embedded.surroundings import Plan, forget_environment, make_environment, write_environment
from mailer.errors import ServiceError

# Seconds before the first, second, … new start within a minute: at once after one accident, slower when it goes on.
PATIENCE = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
MEMORY_SECONDS = 60.0
# What ends by itself is tried so often when it fails: the database may have been away for a moment.
TRIES = 3
ANSWER_SECONDS = 60.0


class Keepable(Protocol):
    """What the supervisor keeps alive: a `Child` or a `Service`."""

    @property
    def exit_code(self) -> int | None: ...
    def start(self) -> None: ...
    def has_ended(self) -> bool: ...
    def bury(self) -> None: ...
    def stop(self) -> None: ...


@dataclass(slots=True)
class Kept:
    """One of them, with its recent deaths and, while it is dead, when it is due again. One that `is_once` ends by
    itself.
    """

    name: str
    process: Keepable
    is_once: bool = False
    deaths: list[float] = field(default_factory=list)
    due_at: float | None = None


class Supervisor:
    """Starts, watches and stops what `plan` says; `say` is told in a sentence what an operator should know."""

    def __init__(self, plan: Plan, say: Callable[[str], None]) -> None:
        self.plan = plan
        self.environment: dict[str, str] = {}
        self._say = say
        self._kept: list[Kept] = []
        self._lock: IO[str] | None = None

    def start(self) -> None:
        """Returns when everything answers. Raises `ServiceError`, with nothing left running."""
        plan = self.plan
        make_data_dir(plan.data_dir)
        make_folder(plan.data_dir / "run")
        self._take_lock()
        try:
            self._end_left_overs()
            for port, option in ((plan.web_port, "--port"), (plan.smtp_port, "--smtp-port")):
                _expect_free(port, option)
            postgres = Postgres(plan.data_dir, is_durable=plan.is_durable)
            redis = Redis(plan.data_dir)
            self._begin("postgres", postgres)
            self._begin("redis", redis)
            self.environment = make_environment(plan, postgres.url, redis.url)
            upgrade_database(plan.data_dir, self.environment)
            crew = make_crew(plan, self.environment)
            for member in crew:
                self._begin(member.child.program.name, member.child)
            for member in crew:
                _await_answer(member)
            write_environment(plan.data_dir, self.environment)
        except BaseException:
            self.stop()
            raise

    def check(self) -> None:
        """Starts again what has died, at once or after a while; never waits for a process of ours."""
        moment = time.monotonic()
        for kept in list(self._kept):
            if kept.due_at is None and kept.process.has_ended():
                self._note_death(kept, moment)
            if kept.due_at is not None and kept.due_at <= moment:
                self._start_again(kept, moment)

    def begin_once(self, child: Child) -> None:
        """Starts a process that ends by itself; it is stopped with the others if it has not."""
        self._kept.append(Kept(child.program.name, child, is_once=True))
        child.start()

    def stop(self) -> None:
        """Stops everything, last started first, each within its own bounded time; quiet when nothing runs."""
        while self._kept:
            self._kept.pop().process.stop()
        if self._lock is not None:
            forget_environment(self.plan.data_dir)
            (self.plan.data_dir / "run" / "supervisor.pid").unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _begin(self, name: str, process: Keepable) -> None:
        self._kept.append(Kept(name, process))
        process.start()

    def _note_death(self, kept: Kept, moment: float) -> None:
        exit_code, reason = kept.process.exit_code, _reason(kept.process.exit_code)
        kept.process.bury()
        if kept.is_once and (exit_code == 0 or len(kept.deaths) == TRIES - 1):
            self._kept.remove(kept)
            if exit_code:
                self._say(f"{kept.name} {reason} (see {self.plan.data_dir / 'logs' / kept.name}.log).")
            return
        kept.deaths = [death for death in kept.deaths if moment - death < MEMORY_SECONDS]
        wait = PATIENCE[min(len(kept.deaths), len(PATIENCE) - 1)]
        kept.deaths.append(moment)
        kept.due_at = moment + wait
        self._say(f"{kept.name} {reason}; starting it again{f' in {wait:g} s' if wait else ''}.")

    def _start_again(self, kept: Kept, moment: float) -> None:
        kept.due_at = None
        try:
            kept.process.start()
        except ServiceError as error:
            self._say(str(error))
            kept.due_at = moment + PATIENCE[-1]

    def _take_lock(self) -> None:
        """One supervisor for one data directory; the kernel lets go when it dies, however it dies."""
        pid_file = self.plan.data_dir / "run" / "supervisor.pid"
        lock = (self.plan.data_dir / "run" / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise ServiceError(
                "Mailer already runs on %(path)s (process %(pid)s).",
                path=str(self.plan.data_dir),
                pid=read_pid(pid_file) or "?",
            ) from None
        write_pid(pid_file, os.getpid())
        self._lock = lock

    def _end_left_overs(self) -> None:
        """What a killed supervisor could not stop, the last started first."""
        mark = f"MAILER_DATA_DIR={self.plan.data_dir}"
        for name in reversed(NAMES):
            end_left_over(
                self.plan.data_dir / "run" / f"{name}.pid",
                lambda pid: _was_told(pid, mark),
                how=signal.SIGTERM,
                seconds=DRAIN_SECONDS,
            )


def upgrade_database(data_dir: Path, environment: Mapping[str, str]) -> None:
    """In a process of its own, as an operator's `mailer db upgrade`: this one keeps no connection. Raises
    `ServiceError`.
    """
    log = data_dir / "logs" / "upgrade.log"
    with log.open("ab") as file:
        since = file.tell()
        done = subprocess.run(
            [sys.executable, "-c", "from mailer.migrations import upgrade; upgrade()"],
            env=os.environ | dict(environment), stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=False,
        )  # fmt: skip
    if done.returncode != 0:
        raise ServiceError(
            "The database could not be brought up to date: %(reason)s (see %(log)s).",
            reason=last_words(log, since) or "it says nothing",
            log=str(log),
        )


def _expect_free(port: int, option: str) -> None:
    with socket.socket() as probe:
        # As the servers do: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise ServiceError(
                "Port %(port)s cannot be used (%(reason)s): end what listens there, or choose another with %(option)s.",
                port=port, reason=error.strerror, option=option,
            ) from None  # fmt: skip


def _await_answer(member: Member) -> None:
    child = member.child
    answered = wait_until(lambda: child.has_ended() or member.answers(), ANSWER_SECONDS)
    if not answered or child.has_ended():
        raise ServiceError(
            "%(name)s did not start: %(reason)s (see %(log)s).",
            name=child.program.name,
            reason=child.last_words() or "it says nothing",
            log=str(child.log_file),
        )


def _reason(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        with suppress(ValueError):
            return f"was killed by {signal.Signals(-exit_code).name}"
    return f"ended with exit code {exit_code}"


def _was_told(pid: int, mark: str) -> bool:
    """Whether `pid` is a process of ours for this data directory."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes()
    except FileNotFoundError:
        # No /proc on this system, or no such process: the command line must do.
        return any(part in {"celery", "gunicorn", "mailer.embedded.mailbox"} for part in command_of(pid))
    except OSError:
        return False
    return mark.encode() in variables.split(b"\0")
