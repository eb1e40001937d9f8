"""What is forgotten by itself, and when. Run by beat; doing it twice does no harm."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Delete, Update, and_, delete, exists, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from mailer.audience import admission
from mailer.audience.correspondence import CONFIRM_DAYS
from mailer.audience.directories.models import DirectoryFinding, DirectoryRun
from mailer.audience.import_models import ImportChunk, ImportRefusal, ImportRun
from mailer.audience.models import Consent, Subscriber, Subscription
from mailer.audience.rules import IMPORT_OVER, ConsentAct, ImportState, SubscriptionState
from mailer.dispatch.models import Attempt, Delivery
from mailer.feedback.models import Click, Open
from mailer.letters.models import Letter
from mailer.letters.rules import LetterState
from mailer.settings import get_settings

# Millions may come of age on one day.
REPLIES_AT_ONCE = 50_000
_REPLIES = ((Attempt, Attempt.at), (Delivery, Delivery.settled_at))


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows of each kind were forgotten by one sweep."""

    sign_ups: int
    returns: int
    subscribers: int
    letters: int
    refusals: int
    traces: int
    events: int
    replies: int
    admissions: int


def sweep(session: Session) -> Forgotten:
    """Forgets sign-ups that were not confirmed in time, what letters said, reports of refused addresses, where consents
    came from once that has been kept long enough, and yesterday's counts of sign-ups.
    """
    returns = _undo_returns(session)
    sign_ups = _forget_sign_ups(session)
    return Forgotten(
        sign_ups=sign_ups,
        returns=returns,
        subscribers=_forget_subscribers(session),
        letters=_forget_letters(session),
        refusals=_forget_refusals(session),
        traces=_forget_traces(session),
        events=sum(_forget_events(session, table) for table in (Open, Click)),
        replies=sum(_forget_replies(session, table, column) for table, column in _REPLIES),
        admissions=admission.forget(session),
    )


def _is_overdue() -> ColumnElement[bool]:
    """Unconfirmed, and not asked (again) within the time that the letter's link works."""
    cutoff = func.now() - dt.timedelta(days=CONFIRM_DAYS)
    asked = exists().where(
        Consent.subscriber_id == Subscription.subscriber_id,
        Consent.list_id == Subscription.list_id,
        Consent.act == ConsentAct.ASKED,
        Consent.at > cutoff,
    )
    return and_(Subscription.state == SubscriptionState.UNCONFIRMED, Subscription.created_at <= cutoff, ~asked)


def _undo_returns(session: Session) -> int:
    """Who left, asked to come back and never confirmed it is one who left: that must not be forgotten."""
    return _count(
        session,
        update(Subscription)
        .where(_is_overdue(), Subscription.unsubscribed_at.is_not(None))
        .values(state=SubscriptionState.UNSUBSCRIBED),
    )


def _forget_sign_ups(session: Session) -> int:
    return _count(session, delete(Subscription).where(_is_overdue(), Subscription.unsubscribed_at.is_(None)))


def _forget_subscribers(session: Session) -> int:
    """People of whom nothing is left but an address somebody typed. The proof that they were asked stays, without
    where it came from.
    """
    nobody = (
        select(Subscriber.id)
        .where(
            Subscriber.created_at <= func.now() - dt.timedelta(days=CONFIRM_DAYS),
            Subscriber.erased_at.is_(None),
            ~exists().where(Subscription.subscriber_id == Subscriber.id),
            ~exists().where(Delivery.subscriber_id == Subscriber.id),
        )
        .with_for_update(skip_locked=True)
    )
    ids = session.scalars(nobody).all()
    session.execute(update(Consent).where(Consent.subscriber_id.in_(ids)).values(ip=None, user_agent=""))
    return _count(session, delete(Subscriber).where(Subscriber.id.in_(ids)))


def _forget_letters(session: Session) -> int:
    """What a letter said, its links first of all; that it was sent stays."""
    return _count(
        session,
        update(Letter)
        .where(
            Letter.created_at <= func.now() - dt.timedelta(days=get_settings().letter_days),
            Letter.state.not_in([LetterState.QUEUED, LetterState.CLAIMED]),
            Letter.parameters != {},
        )
        .values(parameters={}),
    )


def _forget_traces(session: Session) -> int:
    """The proof stays: what was shown, what was answered and when. Where it came from has its own time."""
    kept = dt.timedelta(days=get_settings().consent_trace_days)
    return _count(
        session,
        update(Consent)
        .where(Consent.at <= func.now() - kept, Consent.ip.is_not(None) | (Consent.user_agent != ""))
        .values(ip=None, user_agent=""),
    )


def _forget_events(session: Session, table: type[Open] | type[Click]) -> int:
    """That it was opened, and whether by a person, stays."""
    kept = dt.timedelta(days=get_settings().event_trace_days)
    return _count(
        session,
        update(table)
        .where(table.at <= func.now() - kept, table.ip.is_not(None) | (table.user_agent != ""))
        .values(ip=None, user_agent=""),
    )


def _forget_replies(session: Session, table: type[Attempt] | type[Delivery], column: InstrumentedAttribute[Any]) -> int:
    """Servers quote addresses in their replies. A sweep takes a bounded piece: the next one goes on."""
    kept = dt.timedelta(days=get_settings().reply_days)
    old = select(table.id).where(column <= func.now() - kept, table.reply != "").limit(REPLIES_AT_ONCE)
    return _count(session, update(table).where(table.id.in_(old)).values(reply=""))


def _forget_refusals(session: Session) -> int:
    """Reports of refused lines and of directories; files that were uploaded and never imported go with their rows."""
    old = func.now() - dt.timedelta(days=get_settings().refusal_days)
    done = select(ImportRun.id).where(func.coalesce(ImportRun.finished_at, ImportRun.created_at) <= old)
    session.execute(
        update(ImportRun)
        .where(ImportRun.created_at <= old, ImportRun.state.in_([ImportState.UPLOADED, ImportState.CHECKED]))
        .values(state=ImportState.CANCELLED, finished_at=func.now())
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(ImportChunk).where(ImportChunk.run_id.in_(done.where(ImportRun.state.in_(IMPORT_OVER)))))
    read = select(DirectoryRun.id).where(DirectoryRun.finished_at <= old)
    found = _count(session, delete(DirectoryFinding).where(DirectoryFinding.run_id.in_(read)))
    return found + _count(session, delete(ImportRefusal).where(ImportRefusal.run_id.in_(done)))


def _count(session: Session, statement: Delete | Update) -> int:
    result = session.execute(statement.execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", result).rowcount
