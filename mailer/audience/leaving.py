"""Leaving: one-click, the page behind the link, everything at once, and the undo right after."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from mailer.audience.models import LeaveReason, Subscriber, Subscription
from mailer.audience.rules import Act, SubscriptionState, SuppressionReason, WhyLeft
from mailer.audience.subscriptions import Evidence, apply, find_subscriber, lock_subscriber
from mailer.audience.suppressing import suppress, take_back_departure
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.links import UnsubscribeTarget
from mailer.newsletters.models import List
from mailer.newsletters.rules import check_paragraphs

# "Right after" means within a day: the mail that holds the link may be opened by somebody else years later.
UNDO_HOURS = 24
NOTE_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class Departure:
    """The lists that were left by this act, and none when there was nothing to leave any more."""

    list_ids: tuple[int, ...] = ()


def unsubscribe(
    session: Session,
    target: UnsubscribeTarget,
    *,
    wording: str = "",
    ip: str | None = None,
    user_agent: str = "",
) -> Departure:
    """Leaves every list of `target` (RFC 8058). Quiet when there is nothing to leave: a second time, a reader who was
    erased, a list that is gone.
    """
    subscriber = lock_subscriber(session, target.subscriber_id)
    if subscriber is None:
        return Departure()
    return _leave(session, subscriber, target.list_ids, Evidence(wording, ip, user_agent))


def leave_all(
    session: Session, subscriber_id: int, *, wording: str = "", ip: str | None = None, user_agent: str = ""
) -> Departure:
    """Leaves every list of every newsletter, and keeps the address from being imported again anywhere."""
    subscriber = lock_subscriber(session, subscriber_id)
    if subscriber is None:
        return Departure()
    list_ids = session.scalars(select(Subscription.list_id).where(Subscription.subscriber_id == subscriber.id)).all()
    suppress(session, email_key=subscriber.email_key, reason=SuppressionReason.UNSUBSCRIBED_ALL)
    return _leave(session, subscriber, list_ids, Evidence(wording, ip, user_agent))


def _leave(session: Session, subscriber: Subscriber, list_ids: Iterable[int], evidence: Evidence) -> Departure:
    changes = apply(session, subscriber, list_ids, Act.LEAVE, evidence, source="portal")
    return Departure(tuple(change.list_id for change in changes if change.is_real))


def list_remaining(session: Session, subscriber_id: int) -> tuple[int, ...]:
    """The lists the reader still receives."""
    subscriber_id = _now_called(session, subscriber_id)
    query = select(Subscription.list_id).where(
        Subscription.subscriber_id == subscriber_id, Subscription.state == SubscriptionState.CONFIRMED
    )
    return tuple(session.scalars(query.order_by(Subscription.list_id)))


def find_undoable(session: Session, subscriber_id: int) -> tuple[int, ...]:
    """The lists left by the reader's last departure, when that is less than a day ago and it still stands."""
    subscriber_id = _now_called(session, subscriber_id)
    last = (
        select(func.max(Subscription.unsubscribed_at))
        .where(Subscription.subscriber_id == subscriber_id)
        .scalar_subquery()
    )
    # All lists left in one act bear the time of its transaction, to the microsecond.
    query = (
        select(Subscription.list_id)
        .join(List, List.id == Subscription.list_id)
        .where(
            Subscription.subscriber_id == subscriber_id,
            Subscription.state == SubscriptionState.UNSUBSCRIBED,
            Subscription.unsubscribed_at == last,
            Subscription.unsubscribed_at > func.now() - dt.timedelta(hours=UNDO_HOURS),
            List.archived_at.is_(None),
        )
        .order_by(Subscription.list_id)
    )
    return tuple(session.scalars(query))


def resubscribe(
    session: Session, subscriber_id: int, *, wording: str = "", ip: str | None = None, user_agent: str = ""
) -> tuple[int, ...]:
    """The undo: the lists of the last departure, left less than a day ago, are subscribed to again. Gives back which;
    none when it is too late or was undone already.
    """
    subscriber = lock_subscriber(session, subscriber_id)
    if subscriber is None:
        return ()
    list_ids = find_undoable(session, subscriber.id)
    evidence = Evidence(wording, ip, user_agent)
    changes = apply(session, subscriber, list_ids, Act.UNDO, evidence, source="portal")
    if list_ids:
        take_back_departure(session, subscriber.email_key)
    return tuple(change.list_id for change in changes if change.is_real)


def _now_called(session: Session, subscriber_id: int) -> int:
    """A link in an old mail may name a reader who has been merged with another since."""
    subscriber = find_subscriber(session, subscriber_id)
    return subscriber.id if subscriber is not None else subscriber_id


def say_why(session: Session, subscriber_id: int, list_ids: Iterable[int], reason: str, note: str = "") -> None:
    """What the reader cared to say on leaving. Quiet when there is nobody to say it; raises `RuleError`."""
    try:
        why = WhyLeft(reason)
    except ValueError:
        raise RuleError(N_("There is no such choice.")) from None
    note = check_paragraphs(note)
    if len(note) > NOTE_LENGTH:
        raise RuleError(N_("This is too long: at most %(length)s characters."), length=NOTE_LENGTH)
    subscriber = lock_subscriber(session, subscriber_id)
    if subscriber is None:
        return
    # Said again within the day, it replaces what was said first: one departure, one reason.
    a_day_ago = func.now() - dt.timedelta(days=1)
    session.execute(
        delete(LeaveReason).where(LeaveReason.subscriber_id == subscriber.id, LeaveReason.created_at > a_day_ago)
    )
    session.add(LeaveReason(subscriber_id=subscriber.id, list_ids=sorted(list_ids), reason=why, note=note))
    session.flush()
