"""What a worker process keeps from one task to the next: an event loop, open connections, its journals, its tokens.

Made on first use and never inherited: a forked child makes its own.
"""

import asyncio
import logging
import os
import re
import secrets
import socket
import threading
from collections.abc import Callable, Collection, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from mailer.dispatch.journal import Journal
from mailer.dispatch.pace.buckets import Meter, Pacer, connect
from mailer.dispatch.pace.places import Places
from mailer.dispatch.smtp.relay import RelayAddress, Timeouts
from mailer.dispatch.smtp.transmission import Transmitter, new_event_loop
from mailer.settings import get_settings

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

CLOSE_SECONDS = 5.0


def journal_directory() -> Path:
    """Where workers keep their journals; it must outlive the process and its container."""
    return get_settings().data_dir / "journals"


def run_directory() -> Path:
    """Where locks lie that mean something only while a process lives."""
    return get_settings().data_dir / "run"


def new_key() -> str:
    """A journal key that no other process ever has: host, process, and chance. No dot or slash in it."""
    host = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:24]
    return f"{host}-{os.getpid()}-{secrets.token_hex(4)}"


@dataclass
class Channel:
    """One purpose's own journal and connections: letters never share a mailing's."""

    key: str
    journal: Journal
    transmitters: dict[RelayAddress, Transmitter] = field(default_factory=dict)
    _claims: int = 0

    def new_token(self) -> str:
        """The name of a claim, new for each."""
        self._claims += 1
        return str(self._claims)

    async def keep_only(self, relays: Collection[RelayAddress]) -> None:
        """Leaves the relays that are no longer in use. Not while anything is sent."""
        for old in [address for address in self.transmitters if address not in relays]:
            await self.transmitters.pop(old).close()

    def transmitter(self, relay: RelayAddress) -> Transmitter:
        """The one for `relay`, with the connections it has kept."""
        if relay not in self.transmitters:
            self.transmitters[relay] = Transmitter(relay, self.journal, timeouts=Timeouts.from_settings())
        return self.transmitters[relay]


class SendingProcess:
    """The event loop in a thread of its own, so that idle connections are looked after between two tasks."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        key = new_key()
        self.mailings = Channel(key, Journal(journal_directory(), key))
        self.letters = Channel(f"{key}-letters", Journal(journal_directory(), f"{key}-letters"))
        redis = connect(get_settings().redis_url.get_secret_value())
        self.pacer = Pacer(redis)
        self.places = Places(redis, key)
        self.meter = Meter(redis)
        # Tokens taken from Redis and not used when a task ended, by what they were taken from.
        self.spare_tokens: dict[str, tuple[float, int]] = {}
        # (when, how many) were settled over each relay, in the last second or so.
        self.settled_lately: dict[str, list[tuple[float, int]]] = {}
        # How many deliveries of a mailing were refused one after the other, none taken in between.
        self.refused_in_a_row: dict[int, int] = {}
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="ledger")
        self._loop = new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs `work` on the loop and waits for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a blocking call (the database, Redis) without holding up the wire."""
        return await self._loop.run_in_executor(self._threads, lambda: call(*args, **kwargs))

    def background(self, call: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Runs a blocking call that nobody waits for and that never raises."""
        self._threads.submit(call, *args, **kwargs)

    def close(self) -> None:
        """QUIT on every connection; the journals in which all is settled are deleted."""
        channels = (self.mailings, self.letters)
        try:
            asyncio.run_coroutine_threadsafe(self._hang_up(channels), self._loop).result(CLOSE_SECONDS)
        except TimeoutError:
            logger.warning("a relay did not let go of its connections in time")
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_SECONDS)
        self._loop.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        for channel in channels:
            channel.journal.close()

    @staticmethod
    async def _hang_up(channels: tuple[Channel, ...]) -> None:
        for channel in channels:
            for transmitter in channel.transmitters.values():
                await transmitter.close()


_process: SendingProcess | None = None


def get_process() -> SendingProcess:
    """What this process has, made on first use."""
    global _process  # noqa: PLW0603  (one per process, by nature)
    if _process is None or _process.pid != os.getpid():
        _process = SendingProcess()
    return _process


def close_process() -> None:
    """Ends it, if there is one: a worker that stops says goodbye to its relay."""
    global _process  # noqa: PLW0603
    if _process is not None and _process.pid == os.getpid():
        _process.close()
    _process = None
