"""Settling: outcomes reach the ledger, a small set at a time, each in one synchronous commit.

A settlement only touches the claim it belongs to. Whoever comes second (a worker that was thought dead, a sweep that
runs twice) changes nothing.
"""

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import TextClause, func, select, text
from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.audience.models import Subscriber
from mailer.audience.rules import SuppressionReason
from mailer.audience.suppressing import suppress
from mailer.db import now
from mailer.dispatch.arrays import Array, of_flags, of_numbers, of_texts
from mailer.dispatch.envelopes import Result
from mailer.dispatch.models import Delivery, Mailing
from mailer.dispatch.outcomes import Attempted, Settlement
from mailer.dispatch.plans import keep_to_indexes
from mailer.dispatch.rules import (
    DELIVERY_TRANSITIONS,
    DeliveryEvent,
    DeliveryState,
    MailingEvent,
    MailingState,
    next_delivery_state,
    next_mailing_state,
)
from mailer.dispatch.suspending import suspend_providers
from mailer.newsroom.editions import get_approved_edition
from mailer.queue import TaskName, enqueue_after_commit

logger = logging.getLogger(__name__)

# PostgreSQL text cannot hold NUL, and a hostile server can send one.
NUL = "\0"

# What a settlement says: column, PostgreSQL's type, how a list of it is written.
_COLUMNS: tuple[tuple[str, str, Callable[[Sequence[Any]], Array]], ...] = (
    ("id", "bigint", of_numbers),
    ("holder", "varchar", of_texts),
    ("state", "varchar", of_texts),
    ("reason", "varchar", of_texts),
    ("wait", "double precision", of_numbers),
    ("attempts", "smallint", of_numbers),
    ("faults", "smallint", of_numbers),
    ("code", "smallint", of_numbers),
    ("enhanced", "varchar", of_texts),
    ("reply", "text", of_texts),
    ("provider", "varchar", of_texts),
    ("outcome", "varchar", of_texts),
    ("class", "varchar", of_texts),
    ("stage", "varchar", of_texts),
    ("relay", "varchar", of_texts),
    ("is_tls", "boolean", of_flags),
    ("duration", "integer", of_numbers),
)

# `progressed_at` is moved at most once a second: it is one row that every worker would otherwise queue for.
_SETTLE = """
WITH news AS (
    SELECT {columns} FROM unnest({arrays}) AS n({names})
),
settled AS (
    UPDATE deliveries d SET
        state = n.state,
        reason = n.reason,
        attempts = d.attempts + n.attempts,
        faults = d.faults + n.faults,
        next_attempt_at = coalesce(now() + make_interval(secs => n.wait), d.next_attempt_at),
        lease_until = NULL,
        claimed_by = CASE WHEN n.state = 'queued' THEN NULL ELSE d.claimed_by END,
        settled_at = CASE WHEN n.state = 'queued' THEN NULL ELSE now() END,
        code = CASE WHEN n.outcome IS NULL THEN d.code ELSE n.code END,
        enhanced = CASE WHEN n.outcome IS NULL THEN d.enhanced ELSE n.enhanced END,
        reply = CASE WHEN n.outcome IS NULL THEN d.reply ELSE n.reply END
    FROM news n
    -- Claimed, in the words that no partial index answers to: a planner that believes that nothing is claimed would
    -- read the index of all that is, once for each of these rows.
    WHERE d.id = n.id AND d.lease_until IS NOT NULL AND d.claimed_by = n.holder
    RETURNING d.id, d.mailing_id, d.state, n.provider, n.outcome, n.class, n.stage, n.code, n.enhanced, n.reply,
        n.relay, n.is_tls, n.duration
),
attempted AS (
    INSERT INTO attempts (delivery_id, provider, at, relay, outcome, reply_class, stage, code, enhanced, reply, is_tls,
        duration_ms)
    SELECT id, provider, now(), relay, outcome, class, stage, code, enhanced, reply, is_tls, duration
    FROM settled WHERE outcome IS NOT NULL
),
progressed AS (
    UPDATE mailings m SET progressed_at = now()
    WHERE m.id IN (SELECT DISTINCT mailing_id FROM settled WHERE state <> 'queued')
      AND (m.progressed_at IS NULL OR m.progressed_at < now() - interval '1 second')
)
-- Nearly always none, while those that were settled are hundreds.
SELECT id FROM news WHERE id NOT IN (SELECT id FROM settled)
"""


@lru_cache(maxsize=256)
def _statement(varying: frozenset[str]) -> TextClause:
    """SETTLE with a list for each of these columns, and one value for all rows of every other."""
    lists = [(name, kind) for name, kind, _write in _COLUMNS if name in varying]
    return text(
        _SETTLE.format(
            columns=", ".join(
                name if name in varying else f"CAST(:{name} AS {kind}) AS {name}" for name, kind, _write in _COLUMNS
            ),
            arrays=", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in lists),
            names=", ".join(name for name, _kind in lists),
        )
    )


def settle(session: Session, settlements: Sequence[Settlement]) -> set[int]:
    """Writes `settlements`; returns the deliveries that were indeed still held by those claims. The caller commits.

    In the same transaction an address that its own server called unknown is suppressed everywhere, and a provider that
    has said "slow down" too often is suspended.
    """
    if not settlements:
        return set()
    keep_to_indexes(session)
    statement, values = _write(settlements)
    late = session.scalars(statement, values).all()
    settled = {item.delivery_id for item in settlements}.difference(late)
    refused = {item.delivery_id: item for item in settlements if item.is_address_dead and item.delivery_id in settled}
    _suppress(session, refused)
    suspend_providers(session, [item for item in settlements if item.delivery_id in settled])
    if late:
        logger.warning("%d outcomes came too late: another process had settled them", len(late))
    return settled


def _write(settlements: Sequence[Settlement]) -> tuple[TextClause, dict[str, Any]]:
    """The statement and its parameters. Most sets are of messages that were all accepted by one relay: what is the same
    for a whole set travels once, and neither we nor PostgreSQL take it apart row by row.
    """
    columns: tuple[Sequence[Any], ...] = (
        [item.delivery_id for item in settlements],
        [item.claimed_by for item in settlements],
        [DELIVERY_TRANSITIONS[DeliveryState.CLAIMED, item.event].value for item in settlements],
        [item.reason for item in settlements],
        [item.wait.total_seconds() if item.wait is not None else None for item in settlements],
        [item.attempts for item in settlements],
        [item.faults for item in settlements],
        [item.code for item in settlements],
        [item.enhanced for item in settlements],
        [item.reply.replace(NUL, "") for item in settlements],
        [item.provider for item in settlements],
        *zip(*[_attempt_columns(item.attempt) for item in settlements], strict=True),
    )
    varying: set[str] = set()
    values: dict[str, Any] = {}
    for (name, _kind, write), column in zip(_COLUMNS, columns, strict=True):
        if name == "id" or column.count(column[0]) < len(column):
            varying.add(name)
            values[name] = write(column)
        else:
            values[name] = column[0]
    return _statement(frozenset(varying)), values


def _attempt_columns(attempt: Attempted | Result | None) -> tuple[str | None, str, str, str, bool, int | None]:
    if attempt is None:
        return None, "", "", "", False, None
    return (
        attempt.outcome.value,
        attempt.reply_class,
        attempt.stage,
        attempt.relay,
        attempt.is_tls,
        attempt.duration_ms,
    )


def _suppress(session: Session, refused: dict[int, Settlement]) -> None:
    if not refused:
        return
    keys = session.execute(
        select(Delivery.id, Subscriber.email_key)
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(Delivery.id.in_(refused), Subscriber.erased_at.is_(None))
        # One order for every worker, so that two of them cannot wait for each other's rows.
        .order_by(Subscriber.email_key)
    )
    for delivery_id, email_key in keys:
        said = refused[delivery_id]
        suppress(
            session,
            email_key=email_key,
            reason=SuppressionReason.HARD_BOUNCE,
            note=" ".join(str(part) for part in (said.code, said.enhanced, said.reply) if part).replace(NUL, ""),
            delivery_id=delivery_id,
        )


def send_again(session: Session, delivery: Delivery, by: Account | None) -> None:
    """A person decides that an unknown delivery is sent once more, at the risk of a second copy. Audited.

    Raises `RuleError` unless it is unknown, its mailing was not cancelled, and its edition may still be sent.
    """
    mailing = _lock_both(session, delivery)
    get_approved_edition(session, mailing.edition_id)
    state = next_mailing_state(MailingState(mailing.state), MailingEvent.REOPEN)
    delivery.state = next_delivery_state(DeliveryState(delivery.state), DeliveryEvent.SEND_AGAIN)
    moment = now(session)
    delivery.queued_at = delivery.next_attempt_at = moment
    delivery.attempts = delivery.faults = 0
    delivery.claimed_by = delivery.settled_at = delivery.kept_at = None
    mailing.state, mailing.finished_at, mailing.progressed_at = state, None, moment
    _record(session, delivery, "sent_again", by)
    enqueue_after_commit(session, TaskName.DISPATCH_SEND, mailing_id=mailing.id)


def keep(session: Session, delivery: Delivery, by: Account | None) -> None:
    """A person decides that an unknown delivery stays as it is, and need not be asked about again. Audited."""
    _lock_both(session, delivery)
    delivery.state = next_delivery_state(DeliveryState(delivery.state), DeliveryEvent.KEEP)
    delivery.kept_at = now(session)
    _record(session, delivery, "kept_unknown", by)


def _lock_both(session: Session, delivery: Delivery) -> Mailing:
    """The mailing's row first, as everywhere."""
    mailing = session.get_one(Mailing, delivery.mailing_id, with_for_update={"key_share": True}, populate_existing=True)
    session.refresh(delivery, with_for_update={"key_share": True})
    return mailing


def _record(session: Session, delivery: Delivery, act: str, by: Account | None) -> None:
    record(
        session,
        by=by,
        action=f"delivery.{act}",
        subject_type="delivery",
        subject_id=delivery.id,
        mailing_id=delivery.mailing_id,
    )


def list_unknown(session: Session, *, mailing_id: int | None = None, limit: int = 200) -> Sequence[Delivery]:
    """Unknown deliveries that nobody has decided on yet, oldest first."""
    query = select(Delivery).where(Delivery.state == DeliveryState.UNKNOWN, Delivery.kept_at.is_(None))
    if mailing_id is not None:
        query = query.where(Delivery.mailing_id == mailing_id)
    return session.scalars(query.order_by(Delivery.id).limit(limit)).all()


def count_unknown(session: Session) -> int:
    """How many wait for a person's decision."""
    return (
        session.scalar(select(func.count()).where(Delivery.state == DeliveryState.UNKNOWN, Delivery.kept_at.is_(None)))
        or 0
    )
