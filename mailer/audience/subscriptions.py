"""How a subscription's state changes: by an act, under lock, each change with its evidence."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mailer.audience.models import Consent, Subscriber, Subscription
from mailer.audience.rules import Act, ConsentAct, SubscriptionState, next_state
from mailer.audience.wordings import find_or_add_wording

USER_AGENT_LENGTH = 400
# The source of a subscription that a directory made, and may end.
FROM_DIRECTORY = "directory"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is kept of the request that changed something: the sentence shown, exactly, and where it came from.

    `letter_message_id` and `letter_at` are those of the letter whose button was pressed, where there was one.
    """

    wording: str = ""
    ip: str | None = None
    user_agent: str = ""
    letter_message_id: str = ""
    letter_at: dt.datetime | None = None


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


def find_subscriber(session: Session, subscriber_id: int) -> Subscriber | None:
    """The subscriber a link names, not locked; `None` when unknown or erased. Who was merged with another is that one:
    the links in old mail work on.
    """
    subscriber = session.get(Subscriber, subscriber_id)
    while subscriber is not None and subscriber.merged_into_id is not None:
        subscriber = session.get(Subscriber, subscriber.merged_into_id)
    return None if subscriber is None or subscriber.erased_at is not None else subscriber


def lock_subscriber(session: Session, subscriber_id: int) -> Subscriber | None:
    """As `find_subscriber`, locked until the transaction ends.

    Whoever changes a reader's subscriptions one by one locks the reader first, so that acts of one person queue up.
    """
    subscriber = session.get(Subscriber, subscriber_id, with_for_update=True, populate_existing=True)
    while subscriber is not None and subscriber.merged_into_id is not None:
        subscriber = session.get(Subscriber, subscriber.merged_into_id, with_for_update=True, populate_existing=True)
    return None if subscriber is None or subscriber.erased_at is not None else subscriber


def list_ids_of(session: Session, subscriber_id: int) -> list[int]:
    """The rows that are this reader: their own, and those merged into it, and so on."""
    ids, found = [], [subscriber_id]
    while found:
        ids += found
        found = list(session.scalars(select(Subscriber.id).where(Subscriber.merged_into_id.in_(found))))
    return ids


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
            session.add(_consent(session, subscriber.id, change, act, evidence))
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
    if new == old == SubscriptionState.CONFIRMED and row.source == FROM_DIRECTORY and act in {Act.SIGN_UP, Act.JOIN}:
        # They want it themselves: it does not end with their place in the directory.
        row.source = source
    if new != old:
        row.state = new
        # What waited for a confirmation has been taken over, or was not wanted.
        row.answers = {}
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


def _consent(session: Session, subscriber_id: int, change: Change, act: Act, evidence: Evidence) -> Consent:
    if change.new is SubscriptionState.UNCONFIRMED:
        answer = ConsentAct.ASKED
    elif change.new is SubscriptionState.UNSUBSCRIBED:
        answer = ConsentAct.WITHDRAWN
    elif change.new is SubscriptionState.REMOVED:
        answer = ConsentAct.REMOVED
    else:
        answer = ConsentAct.CONFIRMED
    return Consent(
        subscriber_id=subscriber_id,
        list_id=change.list_id,
        act=answer,
        wording=evidence.wording,
        wording_id=_version(session, act, evidence.wording),
        ip=evidence.ip,
        user_agent=evidence.user_agent[:USER_AGENT_LENGTH],
        letter_message_id=evidence.letter_message_id,
        letter_at=evidence.letter_at,
    )


# What each agreeing act's sentence is called in the register of wordings. A departure needs no agreement, so its
# words, which may name the mail that was left, are kept with it alone.
_AGREEING = {Act.SIGN_UP: "sign_up", Act.JOIN: "sign_up", Act.CONFIRM: "confirm", Act.CHOOSE: "choose"}


def _version(session: Session, act: Act, wording: str) -> int | None:
    kind = _AGREEING.get(act)
    return find_or_add_wording(session, kind, wording).id if kind and wording else None
