"""Finding readers, and what is known of one of them, for the pages of admins."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from mailer.addresses import mend
from mailer.audience.former import list_keys
from mailer.audience.models import Consent, Subscriber, Subscription, Suppression
from mailer.audience.rules import SubscriptionState
from mailer.audience.subscriptions import list_ids_of
from mailer.errors import NotFoundError
from mailer.i18n import N_
from mailer.newsletters.models import List

PAGE_SIZE = 50
# So many of the newest are looked through for a part of an address before the index of parts is asked for all of it.
WINDOW = 20_000


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """Something that happened to a reader. `kind` is ``consent.<act>``, ``suppression.<reason>`` or
    ``suppression.lifted``; `details` are what the line can tell besides.
    """

    at: dt.datetime
    kind: str
    list_id: int | None
    newsletter_id: int | None
    details: dict[str, Any]


def get_subscriber(session: Session, subscriber_id: int) -> Subscriber:
    """Raises `NotFoundError`."""
    subscriber = session.get(Subscriber, subscriber_id, options=[selectinload(Subscriber.subscriptions)])
    if subscriber is None:
        raise NotFoundError(N_("There is no such subscriber."))
    return subscriber


def list_subscribers(
    session: Session,
    *,
    search: str = "",
    list_id: int | None = None,
    state: SubscriptionState | None = None,
    before_id: int | None = None,
    limit: int = PAGE_SIZE,
) -> Sequence[Subscriber]:
    """The newest first, with their subscriptions; `before_id` is the last id of the page before, so that a page edge
    neither skips nor repeats anybody. `search` is a part of an address, read as it would be at sign-up.
    """
    query = select(Subscriber).where(Subscriber.erased_at.is_(None))
    # The order is the index's that finds them: a page costs its rows, not the list's.
    order: InstrumentedAttribute[int] = Subscriber.id
    if list_id is not None:
        query = query.join(Subscription).where(Subscription.list_id == list_id)
        order = Subscription.subscriber_id
        if state is not None:
            query = query.where(Subscription.state == state)
    elif state is not None:
        chosen = exists().where(Subscription.subscriber_id == Subscriber.id, Subscription.state == state)
        query = query.where(chosen)
    everybody = query
    if search.strip():
        query = query.where(is_found(search))
        order = Subscriber.id
    if before_id is not None:
        # Both say the same; a merge join must be told so, or it walks one side from the newest.
        query = query.where(order < before_id, Subscriber.id < before_id)
        everybody = everybody.where(Subscriber.id < before_id)
    page = query.options(selectinload(Subscriber.subscriptions)).order_by(order.desc()).limit(limit)
    if list_id is not None or not search.strip():
        return session.scalars(page).all()
    # The same condition, but none that the index of parts could answer: those in the window are walked over.
    walked = everybody.where(_holds(Subscriber.email_key + "", search))
    return _look_for(session, query, page, walked, before_id=before_id, limit=limit)


def _look_for(
    session: Session,
    query: Select[Subscriber],
    page: Select[Subscriber],
    walked: Select[Subscriber],
    *,
    before_id: int | None,
    limit: int,
) -> Sequence[Subscriber]:
    """A page of those found by a part of their address. What many have is found among the newest, what few have by the
    index of parts. PostgreSQL chooses between the two by a guess, and when that is wrong walks over everybody.
    """
    newest = select(Subscriber.id).order_by(Subscriber.id.desc()).offset(WINDOW).limit(1)
    if before_id is not None:
        newest = newest.where(Subscriber.id < before_id)
    edge = session.scalar(newest)
    if edge is None:
        return session.scalars(page).all()
    newest_found = walked.where(Subscriber.id > edge).order_by(Subscriber.id.desc()).limit(limit)
    among_newest = session.scalars(newest_found.options(selectinload(Subscriber.subscriptions))).all()
    if len(among_newest) == limit:
        return among_newest
    # Without an order and a limit there is nothing to walk for; both come after it.
    found = query.with_only_columns(Subscriber.id).cte("found").prefix_with("MATERIALIZED")
    first = select(found.c.id).order_by(found.c.id.desc()).limit(limit)
    wanted = select(Subscriber).where(Subscriber.id.in_(first)).options(selectinload(Subscriber.subscriptions))
    return session.scalars(wanted.order_by(Subscriber.id.desc())).all()


def is_found(search: str) -> ColumnElement[bool]:
    """A condition on `Subscriber`: `search` is a part of the address, read as it would be at sign-up."""
    return _holds(Subscriber.email_key, search)


def _holds(key: ColumnElement[str] | InstrumentedAttribute[str], search: str) -> ColumnElement[bool]:
    return key.contains(mend(search).casefold(), autoescape=True)


def get_history(session: Session, subscriber_id: int) -> list[HistoryEntry]:
    """Consents and suppressions of one reader, newest first, those of addresses they had before too. Deliveries are
    dispatch's to tell.
    """
    subscriber = get_subscriber(session, subscriber_id)
    ids = list_ids_of(session, subscriber.id)
    entries = [
        HistoryEntry(
            consent.at,
            f"consent.{consent.act}",
            consent.list_id,
            newsletter_id,
            {
                "wording": consent.wording,
                "basis": consent.basis,
                "ip": str(consent.ip) if consent.ip else None,
                "user_agent": consent.user_agent,
                "decided_by": consent.decided_by,
                "decided_on": consent.decided_on,
                "account_id": consent.account_id,
            },
        )
        for consent, newsletter_id in session.execute(
            select(Consent, List.newsletter_id)
            .join(List, List.id == Consent.list_id)
            .where(Consent.subscriber_id.in_(ids))
        )
    ]
    keys = list_keys(session, subscriber.email_key, ids)
    for row in session.scalars(select(Suppression).where(Suppression.email_key.in_(keys))):
        details = {"id": row.id, "note": row.note, "reason": row.reason, "delivery_id": row.delivery_id}
        entries.append(HistoryEntry(row.created_at, f"suppression.{row.reason}", None, row.newsletter_id, details))
        if row.lifted_at is not None:
            entries.append(HistoryEntry(row.lifted_at, "suppression.lifted", None, row.newsletter_id, details))
    return sorted(entries, key=lambda entry: entry.at, reverse=True)
