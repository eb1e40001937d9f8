"""Sending a mailing for a few seconds: the task's whole work, safe to run twice, at once, or never to its end.

It takes one of the host's sender slots, sends what is due (`sending_run`), writes down why it had to stop where it
did, and passes the baton to the next mailing that has something due. A hint that finds no slot or nothing to do
returns quietly: the row is the truth, and the sweep comes by.
"""

import logging
from dataclasses import dataclass

from mailer.db import session_scope
from mailer.dispatch import launching
from mailer.dispatch.claiming import EVERYBODY
from mailer.dispatch.envelopes import Result
from mailer.dispatch.finishing import finish_drained, list_queued_providers, next_due
from mailer.dispatch.messages import MessageMaker, load_message_maker
from mailer.dispatch.models import Mailing
from mailer.dispatch.outcomes import is_refused_entry
from mailer.dispatch.relays import active_limits
from mailer.dispatch.rules import MailingState
from mailer.dispatch.sender_slots import sender_slot
from mailer.dispatch.sending_process import get_process, run_directory
from mailer.dispatch.sending_run import Order, Run, RunReport
from mailer.dispatch.suspending import is_suspended, suspend_relay
from mailer.errors import CompositionError, RuleError
from mailer.i18n import N_
from mailer.queue import TaskName, enqueue
from mailer.settings import get_settings

logger = logging.getLogger(__name__)

# Short enough for fairness among mailings and for a quick shutdown, long enough that a task's own cost does not count.
RUN_SECONDS = 5.0

REFUSED_ENTRY = N_("The relay does not take mail from us: check its login and the newsletter's sender address.")
REFUSED_ALL = N_("Every recipient was refused, one after the other. Look at what their servers said before going on.")
DOWN_TOO_LONG = N_("The relay could not be reached for days.")
CANNOT_COMPOSE = N_("The messages cannot be made from this edition.")


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a mailing cannot be sent at all, as it stands."""

    reason: str
    details: str


def send(mailing_id: int) -> RunReport | None:
    """Sends what is due of a mailing for about `RUN_SECONDS`; `None` when it is not its turn."""
    with sender_slot(run_directory(), get_settings().senders) as is_ours:
        if not is_ours:
            return None
        report = _send(mailing_id)
        with session_scope() as session:
            following = next_due(session, after=mailing_id)
    # Only now, with the slot free again: the next task may begin before this line has returned.
    if following is not None:
        enqueue(TaskName.DISPATCH_SEND, mailing_id=following)
    return report


def _send(mailing_id: int) -> RunReport | None:
    order = _load(mailing_id)
    if order is None:
        return None
    if isinstance(order, _Refusal):
        _pause(mailing_id, order.reason, order.details)
        return None
    process = get_process()
    report = process.run(Run(order, process, seconds=RUN_SECONDS).go())
    _write_down(mailing_id, report)
    return report


def _load(mailing_id: int) -> Order | _Refusal | None:
    with session_scope() as session:
        mailing = session.get(Mailing, mailing_id)
        if mailing is None or mailing.state != MailingState.SENDING or is_suspended(session, EVERYBODY):
            return None
        providers = list_queued_providers(session, mailing_id)
        if not providers:
            return None
        try:
            relay, relay_rate = active_limits(session)
            messages: MessageMaker = load_message_maker(session, mailing)
        except CompositionError as error:
            return _Refusal(CANNOT_COMPOSE, str(error))
        except RuleError as error:
            return _Refusal(error.message, "")
        return Order(
            mailing_id=mailing_id,
            mailing_rate=mailing.rate,
            relay=relay,
            relay_rate=relay_rate,
            providers=tuple(providers),
            messages=messages,
        )


def _write_down(mailing_id: int, report: RunReport) -> None:
    """Why the run stopped early, if it did; and that the mailing is over, if it is."""
    if report.is_refused_by_all:
        _pause(mailing_id, REFUSED_ALL, report.last_reply)
    elif report.outage is not None:
        _note_outage(mailing_id, report.outage)
    with session_scope() as session:
        finish_drained(session, [mailing_id])


def _note_outage(mailing_id: int, outage: Result) -> None:
    said = " ".join(str(part) for part in (outage.code, outage.enhanced, outage.reply) if part)
    if is_refused_entry(outage):
        _pause(mailing_id, REFUSED_ENTRY, said)
        return
    with session_scope() as session:
        lasted = suspend_relay(session, reply_class=outage.reply_class, reply=said)
    logger.warning("relay %s: %s at %s, for %d s", outage.relay, outage.reply_class, outage.stage, lasted.seconds)
    if lasted.total_seconds() > get_settings().give_up_hours * 3600:
        _pause(mailing_id, DOWN_TOO_LONG, said)


def _pause(mailing_id: int, reason: str, reply: str) -> None:
    with session_scope() as session:
        mailing = launching.get_mailing(session, mailing_id)
        try:
            launching.pause(session, mailing, reason, reply=reply)
        except RuleError:
            # A person was faster, or its last delivery has just been settled.
            session.rollback()
