"""One message over one session: what is said, what is heard, and what it makes of the message.

Where the server offers PIPELINING, MAIL, RCPT and DATA travel in one segment, and the next message's may travel behind
the content of this one (RFC 2920 section 3.1 allows content to begin a group): one round trip per message. Content
itself goes out only after its own 354, and after the reply to the content before it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mailer.dispatch.envelopes import Result
from mailer.dispatch.journal import Journal
from mailer.dispatch.replies import Verdict, judge, judge_silence
from mailer.dispatch.rules import Outcome
from mailer.dispatch.smtp.connection import BLOCK, LOST, Connection, in_blocks
from mailer.dispatch.smtp.parcel import Parcel
from mailer.dispatch.smtp.relay import RelayAddress, Timeouts
from mailer.dispatch.smtp.reply import Reply
from mailer.dispatch.smtp.session import Session

STAGES = ("mail", "rcpt", "data")
UNKNOWN = Verdict("lost_reply", Outcome.UNKNOWN)
NO_JOURNAL = Verdict("journal", Outcome.DEFERRED, is_relay_fault=True)
DOT = b".\r\n"


@dataclass(frozen=True, slots=True)
class Refused:
    """The server did not take a message before its content: its reply to `stage`, or `None` where it said nothing."""

    stage: str
    reply: Reply | None


class Exchange:
    """What is said over a session; `journal` may be missing where nobody would read it."""

    def __init__(self, session: Session, relay: RelayAddress, timeouts: Timeouts, journal: Journal | None) -> None:
        self.session = session
        self.connection: Connection = session.connection
        self.has_pipelining = "PIPELINING" in session.offers
        self._relay = relay
        self._timeouts = timeouts
        self._journal = journal
        # Set where the journal could not be written: nothing more may be sent.
        self.journal_error: OSError | None = None

    def commands(self, parcel: Parcel) -> bytes:
        """The commands of a message in one segment, behind a RSET where the transaction before was refused."""
        parcel.is_written = True
        parcel.has_reset = self.session.needs_reset
        self.session.needs_reset = False
        return b"".join(((b"RSET\r\n",) if parcel.has_reset else ()) + parcel.commands)

    def has_leave(self, parcel: Parcel) -> bool:
        """Whether the commands that travelled ahead have all been answered with yes; takes the answers if so."""
        return parcel.is_written and not parcel.has_reset and self.connection.take_leave()

    async def offer(self, parcel: Parcel) -> Refused | None:
        """MAIL, RCPT, DATA. `None` is leave to send the content."""
        if self.has_pipelining:
            return await self._offer_at_once(parcel)
        return await self._offer_step_by_step(parcel)

    async def _offer_at_once(self, parcel: Parcel) -> Refused | None:
        if not parcel.is_written:
            self.connection.write(self.commands(parcel))
        limits = self._timeouts
        wanted = 3 + parcel.has_reset
        replies = await self.connection.replies(wanted, limits.mail + limits.rcpt + limits.data)
        answers = replies[1:] if parcel.has_reset else replies
        for stage, reply in zip(STAGES, answers, strict=False):
            if not _is_yes(stage, reply):
                await self._leave(answers)
                return Refused(stage, reply)
        return None if len(answers) == 3 else Refused(STAGES[len(answers)], None)

    async def _leave(self, answers: list[Reply]) -> None:
        """Ends a refused transaction. A server that nevertheless says 354 gets a lone dot (RFC 2920 section 3.1)."""
        self.session.needs_reset = True
        if len(answers) == 3 and answers[2].code == 354:
            self.connection.write(DOT)
            await self.connection.replies(1, self._timeouts.content)

    async def _offer_step_by_step(self, parcel: Parcel) -> Refused | None:
        limits = self._timeouts
        if self.session.needs_reset:
            self.session.needs_reset = False
            self.connection.write(b"RSET\r\n")
            await self.connection.replies(1, limits.command)
        for stage, command, seconds in zip(
            STAGES, parcel.commands, (limits.mail, limits.rcpt, limits.data), strict=True
        ):
            self.connection.write(command)
            replies = await self.connection.replies(1, seconds)
            if not replies:
                return Refused(stage, None)
            if not _is_yes(stage, replies[0]):
                self.session.needs_reset = True
                return Refused(stage, replies[0])
        return None

    async def deliver(self, parcel: Parcel, ahead: Callable[[], bytes], now: Callable[[], float]) -> Result:
        """The content, its final dot, and what `ahead` gives to travel behind it.

        The intent is on disk before the first byte goes out. Lost before the final dot could leave: deferred. Lost
        after it: unknown. Where the intent cannot be written nothing goes out, and `journal_error` says why.
        """
        connection, delivery_id = self.connection, parcel.delivery_id
        if not connection.is_usable:
            return self._unsent(parcel, now())
        if self._journal is not None:
            try:
                self._journal.intent(delivery_id, parcel.entry.envelope.token)
            except OSError as error:
                self.journal_error = error
                connection.abort()
                return self.result(parcel, NO_JOURNAL, now(), stage="data", text=str(error))
        if parcel.size > BLOCK:
            *blocks, last = in_blocks(parcel.content)
            if not await connection.write_blocks(blocks, self._timeouts.block):
                self._withdraw(delivery_id)
                return self._unsent(parcel, now())
            connection.write_lines((*last, DOT, ahead()))
        else:
            connection.write(b"".join((*parcel.content, DOT, ahead())))
        replies = await connection.replies(1, self._timeouts.content)
        if not replies:
            return self.result(parcel, UNKNOWN, now(), stage="content", text=connection.fault or LOST)
        result = self._answered(parcel, replies[0], now())
        if self._journal is not None and result.code is not None:
            try:
                self._journal.reply(delivery_id, result.code, result.enhanced, result.reply)
            except OSError as error:
                self.journal_error = error
        return result

    def _withdraw(self, delivery_id: int) -> None:
        if self._journal is not None:
            try:
                self._journal.withdraw(delivery_id)
            except OSError as error:
                self.journal_error = error

    def _answered(self, parcel: Parcel, reply: Reply, now: float) -> Result:
        self.session.messages += 1
        self.session.used_at = now
        if 200 <= reply.code < 300:
            # By position: this is made for every message, and names would cost as much again.
            return Result(
                parcel.entry.envelope.delivery_id,
                Outcome.ACCEPTED,
                "accepted",
                "content",
                reply.code,
                reply.enhanced,
                reply.text,
                self.connection.is_tls,
                round((now - parcel.started) * 1000),
                self._relay.name,
                is_relay_fault=False,
            )
        if reply.code < 400:
            # Not an answer to a final dot: nobody knows what this server did with the message.
            self.connection.abort()
            return self.result(parcel, UNKNOWN, now, stage="content", text=reply.text)
        verdict = judge("content", reply.code, reply.enhanced, reply.text)
        if verdict.is_connection_used_up:
            self.session.messages = self._relay.messages_per_connection
        return self.result(parcel, verdict, now, stage="content", reply=reply)

    def _unsent(self, parcel: Parcel, now: float) -> Result:
        """The content did not go out whole: what the server said, if it interrupted us, else nothing at all."""
        reply = self.connection.farewell
        self.connection.abort()
        if reply is None or reply.code < 400:
            return self.result(
                parcel, judge_silence("content"), now, stage="content", text=self.connection.fault or LOST
            )
        verdict = judge("content", reply.code, reply.enhanced, reply.text)
        return self.result(parcel, verdict, now, stage="content", reply=reply)

    def refused(self, parcel: Parcel, refused: Refused, now: float) -> Result:
        """The result of a message that was refused before its content."""
        reply = refused.reply
        if reply is None:
            fault = self.connection.fault or LOST
            return self.result(parcel, judge_silence(refused.stage), now, stage=refused.stage, text=fault)
        verdict = judge(refused.stage, reply.code, reply.enhanced, reply.text)
        if verdict.is_connection_used_up:
            self.session.messages = self._relay.messages_per_connection
        if reply.code < 400:
            self.connection.abort()
        return self.result(parcel, verdict, now, stage=refused.stage, reply=reply)

    def result(
        self, parcel: Parcel, verdict: Verdict, now: float, *, stage: str, reply: Reply | None = None, text: str = ""
    ) -> Result:
        return make_result(
            parcel.delivery_id,
            verdict,
            self._relay,
            stage=stage,
            reply=reply,
            text=text,
            is_tls=self.connection.is_tls,
            seconds=now - parcel.started,
        )


def make_result(
    delivery_id: int,
    verdict: Verdict,
    relay: RelayAddress,
    *,
    stage: str,
    reply: Reply | None = None,
    text: str = "",
    is_tls: bool = False,
    seconds: float = 0.0,
) -> Result:
    """A verdict with the words it rests on: the server's `reply`, or our own `text` where there was none."""
    return Result(
        delivery_id=delivery_id,
        outcome=verdict.outcome,
        reply_class=verdict.reply_class,
        stage=stage,
        code=reply.code if reply else None,
        enhanced=reply.enhanced if reply else None,
        reply=reply.text if reply else text,
        is_tls=is_tls,
        duration_ms=round(seconds * 1000),
        relay=relay.name,
        is_relay_fault=verdict.is_relay_fault,
    )


def _is_yes(stage: str, reply: Reply) -> bool:
    return reply.code == 354 if stage == "data" else reply.is_positive
