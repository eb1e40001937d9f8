"""Sending a mailing for a few seconds: the task's whole work, safe to run twice, at once, or never to its end.

It takes one of the host's sender slots, sends what is due (`sending_run`), writes down why it had to stop where it
did, and passes the baton to the next mailing that has something due. A hint that finds no slot or nothing to do
returns quietly: the row is the truth, and the sweep comes by.
"""

import asyncio
import logging
import math
import time
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from mailer.db import now, session_scope
from mailer.dispatch import launching
from mailer.dispatch.envelopes import Result
from mailer.dispatch.finishing import finish_drained, list_queued_providers, next_due
from mailer.dispatch.messages import MessageMaker, load_message_maker
from mailer.dispatch.models import Mailing
from mailer.dispatch.orders import Order, RunReport
from mailer.dispatch.outcomes import is_refused_entry
from mailer.dispatch.pace.slowing import load_paces
from mailer.dispatch.pace.windows import find_window
from mailer.dispatch.relays.routing import Route, has_route, list_routes
from mailer.dispatch.relays.shares import Shares
from mailer.dispatch.rules import MailingState
from mailer.dispatch.sender_slots import sender_slot
from mailer.dispatch.sending_process import SendingProcess, get_process, run_directory
from mailer.dispatch.sending_run import Run
from mailer.dispatch.suspending import suspend_relay
from mailer.errors import CompositionError, RuleError
from mailer.i18n import N_
from mailer.queue import TaskName, enqueue
from mailer.settings import get_settings

logger = logging.getLogger(__name__)

# Short enough for fairness among mailings and for a quick shutdown, long enough that a task's own cost does not count.
RUN_SECONDS = 5.0
# Runs of several relays end within so long of each other, unless a relay keeps silent.
GRACE_SECONDS = 1.0

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
    orders = _load(mailing_id)
    if isinstance(orders, _Refusal):
        _pause(mailing_id, orders.reason, orders.details)
        return None
    if not orders:
        return None
    process = get_process()
    report = process.run(_side_by_side(orders, process))
    _write_down(mailing_id, report)
    return report


async def _side_by_side(orders: list[Order], process: SendingProcess) -> RunReport:
    """One run for each relay, all at the same time. While one of them still hangs, the others go on."""
    await process.mailings.keep_only({order.relay for order in orders})
    if len(orders) == 1:
        return await Run(orders[0], process, seconds=RUN_SECONDS).go()
    report, running = RunReport(), {}
    for order in orders:
        running[asyncio.ensure_future(Run(order, process, seconds=RUN_SECONDS).go())] = order
    ends_at = time.monotonic() + RUN_SECONDS
    while running:
        done, rest = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        if rest and time.monotonic() > ends_at:
            # All of them end within a moment of each other, unless one hangs.
            late, rest = await asyncio.wait(rest, timeout=GRACE_SECONDS)
            done |= late
        for task in done:
            order, found = running.pop(task), task.result()
            report.add(found)
            # A relay that keeps silent may do so for minutes: what it does not hold goes by the others meanwhile.
            if rest and found.settled and found.outage is None and time.monotonic() > ends_at:
                alone = replace(order, shares=None, part=(0, 1))
                running[asyncio.ensure_future(Run(alone, process, seconds=RUN_SECONDS).go())] = order
    return report


def _load(mailing_id: int) -> list[Order] | _Refusal:
    with session_scope() as session:
        mailing = session.get(Mailing, mailing_id)
        if mailing is None or mailing.state != MailingState.SENDING:
            return []
        open_seconds = _open_seconds(session, mailing)
        providers = list_queued_providers(session, mailing_id) if open_seconds > 0 else []
        if not providers:
            return []
        try:
            routes = list_routes(session, mailing.newsletter_id)
            if not routes:
                return []
            messages: MessageMaker = load_message_maker(session, mailing)
        except CompositionError as error:
            return _Refusal(CANNOT_COMPOSE, str(error))
        except RuleError as error:
            return _Refusal(error.message, "")
        shares = _shares(routes)
        return [
            Order(
                mailing_id=mailing_id,
                mailing_rate=mailing.rate,
                relay=route.address,
                relay_rate=route.rate,
                providers=tuple(providers),
                messages=messages,
                groups=load_paces(session),
                shares=shares,
                part=(number, len(routes)),
                closes_at=time.monotonic() + open_seconds,
            )
            for number, route in enumerate(routes)
        ]


def _open_seconds(session: Session, mailing: Mailing) -> float:
    """How long its window stays open, by PostgreSQL's clock; 0 outside of it."""
    window = find_window(session, newsletter_id=mailing.newsletter_id, mailing_id=mailing.id)
    if window is None:
        return math.inf
    moment = now(session)
    closes = window.closes_at(moment)
    return (closes - moment).total_seconds() if closes else 0.0


def _shares(routes: list[Route]) -> Shares | None:
    if len(routes) == 1:
        return None
    paced = frozenset(route.address.name for route in routes if route.rate is not None)
    return Shares({route.address.name: route.weight for route in routes}, paced)


def _write_down(mailing_id: int, report: RunReport) -> None:
    """Why the run stopped early, if it did; and that the mailing is over, if it is."""
    if report.is_refused_by_all:
        _pause(mailing_id, REFUSED_ALL, report.last_reply)
    for outage in report.outages:
        _note_outage(mailing_id, outage)
    with session_scope() as session:
        finish_drained(session, [mailing_id])


def _note_outage(mailing_id: int, outage: Result) -> None:
    """The relay is left alone for a while. A person is asked only where no other one takes over."""
    said = " ".join(str(part) for part in (outage.code, outage.enhanced, outage.reply) if part)
    with session_scope() as session:
        newsletter_id = launching.get_mailing(session, mailing_id).newsletter_id
        lasted = suspend_relay(session, relay=outage.relay, reply_class=outage.reply_class, reply=said)
        has_others = has_route(session, newsletter_id)
        if is_refused_entry(outage) and not has_others:
            # Mended by a person, who then resumes: nothing to wait for.
            session.rollback()
    logger.warning("relay %s: %s at %s, for %d s", outage.relay, outage.reply_class, outage.stage, lasted.seconds)
    if has_others:
        return
    if is_refused_entry(outage):
        _pause(mailing_id, REFUSED_ENTRY, said)
    elif lasted.total_seconds() > get_settings().give_up_hours * 3600:
        _pause(mailing_id, DOWN_TOO_LONG, said)


def _pause(mailing_id: int, reason: str, reply: str) -> None:
    with session_scope() as session:
        mailing = launching.get_mailing(session, mailing_id)
        try:
            launching.pause(session, mailing, reason, reply=reply)
        except RuleError:
            # A person was faster, or its last delivery has just been settled.
            session.rollback()
