"""Subscribers as rows of a file, to take away or to read in again; `spreadsheets` writes the file."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.addresses import readable
from mailer.audience.import_models import ImportRefusal
from mailer.audience.models import Segment, Subscriber, Subscription, Suppression
from mailer.audience.rules import SubscriptionState, SuppressionReason
from mailer.audience.searching import is_found
from mailer.audience.segmenting import IssueTimes, condition
from mailer.audience.spreadsheets import Row
from mailer.newsletters.models import List, Newsletter

# Our own import recognises a file with these columns, and who has left in it.
COLUMNS = (
    "email", "name", "language", "newsletter", "list", "state", "source", "subscribed_at", "confirmed_at",
    "unsubscribed_at", "attributes",
)  # fmt: skip
SUPPRESSION_COLUMNS = ("email", "newsletter", "reason", "note", "since", "expires_at", "lifted_at")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which subscriptions: of a list, in a state, of readers with a part of an address, of a segment's members."""

    list_id: int | None = None
    state: SubscriptionState | None = None
    search: str = ""
    segment: Segment | None = None


def export_subscriptions(
    session: Session, selection: Selection | None = None, *, issue_times: IssueTimes | None = None
) -> Iterator[Row]:
    """Rows in `COLUMNS`, one subscription each, by address. Streamed: a million readers never stand in memory.

    Erased readers are left out. A selection by segment needs `issue_times`.
    """
    chosen = selection or Selection()
    query = (
        select(Subscriber, Subscription, List.name, Newsletter.title)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .join(List, List.id == Subscription.list_id)
        .join(Newsletter, Newsletter.id == List.newsletter_id)
        .where(Subscriber.erased_at.is_(None))
        .order_by(Subscriber.email_key, Subscription.id)
        .execution_options(yield_per=1000)
    )
    if chosen.list_id is not None:
        query = query.where(Subscription.list_id == chosen.list_id)
    if chosen.state is not None:
        query = query.where(Subscription.state == chosen.state)
    if chosen.search:
        query = query.where(is_found(chosen.search))
    if chosen.segment is not None and issue_times is not None:
        query = query.where(condition(chosen.segment.tree, issue_times))
    for subscriber, subscription, list_name, newsletter in session.execute(query):
        yield (
            readable(subscriber.email), subscriber.name, subscriber.locale, newsletter, list_name, subscription.state,
            subscription.source, subscription.created_at, subscription.confirmed_at, subscription.unsubscribed_at,
            json.dumps(subscriber.attributes, ensure_ascii=False) if subscriber.attributes else "",
        )  # fmt: skip


def export_refusals(session: Session, run_id: int, reasons: Mapping[str, str]) -> Iterator[Row]:
    """What an import refused, all of it: line, value, reason. `reasons` (by their gettext ids) are finished words."""
    refused = (
        select(ImportRefusal.line, ImportRefusal.value, ImportRefusal.reason)
        .where(ImportRefusal.run_id == run_id)
        .order_by(ImportRefusal.line)
        .execution_options(yield_per=1000)
    )
    for line, value, reason in session.execute(refused):
        yield line, value, reasons.get(reason, reason)


def export_suppressions(session: Session) -> Iterator[Row]:
    """Rows in `SUPPRESSION_COLUMNS`, lifted ones too. Of who was erased there is no address to write."""
    query = (
        select(Suppression, Newsletter.slug)
        .outerjoin(Newsletter, Newsletter.id == Suppression.newsletter_id)
        .where(Suppression.reason != SuppressionReason.ERASED, ~Suppression.email_key.startswith("erased:"))
        .order_by(Suppression.id)
        .execution_options(yield_per=1000)
    )
    for row, slug in session.execute(query):
        yield (
            readable(row.email_key), slug, row.reason, row.note, row.created_at, row.expires_at, row.lifted_at,
        )  # fmt: skip
