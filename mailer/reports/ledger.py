"""Who received an issue, and what did their server say: the ledger to look through and to take away."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Select, Subquery, func, or_, select
from sqlalchemy.orm import Session

from mailer.audience.spreadsheets import Row
from mailer.dispatch.models import Attempt, Delivery
from mailer.dispatch.rules import DeliveryState
from mailer.feedback.models import Click, Open
from mailer.feedback.rules import Verdict
from mailer.newsletters.models import List

PAGE = 50
COLUMNS = (
    "delivery_id", "address", "lists", "state", "reason", "code", "enhanced_status", "reply", "attempts",
    "settled_at", "opened_at", "clicked_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Deliveries in the order of the roster; `before` and `after` are the ids to ask the neighbouring pages with."""

    deliveries: list[Delivery]
    before: int | None
    after: int | None


def list_deliveries(
    session: Session,
    mailing_id: int,
    *,
    state: DeliveryState | None = None,
    search: str = "",
    after: int | None = None,
    before: int | None = None,
) -> DeliveryPage:
    """`search` is part of an address, of a reply, or a reply code. `PAGE` rows, by id: no page skips a row."""
    query = _narrow(select(Delivery).where(Delivery.mailing_id == mailing_id), state, search)
    if before is not None:
        rows = list(session.scalars(query.where(Delivery.id < before).order_by(Delivery.id.desc()).limit(PAGE + 1)))
        has_more = len(rows) > PAGE
        rows = rows[:PAGE][::-1]
        return DeliveryPage(rows, rows[0].id if rows and has_more else None, rows[-1].id if rows else None)
    if after is not None:
        query = query.where(Delivery.id > after)
    rows = list(session.scalars(query.order_by(Delivery.id).limit(PAGE + 1)))
    has_more, rows = len(rows) > PAGE, rows[:PAGE]
    return DeliveryPage(rows, rows[0].id if rows and after is not None else None, rows[-1].id if has_more else None)


def _narrow(query: Select[Delivery], state: DeliveryState | None, search: str) -> Select[Delivery]:
    if state is not None:
        query = query.where(Delivery.state == state)
    words = search.strip()
    if not words:
        return query
    matches = [Delivery.address.icontains(words, autoescape=True), Delivery.reply.icontains(words, autoescape=True)]
    if words.isdecimal() and len(words) == 3:
        matches.append(Delivery.code == int(words))
    return query.where(or_(*matches))


def list_attempts(session: Session, delivery_id: int) -> list[Attempt]:
    """Every SMTP transaction of one delivery, oldest first."""
    return list(session.scalars(select(Attempt).where(Attempt.delivery_id == delivery_id).order_by(Attempt.id)))


def export_deliveries(session: Session, mailing_id: int) -> Iterator[Row]:
    """The whole ledger in `COLUMNS`, streamed; `spreadsheets` writes the file."""
    names: dict[int, str] = {row.id: row.name for row in session.execute(select(List.id, List.name))}
    opened, clicked = _first_human(Open, mailing_id), _first_human(Click, mailing_id)
    rows = session.execute(
        select(Delivery, opened.c.at, clicked.c.at)
        .outerjoin(opened, opened.c.delivery_id == Delivery.id)
        .outerjoin(clicked, clicked.c.delivery_id == Delivery.id)
        .where(Delivery.mailing_id == mailing_id)
        .order_by(Delivery.id)
        .execution_options(yield_per=1000)
    )
    for delivery, opened_at, clicked_at in rows:
        yield (
            delivery.id, delivery.address, "; ".join(names.get(i, str(i)) for i in delivery.list_ids),
            delivery.state, delivery.reason, delivery.code, delivery.enhanced, delivery.reply, delivery.attempts,
            delivery.settled_at, opened_at, clicked_at,
        )  # fmt: skip


def _first_human(table: type[Open | Click], mailing_id: int) -> Subquery:
    return (
        select(table.delivery_id, func.min(table.at).label("at"))
        .where(table.mailing_id == mailing_id, table.verdict == Verdict.HUMAN)
        .group_by(table.delivery_id)
        .subquery()
    )
