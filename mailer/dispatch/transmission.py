"""The message loop: envelopes in, results out, over a few persistent connections to one relay."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from mailer.dispatch.envelopes import Envelope, Result
from mailer.dispatch.journal import Journal
from mailer.dispatch.smtp_relay import RelayAddress, Timeouts

__all__ = ["Envelope", "RelayAddress", "Result", "Timeouts", "Transmitter", "new_event_loop", "send_one"]


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Uvloop's where it is installed. For ``asyncio.Runner(loop_factory=new_event_loop)``, one per worker process."""
    raise NotImplementedError


class Transmitter:
    """Sends to one relay and keeps its connections from one `send` to the next; one per worker process and relay.

    It belongs to the event loop of its first `send`. `journal` gets an intent before each content and its reply before
    the next content on that connection.
    """

    def __init__(self, relay: RelayAddress, journal: Journal | None, *, timeouts: Timeouts | None = None) -> None:
        raise NotImplementedError

    def send(
        self,
        envelopes: Iterable[Envelope],
        *,
        may_send: Callable[[Envelope], Awaitable[bool]] | None = None,
        pace: Callable[[Envelope], Awaitable[None]] | None = None,
    ) -> AsyncIterator[Result]:
        """An async generator: one `Result` for each envelope taken from `envelopes`, as they come.

        `envelopes` may be a lazy iterable that claims more when asked: it is pulled as connections become free.
        `pace` is awaited before an envelope's MAIL, `may_send` after it; pass `None` where nothing is limited: only
        then can a message's commands travel with its predecessor's content (one round trip per message, not two).
        A relay that cannot be reached gives every envelope a deferred `Result` with `is_relay_fault`, at once.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """Takes no more envelopes; what is on its way is finished and the running `send` ends by itself."""
        raise NotImplementedError

    async def close(self) -> None:
        """QUIT on every connection."""
        raise NotImplementedError


def send_one(
    relay: RelayAddress, envelope: Envelope, *, journal: Journal | None = None, timeouts: Timeouts | None = None
) -> Result:
    """Sends one message on a connection of its own and waits for its outcome; for letters and proofs."""
    raise NotImplementedError
