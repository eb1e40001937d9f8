"""Claiming: a worker takes a few deliveries that are due, for as long as its lease lasts.

One statement decides everything: the mailing is being sent, its edition is the newest of an issue that stands approved,
the delivery is due, its provider is not suspended, nobody else holds it, its reader is neither suppressed nor has left
every list it came by. PostgreSQL's clock is the only one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from mailer.audience.models import Subscriber
from mailer.dispatch.models import Suspension
from mailer.dispatch.plans import keep_to_indexes
from mailer.dispatch.rules import SkipReason, SuspensionKind

# A suspension of this provider is one of the relay it names.
EVERYBODY = "*"

# Why a delivery `d` must not go out to its reader `b`, asked when it is claimed and again when it has waited.
_JUDGEMENT = """
            WHEN b.id IS NULL OR b.erased_at IS NOT NULL OR EXISTS (
                SELECT FROM suppressions x
                WHERE x.email_key = b.email_key AND x.lifted_at IS NULL
                  AND (x.expires_at IS NULL OR x.expires_at > now())
                  AND (x.newsletter_id IS NULL OR x.newsletter_id = {newsletter_id})
            ) THEN :suppressed
            WHEN b.paused_until > now() THEN :paused
            WHEN NOT EXISTS (
                SELECT FROM subscriptions s
                WHERE s.subscriber_id = d.subscriber_id AND s.list_id = ANY(d.list_ids) AND s.state = 'confirmed'
            ) THEN :unsubscribed"""

# For each provider its first due rows by the partial index `ix_deliveries_due`, however many others there are: the cost
# of a claim does not depend on the size of the roster. Locked rows are another worker's and are passed over; those
# locked here are queued, and nobody can change that before the UPDATE. The mailing's row is read in the same snapshot,
# so that a pause committed before this statement is obeyed by it.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT d.id, d.subscriber_id, d.list_ids, m.newsletter_id
    FROM mailings m
    JOIN issues i ON i.id = m.issue_id AND i.state = 'approved'
    CROSS JOIN unnest(CAST(:providers AS varchar[]), CAST(:quotas AS integer[])) AS q(provider, quota)
    CROSS JOIN LATERAL (
        SELECT e.id, e.subscriber_id, e.list_ids FROM deliveries e
        WHERE e.mailing_id = m.id AND e.provider = q.provider AND e.state = 'queued' AND e.next_attempt_at <= now()
        ORDER BY e.next_attempt_at, e.id
        LIMIT q.quota
        FOR NO KEY UPDATE SKIP LOCKED
    ) d
    WHERE m.id = :mailing AND m.state = 'sending'
      AND m.edition_id = (SELECT n.id FROM editions n WHERE n.issue_id = m.issue_id ORDER BY n.ordinal DESC LIMIT 1)
    LIMIT :batch
),
judged AS MATERIALIZED (
    SELECT d.id, coalesce(b.name, '') AS name,
        CASE {judgement}
        END AS skip
    FROM due d
    LEFT JOIN subscribers b ON b.id = d.subscriber_id
),
taken AS (
    UPDATE deliveries d SET
        state = CASE WHEN j.skip IS NULL THEN 'claimed' ELSE 'skipped' END,
        reason = coalesce(j.skip, d.reason),
        claimed_by = CASE WHEN j.skip IS NULL THEN CAST(:claimed_by AS varchar) END,
        lease_until = CASE WHEN j.skip IS NULL THEN now() + make_interval(secs => :lease) END,
        settled_at = CASE WHEN j.skip IS NULL THEN NULL ELSE now() END
    FROM judged j
    WHERE d.id = j.id
    RETURNING d.id, d.subscriber_id, d.address, d.provider, d.list_ids, d.attempts, d.faults,
        j.name, j.skip
)
SELECT id, subscriber_id, address, provider, list_ids, attempts, faults, name, skip FROM taken ORDER BY id
"""
CLAIM = text(_CLAIM.format(judgement=_JUDGEMENT.format(newsletter_id="d.newsletter_id")))

# What a worker must know again of claims that have waited: whether each is still its own, and still allowed.
_RECHECK = """
SELECT d.id,
    CASE
        WHEN m.state = 'cancelled' THEN :cancelled {judgement}
    END AS skip
FROM deliveries d
JOIN mailings m ON m.id = d.mailing_id
JOIN issues i ON i.id = m.issue_id
LEFT JOIN subscribers b ON b.id = d.subscriber_id
WHERE d.id = ANY(:ids) AND d.lease_until IS NOT NULL AND starts_with(d.claimed_by, :holder)
  AND (m.state = 'sending' AND i.state = 'approved' OR m.state = 'cancelled')
"""
RECHECK = text(_RECHECK.format(judgement=_JUDGEMENT.format(newsletter_id="m.newsletter_id")))

RENEW = text("""
UPDATE deliveries SET lease_until = now() + make_interval(secs => :lease)
WHERE id = ANY(:ids) AND lease_until IS NOT NULL AND starts_with(claimed_by, :holder)
""")


@dataclass(slots=True)
class Claim:
    """A delivery that this process may send now. `token` names the claim in the process's journal; `attributes` are the
    reader's, where the mailing shows any.
    """

    delivery_id: int
    subscriber_id: int
    address: str
    provider: str
    list_ids: tuple[int, ...]
    attempts: int
    faults: int
    name: str
    token: str
    attributes: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What a claim came to: deliveries to send, and how many were skipped on the spot."""

    claims: tuple[Claim, ...]
    skipped: int


def holder(key: str, token: str) -> str:
    """What `claimed_by` says: the journal of the process, and which of its claims."""
    return f"{key}/{token}"


def split_holder(claimed_by: str) -> tuple[str, str]:
    """(journal key, token) of a `claimed_by`."""
    key, _, token = claimed_by.rpartition("/")
    return key, token


def claim(
    session: Session,
    mailing_id: int,
    *,
    key: str,
    token: str,
    quotas: Mapping[str, int],
    batch: int,
    lease: int,
    has_attributes: bool = False,
) -> Batch:
    """Takes up to `batch` due deliveries of a mailing that is being sent, of each provider at most its quota.

    `key` is the journal of this process and `token` new for each claim. The caller commits, and then sends.
    """
    keep_to_indexes(session)
    rows = session.execute(
        CLAIM,
        {
            "mailing": mailing_id,
            "providers": list(quotas),
            "quotas": list(quotas.values()),
            "batch": batch,
            "claimed_by": holder(key, token),
            "lease": lease,
            "suppressed": SkipReason.SUPPRESSED,
            "paused": SkipReason.PAUSED,
            "unsubscribed": SkipReason.UNSUBSCRIBED,
        },
    ).all()
    # In the order of the columns and of the fields: names would cost three times as much as the claim itself.
    claims = tuple(
        [
            Claim(delivery_id, subscriber_id, address, provider, tuple(list_ids), attempts, faults, name, token)
            for delivery_id, subscriber_id, address, provider, list_ids, attempts, faults, name, skip in rows
            if skip is None
        ]
    )
    if has_attributes:
        _add_attributes(session, claims)
    return Batch(claims, len(rows) - len(claims))


def _add_attributes(session: Session, claims: Sequence[Claim]) -> None:
    """What personal slots show. A question of its own: few mailings have such slots, and all others claim without."""
    ids = [claim.subscriber_id for claim in claims]
    rows = session.execute(select(Subscriber.id, Subscriber.attributes).where(Subscriber.id.in_(ids)))
    told: dict[int, dict[str, Any]] = {row.id: row.attributes for row in rows}
    for claim in claims:
        claim.attributes = told.get(claim.subscriber_id)


def recheck(session: Session, key: str, delivery_ids: Sequence[int]) -> dict[int, SkipReason | None]:
    """Of these claims, those that are still this process's in a mailing that is not paused and still approved: why
    each must not be sent any more, or `None`. One that is missing has to be given back.
    """
    keep_to_indexes(session)
    rows = session.execute(
        RECHECK,
        {
            "ids": list(delivery_ids),
            "holder": f"{key}/",
            "suppressed": SkipReason.SUPPRESSED,
            "paused": SkipReason.PAUSED,
            "unsubscribed": SkipReason.UNSUBSCRIBED,
            "cancelled": SkipReason.CANCELLED,
        },
    )
    return {row.id: SkipReason(row.skip) if row.skip else None for row in rows}


def renew(session: Session, key: str, delivery_ids: Sequence[int], lease: int) -> None:
    """Lengthens the leases of what this process still holds."""
    keep_to_indexes(session)
    session.execute(RENEW, {"ids": list(delivery_ids), "holder": f"{key}/", "lease": lease})


def list_suspended(session: Session) -> set[str]:
    """Providers that are not to be tried now."""
    return set(
        session.scalars(
            select(Suspension.provider).where(
                Suspension.until > func.now(),
                Suspension.kind == SuspensionKind.SUSPENDED,
                Suspension.provider != EVERYBODY,
            )
        )
    )
