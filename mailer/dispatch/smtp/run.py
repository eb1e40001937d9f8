"""One `send`: where its envelopes come from, who may go, and where its results wait."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sized

from mailer.dispatch.envelopes import Envelope, Result
from mailer.dispatch.smtp.parcel import Entry
from mailer.errors import DeferredError

# Leave to send: a bool, or an awaitable of one.
Leave = Awaitable[bool] | bool
MaySend = Callable[[Envelope], Leave]
Pace = Callable[[Envelope], Awaitable[None] | None]

# Results that wait for whoever asked for them, before no more is sent.
UNREAD_LIMIT = 1000
# How soon a lane asks again where all that is left has to wait for a place at its provider.
LULL_SECONDS = 0.005


class Run:
    """Hands out envelopes one by one, takes back those whose connection broke, and keeps results until they are read.

    An error of the envelopes' iterator or of the journal ends it: what is on its way is finished, then `error` is
    raised to whoever reads the results.
    """

    def __init__(self, envelopes: Iterable[Envelope | None], may_send: MaySend | None, pace: Pace | None) -> None:
        self._source: Iterator[Envelope | None] = iter(envelopes)
        self._is_sized = isinstance(envelopes, Sized)
        self._returned: deque[Entry] = deque()
        self._may_send = may_send
        self._pace = pace
        self._is_dry = False
        # The source had nothing to give just now, and may have later.
        self._is_lull = False
        self._stopping = asyncio.get_running_loop().create_future()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self.results: deque[Result] = deque()
        self.answered = 0
        self.fault: DeferredError | None = None
        self.error: Exception | None = None

    # --- the lanes' side ---

    @property
    def is_stopped(self) -> bool:
        return self._stopping.done()

    def stop(self) -> None:
        if not self._stopping.done():
            self._stopping.set_result(None)
            self._room.set()

    def fail(self, error: Exception) -> None:
        """Ends the run for a reason that no relay has to do with."""
        if self.error is None:
            self.error = error
        self.stop()

    def take(self) -> Entry | None:
        """The next envelope, one that was given back before any new one; `None` where there is none to be had."""
        if self._stopping.done():
            return None
        if self._returned:
            return self._returned.popleft()
        if self._is_dry or len(self.results) >= UNREAD_LIMIT:
            return None
        try:
            envelope = next(self._source)
            self._is_lull = envelope is None
            return Entry(envelope) if envelope is not None else None
        except StopIteration:
            self._is_dry = True
        except Exception as error:  # noqa: BLE001  (the caller's iterator: whatever it raises is raised to the caller)
            self.fail(error)
        return None

    async def next(self) -> Entry | None:
        """As `take`, after there is room for its result. `None`: nothing is left, or the run was stopped."""
        while True:
            while len(self.results) >= UNREAD_LIMIT and not self._stopping.done():
                self._room.clear()
                await self._room.wait()
            self._is_lull = False
            entry = self.take()
            if entry is not None or not self._is_lull:
                return entry
            await asyncio.sleep(LULL_SECONDS)

    def give_back(self, entry: Entry) -> None:
        self._returned.append(entry)

    def put(self, result: Result) -> None:
        self.results.append(result)
        self._arrived.set()

    def admit(self, envelope: Envelope) -> Leave:
        """Whether it may go now; something to await where that takes time."""
        if self._pace is not None:
            wait = self._pace(envelope)
            if wait is not None:
                return self._admit_later(envelope, wait)
        return True if self._may_send is None else self._may_send(envelope)

    async def _admit_later(self, envelope: Envelope, wait: Awaitable[None]) -> bool:
        """Waits, but not longer than the run lasts."""
        waiting = asyncio.ensure_future(wait)
        try:
            await asyncio.wait((waiting, self._stopping), return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                return False
            waiting.result()
        finally:
            waiting.cancel()
        return await self.still_may(envelope)

    async def still_may(self, envelope: Envelope) -> bool:
        """Asks (again) whether it may be sent."""
        return True if self._may_send is None else await settled(self._may_send(envelope))

    # --- the reader's side ---

    @property
    def has_more(self) -> bool:
        """Whether envelopes are left that nobody works on."""
        return bool(self._returned) or not (self._is_dry or self._stopping.done())

    def left_over(self) -> Iterator[Entry]:
        """What was taken and never sent; all the rest too where the envelopes were a sequence."""
        yield from self._returned
        self._returned.clear()
        if self._is_sized and not self._stopping.done():
            yield from (Entry(envelope) for envelope in self._source if envelope is not None)

    async def wait(self) -> None:
        """Until a result comes, or `wake`."""
        await self._arrived.wait()
        self._arrived.clear()

    def wake(self, _: object = None) -> None:
        self._arrived.set()

    def made_room(self) -> None:
        if len(self.results) < UNREAD_LIMIT:
            self._room.set()


async def settled(answer: Leave) -> bool:
    """The answer itself, awaited where it has to be."""
    return answer if isinstance(answer, bool) else await answer
