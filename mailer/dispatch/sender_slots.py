"""How many processes of one host send mailings at a time: slots, each a file that its holder locks.

A worker's processes serve every queue. Were all of them to send a mailing, a letter would wait for its end; with fewer
slots than processes there is always one free for letters and upkeep. The kernel frees a dead process's slot at once.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def sender_slot(directory: Path, count: int, *, purpose: str = "sender") -> Iterator[bool]:
    """Whether one of `count` slots was free; it is held until the block ends. Never waits."""
    directory.mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        descriptor = os.open(directory / f"{purpose}-{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        try:
            yield True
        finally:
            os.close(descriptor)
        return
    yield False
