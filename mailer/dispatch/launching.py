"""What people do to a mailing: make it, schedule it, send it, pause, resume and cancel it. Every act is audited.

Each locks the mailing's row first, so that two people (or a person and the sweep) act one after the other.
"""

import datetime as dt
import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.db import now
from mailer.dispatch.mailing_notices import tell_not_launched
from mailer.dispatch.models import Delivery, Mailing, MailingList
from mailer.dispatch.rules import HAS_ISSUE, MailingEvent, MailingState, SkipReason, next_mailing_state
from mailer.dispatch.segmentation import Narrowing
from mailer.errors import NotFoundError, RuleError
from mailer.i18n import N_
from mailer.newsletters.models import List, Newsletter
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.editions import get_approved_edition, get_sendable_edition
from mailer.newsroom.house import check_sender
from mailer.newsroom.models import Issue
from mailer.queue import TaskName, enqueue_after_commit

# A schedule that comes due while nobody is there to send is made up for so long afterwards; later a person decides,
# because what was right on Friday evening may be wrong on Monday.
OVERDUE_GRACE = dt.timedelta(hours=6)
OVERDUE = N_("Its time passed while the service was not running. Send it now, or choose another time.")
# Rows given up in one statement when a mailing is cancelled; the sweep does the rest.
CANCEL_CHUNK = 20_000

# Materialised: PostgreSQL may otherwise run a locking subquery once for each row, and no limit would hold.
SKIP_QUEUED = text("""
WITH rest AS MATERIALIZED (
    SELECT id FROM deliveries WHERE mailing_id = :mailing AND state = 'queued'
    LIMIT :chunk FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE deliveries d SET state = 'skipped', reason = :reason, settled_at = now()
FROM rest WHERE d.id = rest.id
""")


def create_mailing(
    session: Session,
    *,
    edition_id: int,
    list_ids: Sequence[int],
    by: Account | None,
    rate: float | None = None,
    is_repeat: bool = False,
    narrowing: Narrowing | None = None,
    is_correction: bool = False,
) -> Mailing:
    """A draft: this edition to these lists of its newsletter. `rate` is in messages per second over all workers;
    `narrowing` names segments that its readers must be in, or must not be in. A correction goes to exactly those of the
    lists' readers who have had an earlier edition of the issue and not this one.

    Raises `RuleError` unless the edition is its approved issue's latest and the lists are its newsletter's own,
    `NotFoundError` for a list or edition that is not there.
    """
    edition = get_sendable_edition(session, edition_id)
    if rate is not None and not 0 < rate <= 100_000:
        raise RuleError(N_("The rate must be above zero, and at most 100000 a second."))
    newsletter = _newsletter_of(session, edition)
    check_sender(session, newsletter.id, by)
    _check_lists(session, newsletter, list_ids)
    if is_correction and not count_corrected(session, edition):
        raise RuleError(N_("No earlier edition of this issue has been sent; there is nobody to correct it to."))
    mailing = Mailing(
        newsletter_id=newsletter.id,
        issue_id=edition.issue_id,
        edition_id=edition.id,
        message_key=secrets.token_hex(6),
        message_domain=newsletter.sender_address.rpartition("@")[2],
        is_repeat=is_repeat,
        is_correction=is_correction,
        rate=rate,
        created_by=by.id if by else None,
        lists=[MailingList(list_id=list_id) for list_id in sorted(set(list_ids))],
        segments=(narrowing or Narrowing()).rows(session),
    )
    session.add(mailing)
    session.flush()
    _record(
        session,
        mailing,
        "created",
        by,
        edition_id=edition.id,
        list_ids=sorted(set(list_ids)),
        is_repeat=is_repeat,
        is_correction=is_correction,
        segments=[row.segment_id for row in mailing.segments],
    )
    return mailing


def count_corrected(session: Session, edition: Edition) -> int:
    """How many readers have had an earlier edition of the issue."""
    had = (
        select(Delivery.subscriber_id)
        .join(Mailing, Mailing.id == Delivery.mailing_id)
        .where(Mailing.issue_id == edition.issue_id, Mailing.edition_id != edition.id, Delivery.state.in_(HAS_ISSUE))
        .distinct()
    )
    return session.scalar(select(func.count()).select_from(had.subquery())) or 0


def get_mailing(session: Session, mailing_id: int) -> Mailing:
    """Raises `NotFoundError`."""
    mailing = session.get(Mailing, mailing_id)
    if mailing is None:
        raise NotFoundError(N_("There is no such mailing."))
    return mailing


def schedule(session: Session, mailing: Mailing, at: dt.datetime, *, by: Account | None = None) -> None:
    """It is sent at `at` (aware). Raises `RuleError` for a time that has passed or an edition that may not be sent."""
    if at.tzinfo is None:
        raise ValueError("a schedule needs its time zone")
    _lock(session, mailing)
    check_sender(session, mailing.newsletter_id, by)
    if at <= now(session):
        raise RuleError(N_("This time has passed already."))
    get_sendable_edition(session, mailing.edition_id, at=at)
    _move(mailing, MailingEvent.SCHEDULE)
    mailing.scheduled_at, mailing.pause_reason, mailing.pause_reply = at, "", ""
    _record(session, mailing, "scheduled", by, at=at.isoformat())


def unschedule(session: Session, mailing: Mailing, *, by: Account | None = None) -> None:
    """Back to a draft."""
    _lock(session, mailing)
    _move(mailing, MailingEvent.UNSCHEDULE)
    mailing.scheduled_at = None
    _record(session, mailing, "unscheduled", by)


def send_now(session: Session, mailing: Mailing, *, by: Account | None = None) -> None:
    """The roster is frozen and sent as soon as a worker is free. Raises `RuleError`."""
    _lock(session, mailing)
    check_sender(session, mailing.newsletter_id, by)
    get_sendable_edition(session, mailing.edition_id)
    _launch(session, mailing)
    _record(session, mailing, "launched", by)


def launch_due(session: Session, mailing: Mailing) -> None:
    """The sweep's: a scheduled mailing whose time has come, the row locked already.

    It is sent if that time is not long past, and if its edition may still be sent; else it is a draft again that says
    why, for a person to decide.
    """
    assert mailing.scheduled_at is not None
    late = now(session) - mailing.scheduled_at
    refusal = OVERDUE if late > OVERDUE_GRACE else None
    if refusal is None:
        try:
            get_sendable_edition(session, mailing.edition_id)
        except RuleError as error:
            refusal = error.message
    if refusal is None:
        _launch(session, mailing)
        _record(session, mailing, "launched", None, late_seconds=round(late.total_seconds()))
        return
    event = MailingEvent.OVERDUE if refusal == OVERDUE else MailingEvent.REFUSE
    _give_back(session, mailing, event, refusal, late_seconds=round(late.total_seconds()))


def refuse(session: Session, mailing: Mailing, reason: str) -> None:
    """The service's: a mailing that is scheduled or being prepared, the row locked already, is a draft again that says
    why (`reason`, a gettext id), and so does a letter to who made it.
    """
    _give_back(session, mailing, MailingEvent.REFUSE, reason)


def _give_back(session: Session, mailing: Mailing, event: MailingEvent, reason: str, **details: Any) -> None:
    _move(mailing, event)
    mailing.scheduled_at = mailing.launched_at = None
    mailing.pause_reason = reason
    _record(session, mailing, "not_launched", None, **details, reason=reason)
    tell_not_launched(session, mailing, reason)


def pause(session: Session, mailing: Mailing, reason: str = "", *, reply: str = "", by: Account | None = None) -> None:
    """No more is claimed, and what is claimed and not yet on its way is given back within two seconds.

    `reason` is a gettext id, `reply` what a server said where that is why.
    """
    _lock(session, mailing)
    _move(mailing, MailingEvent.PAUSE)
    mailing.paused_at, mailing.pause_reason, mailing.pause_reply = now(session), reason, reply[:1000]
    _record(session, mailing, "paused", by, reason=reason)


def resume(session: Session, mailing: Mailing, *, by: Account | None = None) -> None:
    """Goes on where it stopped. Raises `RuleError`, as for an edition whose approval was withdrawn meanwhile; one that
    has run out since the start does not matter.
    """
    _lock(session, mailing)
    check_sender(session, mailing.newsletter_id, by)
    get_approved_edition(session, mailing.edition_id)
    _move(mailing, MailingEvent.RESUME)
    mailing.paused_at, mailing.pause_reason, mailing.pause_reply = None, "", ""
    # The stall's clock starts again: the pause was no stall.
    mailing.progressed_at = now(session)
    _record(session, mailing, "resumed", by)
    enqueue_after_commit(session, TaskName.DISPATCH_SEND, mailing_id=mailing.id)


def cancel(session: Session, mailing: Mailing, *, by: Account | None = None, reason: str = "") -> None:
    """For good: whoever was not yet sent to is skipped; what is on its way is finished and counted. `reason` is a
    gettext id, where nobody has asked for it.
    """
    _lock(session, mailing)
    _move(mailing, MailingEvent.CANCEL)
    mailing.cancelled_at = now(session)
    if reason:
        mailing.pause_reason, mailing.pause_reply = reason, ""
    _record(session, mailing, "cancelled", by, **({"reason": reason} if reason else {}))
    session.flush()
    skip_queued(session, mailing.id)


def skip_queued(session: Session, mailing_id: int) -> int:
    """Gives up a chunk of what a cancelled mailing has left; returns how many. The sweep repeats it until none are."""
    result: Any = session.execute(
        SKIP_QUEUED, {"mailing": mailing_id, "reason": SkipReason.CANCELLED, "chunk": CANCEL_CHUNK}
    )
    return int(result.rowcount)


def _launch(session: Session, mailing: Mailing) -> None:
    _move(mailing, MailingEvent.LAUNCH)
    mailing.launched_at, mailing.pause_reason, mailing.pause_reply = now(session), "", ""
    enqueue_after_commit(session, TaskName.DISPATCH_PREPARE, mailing_id=mailing.id)


def _lock(session: Session, mailing: Mailing) -> None:
    session.flush()
    session.refresh(mailing, with_for_update={"key_share": True})


def _move(mailing: Mailing, event: MailingEvent) -> None:
    mailing.state = next_mailing_state(MailingState(mailing.state), event)


def _newsletter_of(session: Session, edition: Edition) -> Newsletter:
    return session.scalars(
        select(Newsletter).join(Issue, Issue.newsletter_id == Newsletter.id).where(Issue.id == edition.issue_id)
    ).one()


def _check_lists(session: Session, newsletter: Newsletter, list_ids: Sequence[int]) -> None:
    if not list_ids:
        raise RuleError(N_("Choose at least one list."))
    found = session.scalars(select(List).where(List.id.in_(list_ids))).all()
    if len(found) != len(set(list_ids)):
        raise NotFoundError(N_("There is no such list."))
    for chosen in found:
        if chosen.newsletter_id != newsletter.id:
            raise RuleError(N_("The list “%(name)s” belongs to another newsletter."), name=chosen.name)
        if chosen.archived_at is not None:
            raise RuleError(N_("The list “%(name)s” is archived."), name=chosen.name)


def _record(session: Session, mailing: Mailing, act: str, by: Account | None, **details: Any) -> None:
    record(session, by=by, action=f"mailing.{act}", subject_type="mailing", subject_id=mailing.id, **details)
