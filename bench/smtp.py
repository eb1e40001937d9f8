"""The message loop against Postfix's `smtp-source`, both into Postfix's `smtp-sink`, in one run.

    python bench/smtp.py [--messages 30000] [--bytes 5000] [--connections 10] [--rounds 3] [--json]

Needs `smtp-sink` and `smtp-source` (Debian package postfix). No PostgreSQL and no Redis: this is the wire alone, with
the journal. Each round runs both, one after the other, so that a noisy machine disturbs both; the best of each counts.
"""

import argparse
import asyncio
import json
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from mailer.dispatch.journal import Journal
from mailer.dispatch.rules import Outcome
from mailer.dispatch.smtp.message import stuff
from mailer.dispatch.smtp.transmission import Envelope, RelayAddress, Transmitter, new_event_loop

PLACES = "/usr/sbin:/usr/local/sbin:/usr/bin"
BATCH = 500


@dataclass(frozen=True)
class Figure:
    """Messages a second, and microseconds of CPU for each message in the sending process."""

    messages_per_second: float
    cpu_us: float


def find(program: str) -> str:
    found = shutil.which(program, path=PLACES)
    if found is None:
        sys.exit(f"{program} is not installed (Debian package postfix)")
    return found


def start_sink() -> tuple[subprocess.Popen[bytes], int]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [find("smtp-sink"), "-u", "nobody", "-c", f"127.0.0.1:{port}", "1000"], stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return process, port
    process.terminate()
    sys.exit("smtp-sink did not start")


def run_source(port: int, messages: int, size: int, connections: int) -> Figure:
    """Postfix's own generator; `-d` keeps its connections."""
    command = [
        find("smtp-source"),
        "-d",
        "-s",
        str(connections),
        "-m",
        str(messages),
        "-l",
        str(size),
        f"127.0.0.1:{port}",
    ]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Figure(messages / seconds, cpu / messages * 1e6)


def make_content(size: int) -> Callable[[int], bytes]:
    """A message with one slot in it, as the press fills them: the static stretches ready, joined per recipient."""
    line = b"x" * 74 + b"\r\n"
    body = (line * (size // len(line) + 1))[: max(0, size - 80)]
    head, tail = b"Subject: bench\r\nTo: ", b"\r\n\r\n" + bytes(stuff(body))
    return lambda number: b"".join((head, b"reader%d@example.org" % number, tail))


def run_mailer(port: int, messages: int, size: int, connections: int) -> Figure:
    content = make_content(size)
    relay = RelayAddress.from_url(f"smtp://127.0.0.1:{port}", connections=connections, messages_per_connection=10**9)

    def envelopes(first: int) -> Iterator[Envelope]:
        for number in range(first, min(first + BATCH, messages)):
            yield Envelope(
                number,
                "bounce@example.org",
                f"reader{number}@example.org",
                "other",
                content(number),
                "token",
                is_ready=True,
            )

    async def send() -> int:
        accepted = 0
        with tempfile.TemporaryDirectory() as directory:
            journal = Journal(Path(directory), "bench")
            transmitter = Transmitter(relay, journal)
            for first in range(0, messages, BATCH):
                done = [result async for result in transmitter.send(list(envelopes(first)))]
                accepted += sum(result.outcome is Outcome.ACCEPTED for result in done)
                journal.settled(result.delivery_id for result in done)
            await transmitter.close()
            journal.close()
        return accepted

    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        accepted = runner.run(send())
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    if accepted != messages:
        sys.exit(f"only {accepted} of {messages} were accepted")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Figure(messages / seconds, cpu / messages * 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=30_000)
    parser.add_argument("--bytes", type=int, default=5_000)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    given = (options.messages, options.bytes, options.connections)
    sink, port = start_sink()
    try:
        rounds = [(run_source(port, *given), run_mailer(port, *given)) for _ in range(options.rounds)]
    finally:
        sink.terminate()
        sink.wait()
    source = max((pair[0] for pair in rounds), key=lambda figure: figure.messages_per_second)
    mailer = max((pair[1] for pair in rounds), key=lambda figure: figure.messages_per_second)
    ratio = {
        "messages_per_second": mailer.messages_per_second / source.messages_per_second,
        "cpu": mailer.cpu_us / source.cpu_us,
    }
    if options.json:
        print(json.dumps({"smtp-source": asdict(source), "mailer": asdict(mailer), "ratio": ratio}))
        return
    print(f"{options.messages} messages of {options.bytes} bytes over {options.connections} connections")
    for name, figure in (("smtp-source", source), ("mailer", mailer)):
        print(f"{name:12} {figure.messages_per_second:9.0f} messages/s {figure.cpu_us:7.1f} us CPU each")
    print(f"{'ratio':12} {ratio['messages_per_second']:9.2f}            {ratio['cpu']:7.2f}")


if __name__ == "__main__":
    main()
