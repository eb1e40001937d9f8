"""How many deliveries of a mailing are in which state, by provider: counted in the ledger itself, in one snapshot.

A count reads the whole roster. That of a long one is kept in Redis for twenty times as long as it took, and at least
`FRESH_SECONDS`: however many look at the page, counting takes a twentieth of one processor. A snapshot is never mixed
with another one: it is as old as it is, and its sum is the roster.
"""

import json
import time

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.dispatch.models import Delivery, Mailing
from mailer.dispatch.pace.buckets import connect
from mailer.dispatch.rules import DeliveryState, MailingState
from mailer.settings import get_settings

FRESH_SECONDS = 2.0
SHARE = 20
# A shorter roster is counted anew each time: tens of milliseconds.
LONG = 50_000

Counts = dict[tuple[DeliveryState, str], int]


def count_deliveries(session: Session, mailing: Mailing) -> Counts:
    """(state, provider) -> deliveries; of a long mailing that is being sent as they were a few seconds ago."""
    if (mailing.roster_size or 0) < LONG or mailing.state != MailingState.SENDING:
        return _count(session, mailing)
    with connect(get_settings().redis_url.get_secret_value()) as redis:
        kept = _read(redis, mailing)
        if kept is not None:
            return kept
        began = time.monotonic()
        counts = _count(session, mailing)
        _keep(redis, mailing, counts, max(FRESH_SECONDS, SHARE * (time.monotonic() - began)))
    return counts


def _count(session: Session, mailing: Mailing) -> Counts:
    rows = session.execute(
        select(Delivery.state, Delivery.provider, func.count())
        .where(Delivery.mailing_id == mailing.id)
        .group_by(Delivery.state, Delivery.provider)
    )
    return {(DeliveryState(state), provider): count for state, provider, count in rows}


def _key(mailing: Mailing) -> str:
    # Resumed, paused or prepared anew: what was counted before is not looked at again.
    at = max((moment.timestamp() for moment in (mailing.started_at, mailing.paused_at) if moment), default=0.0)
    return f"mailer:counts:{mailing.id}:{mailing.roster_size}:{at:.6f}"


def _read(redis: Redis, mailing: Mailing) -> Counts | None:
    try:
        kept = redis.get(_key(mailing))
    except (RedisError, OSError):
        return None
    if not isinstance(kept, bytes):
        return None
    return {(DeliveryState(state), provider): count for state, provider, count in json.loads(kept)}


def _keep(redis: Redis, mailing: Mailing, counts: Counts, seconds: float) -> None:
    try:
        rows = [[state.value, provider, count] for (state, provider), count in counts.items()]
        redis.set(_key(mailing), json.dumps(rows), px=round(1000 * seconds))
    except (RedisError, OSError):
        return
