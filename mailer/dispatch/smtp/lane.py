"""One message after another over one session, until nothing is left to send or the session is used up."""

import asyncio

from mailer.dispatch.envelopes import Result
from mailer.dispatch.replies import Verdict, is_providers_limit
from mailer.dispatch.rules import Outcome
from mailer.dispatch.smtp.connection import CLOSING, LOST
from mailer.dispatch.smtp.exchange import Exchange, Refused, make_result
from mailer.dispatch.smtp.parcel import Entry, Parcel, Refusal, wrap
from mailer.dispatch.smtp.relay import RelayAddress
from mailer.dispatch.smtp.run import Leave, Run, settled
from mailer.i18n import N_

WITHHELD = N_("Stopped before it went out.")
HELD_BACK = Verdict("withheld", Outcome.DEFERRED, is_relay_fault=True)

# Leave to send that is older than this many seconds is asked for again before the content goes out.
STALE = 2.0


def _nothing() -> bytes:
    return b""


class Lane:
    """Takes envelopes from `run` and sends them over `exchange`."""

    def __init__(self, run: Run, exchange: Exchange, relay: RelayAddress) -> None:
        self._run = run
        self._exchange = exchange
        self._session = exchange.session
        self._relay = relay
        self._now = asyncio.get_running_loop().time
        # Taken, but not let go at once: its commands could not travel ahead.
        self._waiting: tuple[Entry, Leave] | None = None
        self._following: Parcel | None = None

    async def converse(self, entry: Entry | None) -> None:
        """Sends `entry` and what comes after it. Every entry it takes gets its result or is given back."""
        try:
            while entry is not None:
                parcel = await self._admit(entry, self._run.admit(entry.envelope))
                while parcel is not None:
                    parcel = await self._transact(parcel)
                    if self._waiting is not None:
                        waiting, self._waiting = self._waiting, None
                        parcel = await self._admit(*waiting)
                entry = await self._run.next() if self.is_fresh else None
        except BaseException:
            self._session.connection.abort()
            raise

    @property
    def is_fresh(self) -> bool:
        return self._session.is_fresh(self._relay, self._now())

    async def _admit(self, entry: Entry, may: Leave) -> Parcel | None:
        """The parcel of `entry`, when it may go; `None` where it has its result without being sent."""
        if await settled(may):
            return self._wrap(entry)
        self._run.put(self._withheld(entry))
        return None

    def _wrap(self, entry: Entry) -> Parcel | None:
        parcel = wrap(entry, self._session.offers, self._now())
        if isinstance(parcel, Parcel):
            return parcel
        self._run.answered += 1
        self._run.put(self._refused_by_us(entry, parcel))
        return None

    async def _transact(self, parcel: Parcel) -> Parcel | None:
        """One message, to its result. Gives the next one whose commands travelled with it, if one did."""
        if not self._exchange.has_leave(parcel):
            refused = await self._exchange.offer(parcel)
            if refused is not None:
                self._turn_away(parcel, refused)
                return None
        if self._now() - parcel.started > STALE and not await self._run.still_may(parcel.entry.envelope):
            # The server waits for content, and there is no other way to tell it that none will come.
            self._session.connection.abort()
            self._run.put(self._withheld(parcel.entry))
            return None
        self._following = None
        ahead = _nothing if parcel.entry.envelope.is_alone else self._look_ahead
        result = await self._exchange.deliver(parcel, ahead, self._now)
        self._run.answered += result.code is not None
        self._run.put(result)
        if self._exchange.journal_error is not None:
            self._run.fail(self._exchange.journal_error)
        return self._following

    def _look_ahead(self) -> bytes:
        """The next message's commands, to travel with the content before it, where nothing holds it back."""
        if not self._exchange.has_pipelining or not self._session.is_fresh(self._relay, self._now(), beyond=1):
            return b""
        entry = self._run.take()
        if entry is None:
            return b""
        may = self._run.admit(entry.envelope)
        if may is not True:
            self._waiting = (entry, may)
            return b""
        self._following = self._wrap(entry)
        return self._exchange.commands(self._following) if self._following is not None else b""

    def _turn_away(self, parcel: Parcel, refused: Refused) -> None:
        """Refused before its content. A connection that closed under it gives it one more try, on another."""
        result = self._exchange.refused(parcel, refused, self._now())
        is_closed = self._session.connection.fault in {LOST, CLOSING}
        # A 421 after some messages says that they were enough for one connection, unless it says more than that.
        is_told = refused.reply is not None and (
            self._session.messages == 0 or is_providers_limit(result.reply_class) or refused.reply.code != 421
        )
        if is_closed and parcel.entry.tries == 0 and not is_told:
            parcel.entry.tries = 1
            self._run.give_back(parcel.entry)
            return
        self._run.answered += refused.reply is not None and refused.reply.code != 421
        self._run.put(result)

    def _withheld(self, entry: Entry) -> Result:
        return self._without_server(entry, HELD_BACK, WITHHELD)

    def _refused_by_us(self, entry: Entry, refusal: Refusal) -> Result:
        return self._without_server(entry, Verdict(refusal.reply_class, refusal.outcome), refusal.reply)

    def _without_server(self, entry: Entry, verdict: Verdict, text: str) -> Result:
        is_tls = self._session.is_tls
        return make_result(entry.envelope.delivery_id, verdict, self._relay, stage="mail", text=text, is_tls=is_tls)
