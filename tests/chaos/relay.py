"""The relay of the chaos tests: the scripted server in a process of its own, so that nobody's death disturbs it.

Each message taken is one line of a log, ``<time> <recipient>``, written before its reply: the server's own word on
who was mailed and how often. A misbehaviour waits for recipients of its own domain, once for each of them::

    python -m tests.chaos.relay --port 2525 --log FILE --late 0.05 --script greylist --script hostile
"""

import argparse
import collections
import itertools
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from tests.dispatch.sink import DROP, HANG, RESET, Answer, Flood, Late, Message, Sink, Slow, Step, Then

GARBAGE = b"\x00\xff\xfe utter nonsense\r\n"
# 1 GB in one line that never ends.
GIGABYTE = Flood(b"2" * 65_536)
LONG_WINDED = Slow(1.0, "250 one byte a second, far longer than anybody waits")

# What a server does to a recipient, by the first label of the address's domain: the step at which, and what.
HOSTILE: dict[str, tuple[str, Answer]] = {
    f"{stage}-{name}": (stage, fault)
    for stage, (name, fault) in itertools.product(
        ("rcpt", "data", "content"),
        {
            "drop": DROP, "reset": RESET, "silence": HANG, "trickle": LONG_WINDED, "garbage": GARBAGE,
            "gigabyte": GIGABYTE,
        }.items(),
    )
} | {"body-drop": ("body", DROP)}  # fmt: skip
RATE_REPLIES: dict[str, str] = {
    "qq.com": "550 Domain frequency limited https://service.mail.qq.com/detail/122/1018",
    "foxmail.com": "451 4.7.0 Connection frequency limited",
    "163.com": "554 HL:ITC too many emails from this IP today",
    "126.com": "451 MI:SFQ too many messages in fifteen minutes",
}


class Once:
    """Whether an address is seen for the first time."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def __call__(self, recipient: str) -> bool:
        is_new = recipient not in self._seen
        self._seen.add(recipient)
        return is_new


def greylist(sink: Sink) -> None:
    """451 at first sight of each recipient."""
    is_first = Once()
    sink.answer("rcpt", "451 4.7.1 Greylisted, try again later", when=lambda step: is_first(step.recipient))


def greylist_some(sink: Sink) -> None:
    """The same for one domain."""
    is_first = Once()
    sink.answer(
        "rcpt",
        "451 4.7.1 Greylisted, try again later",
        when=lambda step: step.recipient.endswith("@grey.example.org") and is_first(step.recipient),
    )


def refuse_some(sink: Sink) -> None:
    """550 5.1.1 for one recipient in two hundred, by the number in the address."""
    sink.answer("rcpt", "550 5.1.1 No such user here", when=lambda step: is_refused(step.recipient))


def is_refused(address: str) -> bool:
    return int(address.partition("@")[0][1:]) % 200 == 0


def limit_providers(sink: Sink) -> None:
    """QQ and NetEase say "slow down", with 5xx and with 4xx, at first sight of each of their recipients."""
    is_first = Once()
    for domain, reply in RATE_REPLIES.items():

        def matches(step: Step, domain: str = domain) -> bool:
            return step.recipient.endswith(f"@{domain}") and is_first(step.recipient)

        sink.answer("rcpt", reply, when=matches)


def be_hostile(sink: Sink) -> None:
    """Everything of `HOSTILE`, once for each recipient; and 421 or a hang-up instead of the first few MAILs."""
    is_first = Once()
    sink.answer("mail", Then("421 4.3.2 Service shutting down", DROP), when=lambda step: step.messages > 0, times=5)
    sink.answer("mail", DROP, when=lambda step: step.messages > 0, times=5)
    for name, (stage, fault) in HOSTILE.items():

        def matches(step: Step, name: str = name) -> bool:
            return step.recipient.partition("@")[2].startswith(f"{name}.") and is_first(step.recipient)

        sink.answer(stage, fault, when=matches)


SCRIPTS: dict[str, Callable[[Sink], None]] = {
    "greylist": greylist,
    "greylist-some": greylist_some,
    "refuse-some": refuse_some,
    "limit-providers": limit_providers,
    "hostile": be_hostile,
}


class LoggingSink(Sink):
    """Remembers nothing but its log: a hundred thousand messages are no burden."""

    def keep_log(self, path: Path) -> None:
        self._log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.keeps_content = False
        # The tests' list of everything heard, forgotten at once.
        self.segments = collections.deque(maxlen=0)  # type: ignore[assignment]
        self.commands = collections.deque(maxlen=0)  # type: ignore[assignment]

    def _keep(self, message: Message) -> None:
        for recipient in message.recipients:
            os.write(self._log, f"{time.time():.6f} {recipient}\n".encode())


class Relay:
    """The test's handle: starts and ends the process, and reads its log."""

    def __init__(self, folder: Path, port: int, *scripts: str, late: float = 0.0) -> None:
        self.port = port
        self.log = folder / "relay.log"
        self._log_read = 0
        self._reading = threading.Lock()
        self._taken: list[tuple[float, str]] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._command = [sys.executable, "-m", "tests.chaos.relay", "--port", str(port), "--log", str(self.log)]
        self._command += ["--late", str(late), *itertools.chain(*(("--script", name) for name in scripts))]

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Returns when its port is open: it says so in one line."""
        root = Path(__file__).parents[2]
        self._process = subprocess.Popen(self._command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"open\n"
        return self

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process = None

    def taken(self) -> list[tuple[float, str]]:
        """(when, recipient) of every message taken so far, in order."""
        self._read()
        with self._reading:
            return list(self._taken)

    def count(self) -> int:
        self._read()
        return len(self._taken)

    def counts(self) -> Counter[str]:
        return Counter(recipient for _, recipient in self.taken())

    def _read(self) -> None:
        if not self.log.exists():
            return
        # The watcher reads in a thread of its own.
        with self._reading, self.log.open("rb") as file:
            file.seek(self._log_read)
            whole, _, _ = file.read().rpartition(b"\n")
            if whole:
                self._log_read += len(whole) + 1
                self._taken.extend(_parse(whole))


def _parse(lines: bytes) -> Iterator[tuple[float, str]]:
    for line in lines.decode().split("\n"):
        at, _, recipient = line.partition(" ")
        yield float(at), recipient


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--late", type=float, default=0.0)
    parser.add_argument("--script", action="append", default=[], choices=SCRIPTS)
    arguments = parser.parse_args()
    sink = LoggingSink(port=arguments.port)
    sink.keep_log(arguments.log)
    for name in arguments.script:
        SCRIPTS[name](sink)
    if arguments.late:
        sink.answer("content", Late(arguments.late))
    sink.start()
    print("open", flush=True)  # noqa: T201
    # Until it is killed, or whoever started it is gone: then its end of the pipe is closed.
    sys.stdin.read()


if __name__ == "__main__":
    main()
