"""One run of sending: claims, the wire and settlements, all at the same time, for a few seconds.

Claims are fetched in a thread while the ones before are on the wire; outcomes are settled in small sets behind it. No
transaction is open while anybody waits for the network. What has waited for two seconds is looked at again before it
goes out: whether the mailing still runs, the claim is still ours, and the reader may still be written to.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterator
from itertools import islice

from sqlalchemy.exc import DBAPIError

from mailer.db import session_scope
from mailer.dispatch import claiming, outcomes
from mailer.dispatch.claiming import Batch, Claim
from mailer.dispatch.envelopes import Envelope, Result
from mailer.dispatch.holding import Holding
from mailer.dispatch.orders import Order, RunReport
from mailer.dispatch.outcomes import Settlement
from mailer.dispatch.quotas import Quotas
from mailer.dispatch.relays.shares import Shares
from mailer.dispatch.rules import MailingState, Outcome
from mailer.dispatch.sending_process import SendingProcess
from mailer.dispatch.settling_queue import SettlingQueue
from mailer.dispatch.smtp.transmission import Transmitter
from mailer.settings import get_settings

logger = logging.getLogger(__name__)

# A database that did not answer is asked again.
RETRY_SECONDS = 0.5
# How long a run goes on with the others while a provider that takes its time has mail of ours in hand.
OVERTIME_SECONDS = 60.0
# A claim that found nothing is tried again.
LULL_SECONDS = 0.1
# Refusals one after the other, with nothing taken in between, that stop a mailing for a person to look at.
REFUSED_IN_A_ROW = 50
# Faults of the relay one after the other, each in a transaction of its own, that make an outage of it.
FAULTS_IN_A_ROW = 20


class Run:
    """Lives on the process's event loop; everything but the calls handed to threads happens there."""

    def __init__(self, order: Order, process: SendingProcess, *, seconds: float) -> None:
        self._order, self._process = order, process
        self._channel = process.mailings
        self._ends_at = time.monotonic() + seconds
        self._settings = get_settings()
        self._quotas = Quotas(order, process, batch_size=self._settings.batch_size)
        self._crowd = self._quotas.crowd
        self._crowd.closes_at = self._ends_at
        self._queue = SettlingQueue(process, self._channel.journal, on_settled=self._forget)
        self._waiting: deque[Claim] = deque()
        self._holding = Holding(order, process)
        # Made with the one before them, and next to go out.
        self._made: dict[int, Envelope] = {}
        self._stopped: dict[int, Settlement] = {}
        self._fetching: asyncio.Task[int] | None = None
        # Not before: the last claim found nothing.
        self._fetch_at = 0.0
        self._faults = 0
        self._has_failed = False
        self.report = RunReport(settled=self._queue.counts)

    async def go(self) -> RunReport:
        """Sends until nothing is due, the time is over, or going on would be of no use."""
        transmitter = self._channel.transmitter(self._order.relay)
        watching = asyncio.create_task(self._holding.watch())
        settling = asyncio.create_task(self._queue.run())
        try:
            while await self._refill():
                await self._transmit(transmitter)
        finally:
            await self._wind_up(watching, settling)
        return self.report

    async def _transmit(self, transmitter: Transmitter) -> None:
        pace = self._quotas.pace if self._quotas.is_paced else None
        try:
            async for result in transmitter.send(self._pull(), may_send=self._may_send, pace=pace):
                self._take_in(result)
        except OSError:
            # The journal cannot be written; the results that say so have been taken in.
            logger.exception("mailing %d: the journal cannot be written", self._order.mailing_id)
            self._has_failed = True

    async def _wind_up(self, watching: asyncio.Task[None], settling: asyncio.Task[None]) -> None:
        if self._fetching is not None:
            await asyncio.gather(self._fetching, return_exceptions=True)
        for claim in (*self._waiting, *self._crowd.parked()):
            delivery_id = claim.delivery_id
            objection = self._holding.object_to(delivery_id)
            self._put(objection or outcomes.give_back(delivery_id, self._holding[delivery_id].claimed_by))
        self._waiting.clear()
        self._queue.end()
        try:
            await settling
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            self._quotas.leave()

    # --- claims ---

    @property
    def _must_stop(self) -> bool:
        """Whether nothing more may go out, not even what is claimed already."""
        return (
            self._holding.state is not MailingState.SENDING
            or time.monotonic() >= self._order.closes_at
            or self.report.outage is not None
            or self.report.is_refused_by_all
            or self._queue.has_failed
            or self._has_failed
        )

    @property
    def _is_over(self) -> bool:
        """Whether nothing more is to be claimed.

        A provider that has not answered would have to be waited for in any case: meanwhile the run goes on with the
        mail that needs no place.
        """
        over = time.monotonic() - self._ends_at
        return self._must_stop or (over >= 0 and (over >= OVERTIME_SECONDS or not self._crowd.is_flying))

    async def _refill(self) -> bool:
        """Whether there is something to send now; waits for the claim that is under way, or for the next token."""
        await self._queue.has_room()
        while not self._waiting and not self._crowd.has_room_for_parked and not self._is_over:
            self._fetch()
            assert self._fetching is not None
            found = await self._fetching
            self._fetching = None
            if found or self._waiting:
                continue
            if self._quotas.wait is None or time.monotonic() + self._quotas.wait >= self._ends_at:
                return False
            await asyncio.sleep(self._quotas.wait)
        if not self._waiting and self._is_over:
            # What still waits aside is given back: it may take much longer than a run.
            return False
        return (bool(self._waiting) or self._crowd.has_room_for_parked) and not self._must_stop

    def _fetch(self) -> None:
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._claim())

    async def _claim(self) -> int:
        """Takes the next batch; returns how many rows it moved."""
        moved = await self._claim_some()
        if not moved:
            self._fetch_at = time.monotonic() + (self._quotas.wait or LULL_SECONDS)
        return moved

    async def _claim_some(self) -> int:
        shares = self._order.shares
        if shares is not None and not shares.may_take(self._order.relay.name):
            self._quotas.wait = Shares.WAIT_SECONDS
            return 0
        quotas, batch = await self._quotas.take()
        if not quotas:
            return 0
        token, since = self._channel.new_token(), time.monotonic()
        try:
            taken = await self._process.in_thread(self._claim_now, quotas, batch, token)
        except DBAPIError:
            logger.warning("mailing %d: the database did not answer a claim", self._order.mailing_id, exc_info=True)
            self._quotas.wait = RETRY_SECONDS
            return 0
        self._holding.take(taken.claims, token, since)
        self._quotas.took(taken.claims)
        self._waiting.extend(taken.claims)
        self.report.skipped += taken.skipped
        return len(taken.claims) + taken.skipped

    def _claim_now(self, quotas: dict[str, int], batch: int, token: str) -> Batch:
        with session_scope() as session:
            suspended = claiming.list_suspended(session)
            return claiming.claim(
                session,
                self._order.mailing_id,
                key=self._channel.key,
                token=token,
                quotas={name: quota for name, quota in quotas.items() if name not in suspended},
                batch=batch,
                lease=self._settings.lease_seconds,
                has_attributes=self._order.messages.has_own,
            )

    # --- the wire ---

    def _pull(self) -> Iterator[Envelope | None]:
        """What the transmitter takes as its connections become free; `None` where what is left waits for a place."""
        while not self._must_stop and not self._queue.is_full:
            if self._fetching is not None and self._fetching.done():
                # What a claim raised ends the run, once all that is on the wire has its result.
                self._fetching.result()
                self._fetching = None
            if (
                len(self._waiting) <= self._quotas.low_water
                and not self._is_over
                and time.monotonic() >= self._fetch_at
            ):
                self._fetch()
            # Of providers without a limit nobody asks: theirs is the hot path.
            if self._crowd.is_limited:
                claim = self._crowd.admit(self._waiting)
            else:
                claim = self._waiting.popleft() if self._waiting else None
            if claim is not None:
                yield self._envelope(claim)
            elif (
                self._crowd.is_limited and not self._is_over and (self._crowd.has_parked or self._fetching is not None)
            ):
                yield None
            else:
                return

    def _envelope(self, claim: Claim) -> Envelope:
        made = self._made
        if claim.delivery_id not in made:
            made = self._made = self._order.messages.envelopes([claim, *self._next_claims()])
        envelope = made.pop(claim.delivery_id)
        envelope.is_alone = self._crowd.limits(claim.provider)
        return envelope

    def _next_claims(self) -> Iterator[Claim]:
        """What goes out right behind a claim, and so is made with it; nothing where each waits for its token."""
        if self._quotas.is_paced:
            return
        # A twentieth of what goes out in two seconds: the Date of a message is when it was made.
        count = min(self._order.messages.made_at_once - 1, self._quotas.low_water // 10)
        for claim in islice(self._waiting, count):
            # One that may have to wait for a place is made when it has one.
            if not self._crowd.limits(claim.provider):
                yield claim

    def _may_send(self, envelope: Envelope) -> bool:
        """Asked before an envelope's MAIL, and again before its content where that took long."""
        settlement = self._holding.object_to(envelope.delivery_id)
        if settlement is not None:
            self._stopped[envelope.delivery_id] = settlement
        return settlement is None

    def _take_in(self, result: Result) -> None:
        held = self._holding[result.delivery_id]
        if self._crowd.is_limited:
            self._crowd.came_back(held.claim.provider)
        if result.outcome is Outcome.ACCEPTED:
            # What nearly every result is: nothing is to be weighed.
            self._faults = 0
            self._process.refused_in_a_row.pop(self._order.mailing_id, None)
            self._queue.put(outcomes.accept(result, held.claimed_by, held.claim.provider))
            return
        if result.delivery_id in self._stopped:
            self._put(self._stopped.pop(result.delivery_id))
            return
        self._faults = self._faults + 1 if outcomes.is_relays(result) else 0
        if outcomes.is_outage(result) or self._faults >= FAULTS_IN_A_ROW:
            self.report.outage = result
        settlement = outcomes.decide(
            result,
            claimed_by=held.claimed_by,
            provider=held.claim.provider,
            attempts=held.claim.attempts,
            faults=held.claim.faults,
            give_up_hours=self._settings.give_up_hours,
        )
        self._count_refusals(result)
        self._put(settlement)

    def _count_refusals(self, result: Result) -> None:
        counts, mailing_id = self._process.refused_in_a_row, self._order.mailing_id
        if result.outcome is Outcome.REJECTED:
            counts[mailing_id] = counts.get(mailing_id, 0) + 1
            if counts[mailing_id] >= REFUSED_IN_A_ROW:
                self.report.is_refused_by_all = True
                self.report.last_reply = " ".join(
                    str(part) for part in (result.code, result.enhanced, result.reply) if part
                )
                counts.pop(mailing_id)

    # --- the ledger ---

    def _put(self, settlement: Settlement) -> None:
        self._queue.put(settlement)

    def _forget(self, settlements: list[Settlement], settled: set[int]) -> None:
        """After they were committed: they are no longer held, and the live page hears of them."""
        self._holding.forget([settlement.delivery_id for settlement in settlements])
        self._quotas.note(len(settlements))
        self._process.background(self._process.meter.note, self._order.mailing_id, len(settled))
