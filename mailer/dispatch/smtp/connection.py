"""One TCP connection to an SMTP server: bytes out, replies in, a deadline for each wait, and no more than that."""

import asyncio
import ssl
from collections import deque
from collections.abc import Iterable, Sequence

from mailer.dispatch.smtp.reply import Reply, ReplyParser
from mailer.errors import DeferredError
from mailer.i18n import N_

LOST = N_("The connection was lost.")
CLOSING = N_("The server closed the connection.")
SILENT = N_("The server did not answer in time.")
STUCK = N_("The server did not read on in time.")

# Content up to this goes out in one write, its final dot with it; longer content in such blocks, each when all before
# it has left this machine, and the dot with the last.
BLOCK = 64 * 1024

Block = Sequence[bytes | memoryview]


def in_blocks(pieces: Iterable[bytes]) -> Sequence[Block]:
    """The pieces of a content in blocks of at most `BLOCK` bytes; one that is longer is cut without being copied."""
    blocks: list[list[bytes | memoryview]] = [[]]
    room = BLOCK
    for piece in pieces:
        if len(piece) > room:
            blocks.append([])
            room = BLOCK
            if len(piece) > BLOCK:
                view = memoryview(piece)
                blocks[-1:] = [[view[at : at + BLOCK]] for at in range(0, len(piece), BLOCK)]
                room = -len(piece) % BLOCK
                continue
        blocks[-1].append(piece)
        room -= len(piece)
    return blocks if blocks[0] else blocks[1:]


class Connection(asyncio.Protocol):
    """Bytes and replies. Once `fault` says why, the connection is of no more use; `replies` that came before it count.

    Waiting costs no timer of its own: one watchdog per connection looks at `_deadline`, because two timers per message
    would be a tenth of its cost.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._parser = ReplyParser()
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._wanted = 0
        self._deadline = 0.0
        self._reason = SILENT
        self._watchdog: asyncio.TimerHandle | None = None
        self._is_paused = False
        self._closed: asyncio.Future[None] = loop.create_future()
        self.fault: str | None = None
        self.is_tls = False

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream's transport is always an asyncio.Transport

    def data_received(self, data: bytes) -> None:
        replies = self._parser.feed(data)
        if replies:
            self._replies.extend(replies)
            # After a 421 nothing follows, whether or not the server closes (RFC 5321 section 3.8).
            if replies[-1].code == 421:
                self._fail(CLOSING)
        if self._parser.fault is not None:
            self._fail(self._parser.fault)
        elif self._waiter is not None and len(self._replies) >= self._wanted:
            self._wake()

    def eof_received(self) -> bool:
        self._fail(LOST)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(LOST)
        if not self._closed.done():
            self._closed.set_result(None)

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        # Only who waits for room is woken, never who waits for a reply.
        if self._wanted == 0:
            self._wake()

    # --- what a session does ---

    @property
    def is_usable(self) -> bool:
        """Nothing has gone wrong, and nothing unasked was said (a 421 between messages, RFC 5321 section 3.8)."""
        return self.fault is None and not self._replies and self._is_open

    @property
    def _is_open(self) -> bool:
        # A transport closes some turns of the loop before `connection_lost` says so.
        return self._transport is not None and not self._transport.is_closing()

    @property
    def farewell(self) -> Reply | None:
        """What the server said unasked, if it did."""
        return self._replies[-1] if self._replies else None

    @property
    def local_host(self) -> str:
        """The address this connection comes from."""
        assert self._transport is not None
        return str(self._transport.get_extra_info("sockname")[0]).partition("%")[0]

    def write(self, data: bytes) -> None:
        transport = self._transport
        if self.fault is None and transport is not None and not transport.is_closing():
            transport.write(data)

    def write_lines(self, parts: Sequence[bytes | memoryview]) -> None:
        """As `write` of all of them joined, without joining."""
        transport = self._transport
        if self.fault is None and transport is not None and not transport.is_closing():
            transport.writelines(parts)

    def take_leave(self) -> bool:
        """Takes the answers to MAIL, RCPT and DATA where all three are here already, nothing else is, and they let the
        content go: so it is with nearly every message whose commands travelled ahead.
        """
        replies = self._replies
        if len(replies) != 3 or replies[2].code != 354 or replies[0].code != 250 or replies[1].code != 250:
            return False
        replies.clear()
        return True

    async def replies(self, count: int, seconds: float) -> list[Reply]:
        """The next `count` replies; fewer where the connection ended before them (`fault`)."""
        replies = self._replies
        if len(replies) < count and self.fault is None:
            await self._wait(count, seconds, SILENT)
        if count == 1 and replies:
            return [replies.popleft()]
        if len(replies) == count:
            taken = list(replies)
            replies.clear()
            return taken
        return [replies.popleft() for _ in range(min(count, len(replies)))]

    async def reply(self, seconds: float, stage: str) -> Reply:
        """The next reply. Raises `DeferredError` where none comes."""
        for reply in await self.replies(1, seconds):
            return reply
        raise DeferredError(self.fault or LOST, stage=stage)

    async def write_blocks(self, blocks: Iterable[Block], seconds: float) -> bool:
        """Writes long content but for its last block; returns whether it left this machine without a word from the
        server.

        Where it returns false, the final dot was not written: the message was not sent, whatever the server does.
        """
        transport = self._transport
        assert transport is not None
        # Every byte handed to the kernel before the next block, so that no dot waits behind bytes that never left.
        transport.set_write_buffer_limits(high=1, low=0)
        try:
            for block in blocks:
                if not self.is_usable:
                    return False
                transport.writelines(block)
                while self._is_paused and self.is_usable:
                    await self._wait(0, seconds, STUCK)
        finally:
            if self._is_open:
                transport.set_write_buffer_limits()
        return self.is_usable

    async def start_tls(self, context: ssl.SSLContext, host: str, seconds: float) -> None:
        """The TLS handshake. Raises `OSError`, of which `ssl.SSLError` is one, where it fails."""
        assert self._transport is not None
        transport = await self._loop.start_tls(
            self._transport, self, context, server_hostname=host, ssl_handshake_timeout=seconds
        )
        if transport is None:
            raise ConnectionResetError(LOST)
        self._transport = transport
        self.is_tls = True

    @property
    def is_quiet(self) -> bool:
        """Whether nothing has come that was not asked for, not even half a reply."""
        return self.is_usable and self._parser.is_clean

    def abort(self, reason: str = LOST) -> None:
        """Ends the connection at once, without QUIT."""
        self._fail(reason)

    async def quit(self, seconds: float) -> None:
        """QUIT, and its answer if it comes within `seconds`."""
        if self.is_usable:
            self.write(b"QUIT\r\n")
            await self.replies(1, seconds)
        self.abort()
        await self._closed

    # --- inside ---

    def _wait(self, count: int, seconds: float, reason: str) -> asyncio.Future[None]:
        """Done when `count` replies are there (0: when there is room to write), or `fault` says why they never will."""
        self._wanted = count
        self._deadline = deadline = self._loop.time() + seconds
        watchdog = self._watchdog
        if watchdog is None or watchdog.when() > deadline:
            if watchdog is not None:
                watchdog.cancel()
            self._watchdog = self._loop.call_at(deadline, self._watch)
        self._reason = reason
        self._waiter = waiter = self._loop.create_future()
        return waiter

    def _watch(self) -> None:
        self._watchdog = None
        if self._waiter is None or self._waiter.done():
            return
        if self._loop.time() >= self._deadline:
            self._fail(self._reason)
        else:
            self._watchdog = self._loop.call_at(self._deadline, self._watch)

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        # Done already where whoever waited was cancelled.
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _fail(self, reason: str) -> None:
        if self.fault is None:
            self.fault = reason
            if self._watchdog is not None:
                self._watchdog.cancel()
                self._watchdog = None
            if self._transport is not None:
                self._transport.abort()
        self._wake()
