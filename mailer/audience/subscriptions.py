"""How a subscription's state changes: by an act, under lock, each change with its evidence."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mailer.audience.models import Consent, Subscriber, Subscription
from mailer.audience.rules import Act, ConsentAct, SubscriptionState, next_state

USER_AGENT_LENGTH = 400


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is kept of the request that changed something: the sentence shown, exactly, and where it came from."""

    wording: str = ""
    ip: str | None = None
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A subscription before and after an act; `None` is no subscription."""

    list_id: int
    old: SubscriptionState | None
    new: SubscriptionState | None

    @property
    def is_real(self) -> bool:
        """Whether the state is another one now."""
        return self.old != self.new


def lock_subscriber(session: Session, subscriber_id: int) -> Subscriber | None:
    """The subscriber, locked until the transaction ends; `None` when unknown or erased.

    Whoever changes a reader's subscriptions one by one locks the reader first, so that acts of one person queue up.
    """
    subscriber = session.get(Subscriber, subscriber_id, with_for_update=True, populate_existing=True)
    return None if subscriber is None or subscriber.erased_at is not None else subscriber


def apply(
    session: Session, subscriber: Subscriber, list_ids: Iterable[int], act: Act, evidence: Evidence, *, source: str
) -> list[Change]:
    """Does `act` to the subscriber's subscriptions of these lists; each one that it concerns gets a consent row.

    The caller holds the lock on the subscriber.
    """
    changes = []
    for list_id in sorted(set(list_ids)):
        change = _apply_one(session, subscriber.id, list_id, act, source)
        changes.append(change)
        is_asked_again = change.new is SubscriptionState.UNCONFIRMED and act in {Act.SIGN_UP, Act.JOIN}
        if change.is_real or is_asked_again:
            session.add(_consent(subscriber.id, change, evidence))
    session.flush()
    return changes


def _apply_one(session: Session, subscriber_id: int, list_id: int, act: Act, source: str) -> Change:
    row = _lock(session, subscriber_id, list_id)
    first = next_state(None, act)
    if row is None and first is not None:
        values = {"subscriber_id": subscriber_id, "list_id": list_id, "state": first, "source": source}
        values |= _times(first)
        made = session.scalar(insert(Subscription).values(**values).on_conflict_do_nothing().returning(Subscription.id))
        if made is not None:
            return Change(list_id, None, first)
        # An import made the row between the two statements.
        row = _lock(session, subscriber_id, list_id)
    if row is None:
        return Change(list_id, None, None)
    old, new = row.state, next_state(row.state, act)
    assert new is not None
    if new != old:
        row.state = new
        for name, value in _times(new).items():
            setattr(row, name, value)
    return Change(list_id, SubscriptionState(old), SubscriptionState(new))


def _times(state: SubscriptionState) -> dict[str, Any]:
    """An unconfirmed return keeps the time of the departure: until it is confirmed, its reader is one who left."""
    if state is SubscriptionState.CONFIRMED:
        return {"confirmed_at": func.now(), "unsubscribed_at": None}
    return {"unsubscribed_at": func.now()} if state is SubscriptionState.UNSUBSCRIBED else {}


def _lock(session: Session, subscriber_id: int, list_id: int) -> Subscription | None:
    return session.scalar(
        select(Subscription)
        .where(Subscription.subscriber_id == subscriber_id, Subscription.list_id == list_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _consent(subscriber_id: int, change: Change, evidence: Evidence) -> Consent:
    if change.new is SubscriptionState.UNCONFIRMED:
        answer = ConsentAct.ASKED
    elif change.new is SubscriptionState.UNSUBSCRIBED:
        answer = ConsentAct.WITHDRAWN
    else:
        answer = ConsentAct.CONFIRMED
    return Consent(
        subscriber_id=subscriber_id,
        list_id=change.list_id,
        act=answer,
        wording=evidence.wording,
        ip=evidence.ip,
        user_agent=evidence.user_agent[:USER_AGENT_LENGTH],
    )
