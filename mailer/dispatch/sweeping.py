"""The sweep: every few seconds it repairs what any crash, lost message or lost broker has left behind.

Each part is a transaction of its own and may run twice at once: two beats do no harm. It sends nothing itself; it
leaves the rows right, and hints for the workers.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from redis.exceptions import RedisError
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from mailer.db import now, session_scope
from mailer.dispatch import launching
from mailer.dispatch.finishing import finish_drained, list_due
from mailer.dispatch.halting import halt
from mailer.dispatch.models import Mailing
from mailer.dispatch.outbox import is_due as has_due_letters
from mailer.dispatch.outbox import resolve_letters
from mailer.dispatch.pace.buckets import connect
from mailer.dispatch.relays.health import probe_due
from mailer.dispatch.resolving import Bequest, discard, find_bequests, list_orphans, read_bequest, resolve
from mailer.dispatch.rules import MailingState
from mailer.dispatch.sending_process import journal_directory
from mailer.dispatch.settling import settle
from mailer.queue import HEARTBEAT_KEY, TaskName, enqueue
from mailer.settings import get_settings

logger = logging.getLogger(__name__)

# Claims settled in one transaction.
CHUNK = 1000
# What still names a journal: its claims have to be resolved before it may go.
IS_NAMED = text("""
SELECT EXISTS (SELECT FROM deliveries WHERE state = 'claimed' AND starts_with(claimed_by, :key))
    OR EXISTS (SELECT FROM letters WHERE state = 'claimed' AND starts_with(claimed_by, :key))
""")


@dataclass(slots=True)
class SweepReport:
    """What one sweep did: for the log, and for tests."""

    halted: list[int] = field(default_factory=list)
    launched: list[int] = field(default_factory=list)
    prepared: list[int] = field(default_factory=list)
    due: list[int] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)
    resolved: int = 0
    skipped: int = 0
    letters: int = 0
    probed: list[int] = field(default_factory=list)


def sweep() -> SweepReport:
    """One round of repairs. A part that fails is logged and does not keep the others from running."""
    report = SweepReport()
    for part in (_halt, _launch_due, _resolve_claims, _drain_cancelled, _finish, _hint):
        _run(part, report)
    _beat()
    # Last, because relays that keep silent take a few seconds.
    _run(_probe_relays, report)
    return report


def _run(part: Callable[[SweepReport], None], report: SweepReport) -> None:
    try:
        part(report)
    except Exception:
        logger.exception("sweep: %s failed", part.__name__.strip("_"))


def _halt(report: SweepReport) -> None:
    with session_scope() as session:
        report.halted = halt(session)


def _launch_due(report: SweepReport) -> None:
    """Mailings whose time has come: each once, whoever else sweeps."""
    with session_scope() as session:
        due = session.scalars(
            select(Mailing)
            .where(Mailing.state == MailingState.SCHEDULED, Mailing.scheduled_at <= func.now())
            .order_by(Mailing.scheduled_at)
            .with_for_update(skip_locked=True, key_share=True)
        ).all()
        for mailing in due:
            launching.launch_due(session, mailing)
            report.launched.append(mailing.id)


def _resolve_claims(report: SweepReport) -> None:
    """Deliveries and letters of processes that are gone."""
    # Who lives is asked before what they hold: a process that ends in between is found by the next sweep.
    bequests = find_bequests(journal_directory())
    with session_scope() as session:
        orphans = list_orphans(session, bequests)
    for key, claims in orphans.items():
        bequest = bequests.get(key, Bequest(key))
        read_bequest(bequest)
        settlements = resolve(bequest, claims)
        for start in range(0, len(settlements), CHUNK):
            with session_scope() as session:
                report.resolved += len(settle(session, settlements[start : start + CHUNK]))
        logger.warning("%d claims of %s resolved", len(settlements), key)
    report.resolved += resolve_letters(bequests)
    _discard_empty(bequests)


def _discard_empty(bequests: dict[str, Bequest]) -> None:
    with session_scope() as session:
        dead = [bequest for bequest in bequests.values() if not bequest.is_living]
        done = [bequest for bequest in dead if not session.scalar(IS_NAMED, {"key": f"{bequest.key}/"})]
    discard(done)


def _drain_cancelled(report: SweepReport) -> None:
    """What a cancelled mailing has left: the rest of a long roster, and what came back to the queue since."""
    with session_scope() as session:
        cancelled = session.scalars(
            select(Mailing.id).where(Mailing.state == MailingState.CANCELLED, Mailing.finished_at.is_(None))
        ).all()
    for mailing_id in cancelled:
        while True:
            with session_scope() as session:
                skipped = launching.skip_queued(session, mailing_id)
            report.skipped += skipped
            if skipped < launching.CANCEL_CHUNK:
                break


def _finish(report: SweepReport) -> None:
    with session_scope() as session:
        report.finished = finish_drained(session)


def _hint(report: SweepReport) -> None:
    """Tells the workers of everything that waits: a hint too many returns quietly, one too few is a stall."""
    with session_scope() as session:
        report.prepared = _list_preparing(session)
        report.due = list_due(session)
        report.letters = int(has_due_letters(session))
    for mailing_id in report.prepared:
        enqueue(TaskName.DISPATCH_PREPARE, mailing_id=mailing_id)
    for mailing_id in report.due:
        enqueue(TaskName.DISPATCH_SEND, mailing_id=mailing_id)
    if report.letters:
        enqueue(TaskName.LETTERS_SEND)


def _list_preparing(session: Session) -> list[int]:
    return list(session.scalars(select(Mailing.id).where(Mailing.state == MailingState.PREPARING).order_by(Mailing.id)))


def _probe_relays(report: SweepReport) -> None:
    report.probed = probe_due()


def _beat() -> None:
    """Leaves PostgreSQL's time in Redis: while it moves, beat, broker and a worker all live."""
    with session_scope() as session:
        moment = now(session)
    try:
        with connect(get_settings().redis_url.get_secret_value()) as redis:
            redis.set(HEARTBEAT_KEY, moment.timestamp())
    except (RedisError, OSError):
        logger.warning("sweep: Redis does not answer")
