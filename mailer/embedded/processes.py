"""Child processes that do not outlive us: started with a pid file and a log, stopped within bounded time.

A supervisor that is killed outright (SIGKILL) cannot stop its children; the kernel does it where it can
(``PR_SET_PDEATHSIG``, Linux), and the next start ends what is still there, after making sure that the pid in the file
is still that process and not another one that got its number since.
"""

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mailer.errors import ServiceError

PR_SET_PDEATHSIG = 1
LONGEST_LOG = 16 * 1024 * 1024
_POLL = 0.02
_ERROR = re.compile(r"[A-Za-z_][\w.]*(Error|Exception): ")


@dataclass(frozen=True, slots=True)
class User:
    """A system user that a process runs as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Program:
    """How one process is started and stopped.

    `stop_signal` asks it to end in order; after `stop_seconds` its whole process group is killed. `death_signal` is
    what the kernel sends when we die without asking.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None
    folder: Path | None = None
    user: User | None = None
    stdin: bytes = b""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 20.0
    death_signal: signal.Signals = signal.SIGTERM


class Child:
    """One running `Program`: its pid in ``run/NAME.pid``, its output in ``logs/NAME.log``."""

    def __init__(self, data_dir: Path, program: Program) -> None:
        self.program = program
        self.pid_file = data_dir / "run" / f"{program.name}.pid"
        self.log_file = data_dir / "logs" / f"{program.name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._said_before = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Starts it in a process group of its own, so that Ctrl-C in the terminal reaches only us and we keep the
        order. Raises `ServiceError` when the program cannot be executed.
        """
        program = self.program
        make_folder(self.pid_file.parent)
        make_folder(self.log_file.parent)
        user = program.user
        put_aside(self.log_file)
        with self.log_file.open("ab") as log:
            self._said_before = log.tell()
            try:
                self._process = subprocess.Popen(
                    program.command,
                    stdin=subprocess.PIPE if program.stdin else subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=program.folder or "/",
                    env=None if program.environment is None else dict(program.environment),
                    start_new_session=True,
                    user=None if user is None else user.uid,
                    group=None if user is None else user.gid,
                    extra_groups=None if user is None else (),
                    preexec_fn=_dying_with_parent(program.death_signal),  # noqa: PLW1509  (no threads before this)
                )
            except OSError as error:
                raise ServiceError(
                    "%(name)s cannot be started: %(reason)s.", name=program.name, reason=str(error)
                ) from None
        if program.stdin and self._process.stdin:
            self._process.stdin.write(program.stdin)
            self._process.stdin.close()
        write_pid(self.pid_file, self._process.pid)

    def has_ended(self) -> bool:
        """Whether it is not running (any more); never waits."""
        return self._process is None or self._process.poll() is not None

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode if self._process else None

    def stop(self) -> None:
        """Asks it to end, waits, and kills what is left of its group. Quiet when it has ended already."""
        if self._process is None:
            return
        if not self.has_ended():
            self._process.send_signal(self.program.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(self.program.stop_seconds)
        self.bury()

    def bury(self) -> None:
        """Kills whatever is left of the process group (a dead leader leaves its pool behind) and forgets the pid."""
        if self._process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        self.pid_file.unlink(missing_ok=True)

    def last_words(self) -> str:
        """Why it would not start, in one line of its log."""
        return last_words(self.log_file, self._said_before)


def _dying_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def arm() -> None:
        prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        # The parent may have died between fork and prctl: then no signal would ever come.
        if os.getppid() != parent:
            os._exit(1)

    return arm


def make_folder(folder: Path) -> None:
    """Makes `folder`, closed to other users. Raises `ServiceError` when that is not allowed."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ServiceError("%(path)s cannot be made: %(reason)s.", path=str(folder), reason=error.strerror) from None


def write_pid(pid_file: Path, pid: int) -> None:
    """Whole or not at all: a reader never sees half a number."""
    temporary = pid_file.with_suffix(".pid.new")
    temporary.write_text(f"{pid}\n")
    temporary.replace(pid_file)


def read_pid(pid_file: Path) -> int | None:
    """The number on the first line, or `None`."""
    try:
        return int(pid_file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def command_of(pid: int) -> list[str]:
    """The command line of a running process; empty when there is none (or it is a zombie)."""
    if Path("/proc/self/cmdline").exists():
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return []
        return [part.decode(errors="replace") for part in raw.split(b"\0") if part]
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607
    return shown.stdout.split()


def end_left_over(pid_file: Path, is_ours: Callable[[int], bool], *, how: signal.Signals, seconds: float) -> None:
    """Ends what a killed supervisor left behind. `is_ours` judges the pid in the file: it may be another's by now."""
    pid = read_pid(pid_file)
    if pid is None or pid <= 1 or pid == os.getpid() or not is_ours(pid):
        return
    for sign, patience in ((how, seconds), (signal.SIGKILL, 5.0)):
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            return
        except PermissionError:
            raise ServiceError(
                "Process %(pid)s of an earlier start still runs and belongs to another user; end it first.", pid=pid
            ) from None
        if wait_until(lambda: not is_ours(pid), patience):
            return
    raise ServiceError("Process %(pid)s of an earlier start cannot be ended.", pid=pid)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Polls `condition` until it holds; `False` when `seconds` are over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True


def put_aside(log: Path) -> None:
    """A log that has grown long becomes ``NAME.log.1``, in place of an older one."""
    with suppress(FileNotFoundError):
        if log.stat().st_size > LONGEST_LOG:
            log.replace(log.with_name(f"{log.name}.1"))


def last_words(log: Path, since: int) -> str:
    """The line of a log, after the byte `since`, that says why: the last error of a Python traceback, else the last."""
    try:
        with log.open("rb") as file:
            file.seek(max(since, log.stat().st_size - 8192))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    said = [line.strip() for line in lines if line.strip()]
    errors = [line for line in said[-30:] if _ERROR.match(line)]
    return (errors or said or [""])[-1].rstrip(".")
