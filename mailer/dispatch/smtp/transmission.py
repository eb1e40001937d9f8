"""The message loop: envelopes in, results out, over a few persistent connections to one relay."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable, Sized

from mailer.dispatch.envelopes import Envelope, Result
from mailer.dispatch.journal import Journal
from mailer.dispatch.replies import judge, judge_silence
from mailer.dispatch.smtp.exchange import Exchange, make_result
from mailer.dispatch.smtp.lane import HELD_BACK, WITHHELD, Lane
from mailer.dispatch.smtp.parcel import Entry
from mailer.dispatch.smtp.relay import RelayAddress, Timeouts
from mailer.dispatch.smtp.reply import Reply
from mailer.dispatch.smtp.run import MaySend, Pace, Run
from mailer.dispatch.smtp.session import Session, open_session
from mailer.errors import DeferredError
from mailer.i18n import N_

__all__ = ["Envelope", "RelayAddress", "Result", "Timeouts", "Transmitter", "new_event_loop", "send_one"]

logger = logging.getLogger(__name__)

BARREN = N_("The relay closed its connections before it answered for any message.")

# A lane that lost this many connections in a row without an answer to any message gives up: the relay fails for all.
BARREN_LIMIT = 2


def new_event_loop() -> asyncio.AbstractEventLoop:
    """The fastest there is. For ``asyncio.Runner(loop_factory=new_event_loop)``, one per worker process."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


class Transmitter:
    """Sends to one relay and keeps its connections from one `send` to the next; one per worker process and relay.

    It belongs to the event loop of its first `send`, and runs one `send` at a time. `journal` gets an intent before
    each content and its reply before the next content on that connection; none where nobody would read it.
    """

    def __init__(self, relay: RelayAddress, journal: Journal | None, *, timeouts: Timeouts | None = None) -> None:
        self.relay = relay
        self._journal = journal
        self._timeouts = timeouts or Timeouts()
        self._idle: list[Session] = []
        self._leaving: set[asyncio.Task[None]] = set()
        self._run: Run | None = None
        self._sweeper: asyncio.TimerHandle | None = None

    async def send(
        self, envelopes: Iterable[Envelope | None], *, may_send: MaySend | None = None, pace: Pace | None = None
    ) -> AsyncGenerator[Result, None]:
        """One `Result` for each envelope taken from `envelopes`, as they come.

        `envelopes` may be a lazy iterable that claims more when asked: it is pulled as connections become free, and
        what it raises is raised here once all that was taken has its result. So is an `OSError` of the journal. A
        `None` among them says that there is none just now: it is asked again a few milliseconds later.

        `pace(envelope)` is asked before an envelope's MAIL: `None` lets it go, an awaitable is waited for.
        `may_send(envelope)` is asked after it, and again before the content where that was over two seconds ago: a
        bool, or an awaitable of one; false gives a deferred result of class ``withheld``. Both are best answered
        without waiting: only then do a message's commands travel with its predecessor's content.

        A relay that lets nobody in gives every envelope that was taken (of a sequence: all) a deferred result with
        `is_relay_fault`, at once. After `stop`, envelopes not yet taken have no result.
        """
        run = self._run = Run(envelopes, may_send, pace)
        lanes: list[asyncio.Task[None]] = []
        count = min(self.relay.connections, len(envelopes)) if isinstance(envelopes, Sized) else self.relay.connections
        # Two turns of the loop, so that what servers said while it stood still is heard before a connection is used.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        try:
            answered = -1
            # Again while it makes progress: a lane that a relay turned away may have left work to those that ended.
            while run.has_more and run.answered > answered:
                answered = run.answered
                lanes = [asyncio.create_task(self._work(run)) for _ in range(count)]
                for lane in lanes:
                    lane.add_done_callback(run.wake)
                while run.results or not all(lane.done() for lane in lanes):
                    while run.results:
                        yield run.results.popleft()
                    run.made_room()
                    if not all(lane.done() for lane in lanes):
                        await run.wait()
            for entry in run.left_over():
                yield self._unsent(entry, run)
            if run.error is not None:
                raise run.error
        finally:
            self._run = None
            for lane in lanes:
                lane.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)
            self._look_after_idle()

    def stop(self) -> None:
        """Takes no more envelopes; what is on its way is finished and the running `send` ends by itself."""
        if self._run is not None:
            self._run.stop()

    async def close(self) -> None:
        """QUIT on every connection; waits for the answers no longer than `Timeouts.quit`."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for session in self._idle:
            self._retire(session)
        self._idle.clear()
        await asyncio.gather(*self._leaving)

    async def _work(self, run: Run) -> None:
        """One of several that share the work: a session at a time, for as long as the relay is of use."""
        barren = 0
        try:
            while barren < BARREN_LIMIT and (entry := await run.next()) is not None:
                session = await self._find_session(run)
                if session is None:
                    run.give_back(entry)
                    return
                answered = run.answered
                lane = Lane(run, Exchange(session, self.relay, self._timeouts, self._journal), self.relay)
                await lane.converse(entry)
                if lane.is_fresh:
                    self._idle.append(session)
                else:
                    self._retire(session)
                barren = barren + 1 if run.answered == answered else 0
        except Exception as error:
            logger.exception("a lane to relay %s ended", self.relay.name)
            run.fail(error)

    async def _find_session(self, run: Run) -> Session | None:
        """One that is open already, or a new one; `None` where the relay does not let us in (`run.fault`)."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            session = self._idle.pop()
            if session.is_fresh(self.relay, now):
                return session
            self._retire(session)
        try:
            return await open_session(self.relay, self._timeouts)
        except DeferredError as fault:
            run.fault = fault
            return None

    def _look_after_idle(self) -> None:
        """Leaves the connections that are of no more use, now and again when they have been idle too long."""
        now = asyncio.get_running_loop().time()
        fresh = [session for session in self._idle if session.is_fresh(self.relay, now)]
        for session in self._idle:
            if session not in fresh:
                self._retire(session)
        self._idle = fresh
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        if fresh:
            ends_at = min(session.used_at for session in fresh) + self.relay.idle_seconds
            self._sweeper = asyncio.get_running_loop().call_at(ends_at + 0.01, self._look_after_idle)

    def _retire(self, session: Session) -> None:
        task = asyncio.create_task(session.connection.quit(self._timeouts.quit))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _unsent(self, entry: Entry, run: Run) -> Result:
        """The result of an envelope that found no connection."""
        if run.is_stopped:
            return make_result(entry.envelope.delivery_id, HELD_BACK, self.relay, stage="connect", text=WITHHELD)
        fault = run.fault or DeferredError(BARREN)
        if fault.code is None:
            verdict = judge_silence(fault.stage)
            return make_result(entry.envelope.delivery_id, verdict, self.relay, stage=fault.stage, text=fault.reply)
        verdict = judge(fault.stage, fault.code, fault.enhanced, fault.reply)
        reply = Reply(fault.code, tuple(fault.reply.encode().split(b"\n")))
        return make_result(entry.envelope.delivery_id, verdict, self.relay, stage=fault.stage, reply=reply)


def send_one(
    relay: RelayAddress, envelope: Envelope, *, journal: Journal | None = None, timeouts: Timeouts | None = None
) -> Result:
    """Sends one message on a connection of its own and waits for its outcome; for letters and proofs.

    Not to be called where an event loop runs. Raises `OSError` where the journal cannot be written.
    """

    async def alone() -> Result:
        transmitter = Transmitter(relay, journal, timeouts=timeouts)
        try:
            results = [result async for result in transmitter.send([envelope])]
        finally:
            await transmitter.close()
        return results[0]

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(alone())
