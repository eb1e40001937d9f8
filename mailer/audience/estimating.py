"""How many readers a segment holds and some of them, in the time that a form has while it is filled in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import TypeVar

from psycopg.errors import QueryCanceled
from sqlalchemy import ARRAY, BigInteger, any_, cast, func, select, tablesample, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from mailer.audience.conditions import Node
from mailer.audience.models import Subscriber
from mailer.audience.segmenting import IssueTimes, condition, count_members, list_sample

# Readers looked at for an estimate, and how many of them must be in the segment for it to tell something.
SAMPLE_ROWS, LEAST_FOUND = 5_000, 25
EXACT_BELOW = 60_000
# Milliseconds for a count, and as many for the newest: what few readers meet, and no index knows, is a walk over all.
PATIENCE = 40
# As of the last ANALYZE: exact enough for a projection, and no walk over the table.
_ROWS = text("SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'subscribers'::regclass")

T = TypeVar("T")


class Certainty(StrEnum):
    """What a number is worth: counted, projected from a sample, or a bound that is passed by a rare chance only."""

    EXACT = "exact"
    ABOUT = "about"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class Glance:
    """How many readers meet a segment's conditions, and some of them: the newest, or whom the sample happened on."""

    count: int
    certainty: Certainty
    readers: Sequence[Subscriber]
    are_newest: bool


def glance(session: Session, tree: Node, issue_times: IssueTimes, *, limit: int = 5) -> Glance:
    """Counted where they are few or quickly found, else projected from a random sample of the table's pages, so that a
    form can say it while it is filled in. Erased readers never count.
    """

    def count() -> int:
        return count_members(session, tree, issue_times)

    def newest() -> list[Subscriber]:
        return list_sample(session, tree, issue_times, limit=limit)

    rows = session.scalar(_ROWS) or 0
    if rows <= EXACT_BELOW:
        return Glance(count(), Certainty.EXACT, newest(), are_newest=True)
    looked_at, found = _take_sample(session, tree, issue_times, rows)
    readers = _in_time(session, newest)
    are_newest = readers is not None
    if readers is None:
        among = select(Subscriber).where(Subscriber.id.in_(found[:limit])).order_by(Subscriber.id.desc())
        readers = list(session.scalars(among))
    if len(found) >= LEAST_FOUND:
        return Glance(round(rows * len(found) / looked_at), Certainty.ABOUT, readers, are_newest)
    counted = _in_time(session, count)
    if counted is not None:
        return Glance(counted, Certainty.EXACT, readers, are_newest)
    # Poisson: so many more than were found would have shown themselves in 997 of 1,000 samples at least.
    most = len(found) + 3 * len(found) ** 0.5 + 6
    return Glance(10 * ceil(rows * most / max(looked_at, 1) / 10), Certainty.BELOW, readers, are_newest)


def _take_sample(session: Session, tree: Node, issue_times: IssueTimes, rows: int) -> tuple[int, list[int]]:
    """How many readers were looked at, and the numbers of those who meet the conditions, the newest first."""
    sampled = tablesample(Subscriber.__table__, func.system(100 * SAMPLE_ROWS / rows))
    ids = list(session.scalars(select(sampled.c.id)))
    # By their numbers, so that the question costs the sample and not the table; nor may it walk over all subscriptions
    # where the planner expects few to meet the conditions.
    session.execute(text("SET LOCAL enable_seqscan = off"))
    chosen = Subscriber.id == any_(cast(ids, ARRAY(BigInteger)))
    held = select(Subscriber.id).where(chosen, Subscriber.erased_at.is_(None), condition(tree, issue_times))
    found = sorted(session.scalars(held), reverse=True)
    session.execute(text("SET LOCAL enable_seqscan = DEFAULT"))
    return len(ids), found


def _in_time(session: Session, ask: Callable[[], T]) -> T | None:
    """What `ask` finds; `None` when it takes longer than `PATIENCE`. The transaction goes on either way."""
    try:
        with session.begin_nested():
            session.execute(text(f"SET LOCAL statement_timeout = {PATIENCE}"))
            found = ask()
            session.execute(text("SET LOCAL statement_timeout = DEFAULT"))
            return found
    except OperationalError as error:
        if not isinstance(error.orig, QueryCanceled):
            raise
        return None
