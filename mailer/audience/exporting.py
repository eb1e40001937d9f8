"""Subscribers as a CSV file, to take away or to read in again."""

import csv
import io
from collections.abc import Iterator, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.addresses import readable
from mailer.audience.models import ImportRefusal, Subscriber, Subscription
from mailer.audience.rules import SubscriptionState
from mailer.newsletters.models import List, Newsletter

COLUMNS = ("email", "name", "newsletter", "list", "state", "source", "subscribed_at", "confirmed_at", "unsubscribed_at")
# What spreadsheets take for a formula when a cell begins with it (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export_subscriptions(
    session: Session, *, list_id: int | None = None, state: SubscriptionState | None = None
) -> Iterator[str]:
    """Lines of the file, one subscription each, by address; begins with a BOM, since Excel reads Chinese only then.

    Streamed: a million readers never stand in memory. Erased readers are left out.
    """
    yield "\ufeff" + _line(COLUMNS)
    query = (
        select(Subscriber, Subscription, List.name, Newsletter.title)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .join(List, List.id == Subscription.list_id)
        .join(Newsletter, Newsletter.id == List.newsletter_id)
        .where(Subscriber.erased_at.is_(None))
        .order_by(Subscriber.email_key, Subscription.id)
        .execution_options(yield_per=1000)
    )
    if list_id is not None:
        query = query.where(Subscription.list_id == list_id)
    if state is not None:
        query = query.where(Subscription.state == state)
    for subscriber, subscription, list_name, newsletter in session.execute(query):
        yield _line(
            (
                readable(subscriber.email), subscriber.name, newsletter, list_name, subscription.state,
                subscription.source, subscription.created_at, subscription.confirmed_at, subscription.unsubscribed_at,
            )
        )  # fmt: skip


def export_refusals(
    session: Session, run_id: int, header: tuple[str, str, str], reasons: Mapping[str, str]
) -> Iterator[str]:
    """The report of what an import refused, all of it: line, value, reason. `header` and `reasons` (by their gettext
    ids) are finished words.
    """
    yield "\ufeff" + _line(header)
    refused = (
        select(ImportRefusal.line, ImportRefusal.value, ImportRefusal.reason)
        .where(ImportRefusal.run_id == run_id)
        .order_by(ImportRefusal.line)
        .execution_options(yield_per=1000)
    )
    for line, value, reason in session.execute(refused):
        yield _line((line, value, reasons.get(reason, reason)))


def _line(cells: tuple[object, ...]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([_safe(cell) for cell in cells])
    return buffer.getvalue()


def _safe(cell: object) -> object:
    if cell is None:
        return ""
    text = cell.isoformat(timespec="seconds") if hasattr(cell, "isoformat") else cell
    return f"'{text}" if isinstance(text, str) and text.startswith(_FORMULA) else text
