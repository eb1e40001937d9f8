"""Messages made and signed ahead of the wire, in threads of their own.

An RSA signature costs four times what sending a message does, and OpenSSL lets other threads run meanwhile: so it is
made from the moment an envelope is taken, while its MAIL and RCPT travel, on whatever core is free.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

# More would only wait for the wire: beyond it one process has other limits.
MOST_THREADS = 4

_pool: tuple[int, ThreadPoolExecutor] | None = None


def begin(make: Callable[[], bytes]) -> Callable[[], bytes]:
    """Begins `make` in a thread. What is returned waits for the bytes, or raises what `make` raised."""
    return _get_pool().submit(make).result


def _get_pool() -> ThreadPoolExecutor:
    """The process has its own: threads do not survive a fork."""
    global _pool  # noqa: PLW0603  (one per process, by nature)
    if _pool is None or _pool[0] != os.getpid():
        threads = min(MOST_THREADS, os.cpu_count() or 1)
        _pool = os.getpid(), ThreadPoolExecutor(threads, thread_name_prefix="dkim")
    return _pool[1]
