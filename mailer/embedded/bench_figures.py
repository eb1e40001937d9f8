"""What the ledger itself tells of a mailing that was measured."""

import time
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from mailer.dispatch.models import Mailing
from mailer.dispatch.rules import DeliveryState

LATENCIES = text("""
SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY duration_ms) FROM attempts
WHERE outcome = 'accepted'
""")
TENTHS = text("""
SELECT count(*) AS settled, extract(epoch FROM max(settled_at) - min(settled_at)) AS seconds
FROM (
    SELECT settled_at, ntile(10) OVER (ORDER BY settled_at) AS tenth FROM deliveries
    WHERE mailing_id = :mailing AND settled_at IS NOT NULL
) t
GROUP BY tenth ORDER BY tenth
""")
# The rows of the first set were on their way before it was written: they are no part of a rate.
BY_PROVIDER = text("""
SELECT t.provider, count(*) AS accepted, min(t.settled_at) AS first, max(t.settled_at) AS last,
    count(*) FILTER (WHERE t.settled_at > t.began) AS later
FROM (
    SELECT provider, settled_at, min(settled_at) OVER (PARTITION BY provider) AS began FROM deliveries
    WHERE mailing_id = :mailing AND state = 'accepted'
) t
GROUP BY t.provider ORDER BY t.provider
""")
STATES = text("SELECT state, count(*) FROM deliveries WHERE mailing_id = :mailing GROUP BY state")

# The roster's rows once more, as they were when they were queued, into a table with the same indexes and keys.
MAKE_REFERENCE = (
    "CREATE TABLE bare_deliveries (LIKE deliveries INCLUDING ALL)",
    "ALTER TABLE bare_deliveries ADD FOREIGN KEY (mailing_id) REFERENCES mailings (id)",
)
FILL_REFERENCE = text("""
INSERT INTO bare_deliveries (mailing_id, subscriber_id, address, provider, list_ids, state, reason, attempts, faults,
    reply, queued_at, next_attempt_at)
SELECT mailing_id, subscriber_id, address, provider, list_ids, 'queued', '', 0, 0, '', queued_at, queued_at
FROM deliveries WHERE mailing_id = :mailing ORDER BY subscriber_id
""")


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds from the launch to the frozen roster, and from there until nothing was left."""

    prepare: float
    send: float


def times(mailing: Mailing) -> Times:
    """By PostgreSQL's clock; 0 for what did not happen."""
    launched, prepared, finished = mailing.launched_at, mailing.prepared_at, mailing.finished_at
    return Times(
        (prepared - launched).total_seconds() if launched and prepared else 0.0,
        (finished - prepared).total_seconds() if prepared and finished else 0.0,
    )


def states(session: Session, mailing: Mailing) -> dict[str, int]:
    """Roster and deliveries by state."""
    counts = {state.value: 0 for state in DeliveryState}
    counts.update({row.state: row.count for row in session.execute(STATES, {"mailing": mailing.id})})
    return {"roster": mailing.roster_size or 0, **counts}


def latencies(session: Session) -> dict[str, float]:
    """Milliseconds of a message's transaction, from its commands ready to the reply after its final dot."""
    found = session.scalar(LATENCIES) or [0.0, 0.0, 0.0]
    return dict(zip(("p50", "p95", "p99"), map(float, found), strict=True))


def by_provider(session: Session, mailing: Mailing) -> dict[str, dict[str, float]]:
    """Of each provider group: how many were accepted, when the first and the last were settled (seconds after the
    roster was frozen), and messages a second between the two.
    """
    found = {}
    for row in session.execute(BY_PROVIDER, {"mailing": mailing.id}):
        began = mailing.prepared_at or row.first
        first, last = ((at - began).total_seconds() for at in (row.first, row.last))
        rate = row.later / (last - first) if last > first else 0.0
        found[row.provider] = {
            "accepted": row.accepted,
            "first_seconds": round(first, 3),
            "last_seconds": round(last, 3),
            "messages_per_second": round(rate, 2),
        }
    return found


def rate_by_tenth(session: Session, mailing_id: int) -> list[float]:
    """Messages a second while each tenth of the roster was settled: flat where claims stay as quick as they began."""
    return [
        row.settled / float(row.seconds) if row.seconds else 0.0
        for row in session.execute(TENTHS, {"mailing": mailing_id})
    ]


def reference(session: Session, mailing_id: int) -> dict[str, float]:
    """How long a bare ``INSERT … SELECT`` of the roster takes, its commit included."""
    for statement in MAKE_REFERENCE:
        session.execute(text(statement))
    session.commit()
    began = time.perf_counter()
    session.execute(FILL_REFERENCE, {"mailing": mailing_id})
    session.commit()
    return {"insert_seconds": round(time.perf_counter() - began, 3)}
