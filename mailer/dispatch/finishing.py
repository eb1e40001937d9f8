"""What is due, and what is over: which mailings a sender should turn to, and which have nothing left."""

from collections.abc import Collection

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mailer.db import now
from mailer.dispatch.claiming import list_suspended
from mailer.dispatch.models import Mailing
from mailer.dispatch.pace.windows import list_closed
from mailer.dispatch.plans import keep_to_indexes
from mailer.dispatch.relays.routing import has_route
from mailer.dispatch.rules import MailingState

# The groups that have queued rows, by hopping from one to the next in `ix_deliveries_due`: a handful of index look-ups,
# however long the roster.
QUEUED_PROVIDERS = text("""
WITH RECURSIVE hop(provider) AS (
    SELECT min(provider) FROM deliveries WHERE mailing_id = :mailing AND state = 'queued'
    UNION ALL
    SELECT (
        SELECT min(d.provider) FROM deliveries d
        WHERE d.mailing_id = :mailing AND d.state = 'queued' AND d.provider > hop.provider
    )
    FROM hop WHERE hop.provider IS NOT NULL
)
SELECT provider FROM hop WHERE provider IS NOT NULL
""")

IS_DUE = text("""
SELECT EXISTS (
    SELECT FROM unnest(CAST(:providers AS varchar[])) AS q(provider)
    CROSS JOIN LATERAL (
        SELECT FROM deliveries d
        WHERE d.mailing_id = :mailing AND d.provider = q.provider AND d.state = 'queued' AND d.next_attempt_at <= now()
        LIMIT 1
    ) due
)
""")

STILL_DRAINED = text("""
SELECT m.id FROM mailings m
WHERE m.state IN ('sending', 'paused', 'cancelled') AND m.finished_at IS NULL
  AND (CAST(:ids AS bigint[]) IS NULL OR m.id = ANY(:ids))
  AND NOT EXISTS (SELECT FROM deliveries d WHERE d.mailing_id = m.id AND d.state = 'queued')
  AND NOT EXISTS (SELECT FROM deliveries d WHERE d.mailing_id = m.id AND d.state = 'claimed')
ORDER BY m.id
""")
LOCKED = " FOR NO KEY UPDATE OF m SKIP LOCKED"
DRAINED = text(STILL_DRAINED.text + LOCKED)
FINISH = text("""
UPDATE mailings SET
    state = CASE WHEN state = 'cancelled' THEN state ELSE 'finished' END, finished_at = clock_timestamp()
WHERE id = ANY(:ids)
""")


def list_queued_providers(session: Session, mailing_id: int) -> list[str]:
    """The provider groups with queued deliveries in a mailing."""
    keep_to_indexes(session)
    return list(session.scalars(QUEUED_PROVIDERS, {"mailing": mailing_id}))


def list_due(session: Session) -> list[int]:
    """Mailings that are being sent and have a delivery that may be claimed now, in order of their ids.

    Neither those outside their sending window, nor those whose relays are all left alone.
    """
    sending = session.scalars(select(Mailing).where(Mailing.state == MailingState.SENDING).order_by(Mailing.id)).all()
    if not sending:
        return []
    suspended = list_suspended(session)
    closed = list_closed(session, sending, now(session))
    routed = {number: has_route(session, number) for number in {mailing.newsletter_id for mailing in sending}}
    due = []
    for mailing in sending:
        if mailing.id in closed or not routed[mailing.newsletter_id]:
            continue
        providers = [name for name in list_queued_providers(session, mailing.id) if name not in suspended]
        if providers and session.scalar(IS_DUE, {"mailing": mailing.id, "providers": providers}):
            due.append(mailing.id)
    return due


def next_due(session: Session, after: int) -> int | None:
    """Whose turn it is after mailing `after`: each in its turn, so that none starves the others."""
    due = list_due(session)
    return next((mailing_id for mailing_id in due if mailing_id > after), due[0] if due else None)


def finish_drained(session: Session, mailing_ids: Collection[int] | None = None) -> list[int]:
    """Ends the mailings in which nothing is queued or claimed any more; returns their ids.

    Of a cancelled one only the time is set. `mailing_ids` narrows the question. The rows are locked first and looked at
    again by a later snapshot: a person may just have sent an unknown delivery again.
    """
    ids = list(mailing_ids) if mailing_ids is not None else None
    keep_to_indexes(session)
    locked = session.scalars(DRAINED, {"ids": ids}).all()
    if not locked:
        return []
    drained = list(session.scalars(STILL_DRAINED, {"ids": list(locked)}))
    session.execute(FINISH, {"ids": drained})
    return drained
