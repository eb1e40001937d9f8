"""Documents of strangers are read in a process of their own: bounded time and memory, no secrets, no files written.

A crash of a library, a decompression bomb or an endless loop ends that process and nothing else. What comes back is
JSON and pictures' bytes, never a pickle: a reader that was taken over can lie about the document, and no more.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from typing import IO, cast

from mailer.errors import UnreadableError
from mailer.i18n import N_
from mailer.newsroom.readers.content import DocumentContent
from mailer.newsroom.readers.kinds import Kind
from mailer.newsroom.readers.limits import Limits
from mailer.newsroom.readers.packing import STEP, unpacked
from mailer.newsroom.readers.telling import Step

# Windows programs do not start without it; nothing else of the environment is handed on.
_KEPT = ("SYSTEMROOT", "PATH")
_LONGEST_STEP = 64


def read_confined(content: bytes, kind: Kind, limits: Limits, tell: Step | None = None) -> DocumentContent:
    """What the reader of `kind` makes of a file; `tell` hears how far it has come. Raises `UnreadableError` for
    everything that can go wrong.
    """
    command = [sys.executable, "-I", "-m", "mailer.newsroom.readers.child", kind.value, json.dumps(asdict(limits))]
    with subprocess.Popen(  # noqa: S603  (our own program)
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=child_environment(),
        # A group of its own, since a long PDF is read by two.
        start_new_session=True,
    ) as process:
        clock = threading.Timer(limits.seconds + 5, _end, [process])
        feeder = threading.Thread(target=_feed, args=(process.stdin, content))
        clock.start()
        feeder.start()
        try:
            # The child cannot have more in its memory than this, so what says more is no answer.
            answer = _hear(cast("IO[bytes]", process.stdout), limits.memory, tell)
            if answer is None:
                _end(process)
            process.wait()
        finally:
            _end(process)
            clock.cancel()
            feeder.join()
    if process.returncode or answer is None:
        # Killed for its time or memory, or crashed: which of them it was says nothing to an editor.
        raise _too_costly(limits)
    return unpacked(answer)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the reading process and what it started, wherever they are."""
    if hasattr(os, "killpg"):
        # It may have ended already; of one that has and was not waited for, macOS says that it is not ours.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def _feed(stdin: IO[bytes] | None, content: bytes) -> None:
    """Hands the file over; a child that has ended needs no more of it."""
    if stdin is not None:
        with suppress(OSError), stdin:
            stdin.write(content)


def _hear(stdout: IO[bytes], limit: int, tell: Step | None) -> bytes | None:
    """The answer, after the steps before it; `None` where there is none, or one longer than `limit`."""
    while (head := stdout.read(1)) == STEP:
        done, _, total = stdout.readline(_LONGEST_STEP).partition(b" ")
        if not (done.isdigit() and total.rstrip().isdigit()):
            return None
        if tell is not None:
            tell(int(done), int(total))
    rest = stdout.read(limit + 1)
    return None if not head or len(rest) > limit else head + rest


def child_environment() -> dict[str, str]:
    """What the reading process is told of its surroundings: none of the service's settings, so none of its secrets."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


def _too_costly(limits: Limits) -> UnreadableError:
    return UnreadableError(
        N_(
            "Reading the document took more than %(seconds)d seconds or %(memory)d MiB, or it is damaged. "
            "Save it again, with smaller pictures or in parts, and try that."
        ),
        seconds=limits.seconds,
        memory=limits.memory // 2**20,
    )
