"""Letters on their way: claimed, composed, sent on connections of their own, and settled, one at a time.

The same care as for a mailing, in small: a lease, a journal, one transaction for each outcome. A letter somebody asked
for goes out although they left every list; after a complaint or a hard bounce it does not.
"""

import asyncio
import datetime as dt
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from mailer.audience.rules import SuppressionReason
from mailer.audience.suppressing import suppress
from mailer.db import session_scope
from mailer.dispatch import outcomes
from mailer.dispatch.claiming import holder, split_holder
from mailer.dispatch.envelopes import Envelope, Result
from mailer.dispatch.letter_messages import LetterClaim, compose
from mailer.dispatch.outcomes import Settlement
from mailer.dispatch.pace.providers import OTHER
from mailer.dispatch.relays.routing import has_route, list_routes, pick
from mailer.dispatch.resolving import Bequest, Orphan, read_bequest, resolve
from mailer.dispatch.rules import DeliveryEvent
from mailer.dispatch.sender_slots import sender_slot
from mailer.dispatch.sending_process import SendingProcess, get_process, run_directory
from mailer.dispatch.smtp.relay import RelayAddress
from mailer.dispatch.suspending import suspend_relay
from mailer.errors import RuleError
from mailer.queue import TaskName, enqueue
from mailer.settings import get_settings

logger = logging.getLogger(__name__)

RUN_SECONDS = 5.0
BATCH = 10
# Connections for letters of one process; a mailing's are others.
CONNECTIONS = 2
# One that found no relay waits so long.
STRANDED = dt.timedelta(seconds=10)

CLAIM = text("""
WITH due AS MATERIALIZED (
    SELECT id FROM letters WHERE state = 'queued' AND next_attempt_at <= now()
    ORDER BY next_attempt_at, id LIMIT :batch FOR NO KEY UPDATE SKIP LOCKED
),
judged AS MATERIALIZED (
    SELECT l.id, EXISTS (
        SELECT FROM suppressions x
        WHERE x.email_key = l.address_key AND x.lifted_at IS NULL AND x.reason IN ('complaint', 'hard_bounce')
          AND (x.expires_at IS NULL OR x.expires_at > now())
          AND (x.newsletter_id IS NULL OR x.newsletter_id = l.newsletter_id)
    ) AS is_suppressed
    FROM due JOIN letters l ON l.id = due.id
)
UPDATE letters l SET
    state = CASE WHEN j.is_suppressed THEN 'skipped' ELSE 'claimed' END,
    reason = CASE WHEN j.is_suppressed THEN 'suppressed' ELSE l.reason END,
    claimed_by = CASE WHEN j.is_suppressed THEN NULL ELSE CAST(:claimed_by AS varchar) END,
    lease_until = CASE WHEN j.is_suppressed THEN NULL ELSE now() + make_interval(secs => :lease) END,
    settled_at = CASE WHEN j.is_suppressed THEN now() END
FROM judged j
WHERE l.id = j.id AND l.state = 'queued'
RETURNING l.id, l.kind, l.locale, l.address, l.newsletter_id, l.parameters, l.message_id, l.attempts, l.state
""")

SETTLE = text("""
UPDATE letters SET
    state = CAST(:state AS varchar), reason = :reason, attempts = attempts + :attempts, lease_until = NULL,
    claimed_by = CASE WHEN CAST(:state AS varchar) = 'queued' THEN NULL ELSE claimed_by END,
    settled_at = CASE WHEN CAST(:state AS varchar) = 'queued' THEN NULL ELSE now() END,
    next_attempt_at = coalesce(now() + make_interval(secs => CAST(:wait AS double precision)), next_attempt_at),
    code = coalesce(CAST(:code AS smallint), code), enhanced = coalesce(CAST(:enhanced AS varchar), enhanced),
    reply = CASE WHEN CAST(:reply AS text) = '' THEN reply ELSE CAST(:reply AS text) END
WHERE id = :id AND state = 'claimed' AND claimed_by = :claimed_by
RETURNING address_key, newsletter_id
""")

CLAIMED = text("""
SELECT id, claimed_by, attempts, lease_until < now() AS is_over,
    lease_until < now() - make_interval(secs => :lease) AS is_long_over
FROM letters WHERE state = 'claimed'
""")

DUE = text("SELECT EXISTS (SELECT FROM letters WHERE state = 'queued' AND next_attempt_at <= now())")


@dataclass(frozen=True, slots=True)
class _Batch:
    """Claimed letters, ready to go by one relay."""

    relay: RelayAddress
    claims: Mapping[int, LetterClaim]
    envelopes: Sequence[Envelope]
    claimed_by: str
    since: float


def is_due(session: Session) -> bool:
    """Whether a letter waits to be sent, and not every relay is left alone just now."""
    return bool(session.scalar(DUE)) and has_route(session)


def send_letters() -> int:
    """Sends what is due for a few seconds; returns how many letters were handled. One process of a host at a time."""
    handled = 0
    with sender_slot(run_directory(), 1, purpose="letters") as is_ours:
        if not is_ours:
            return 0
        ends_at = time.monotonic() + RUN_SECONDS
        while time.monotonic() < ends_at and (count := _send_some(get_process())):
            handled += count
    # A letter may have been written while another hint found the slot taken.
    with session_scope() as session:
        has_more = is_due(session)
    if has_more and handled:
        enqueue(TaskName.LETTERS_SEND)
    return handled


def _send_some(process: SendingProcess) -> int:
    since, token = time.monotonic(), process.letters.new_token()
    claimed_by = holder(process.letters.key, token)
    with session_scope() as session:
        if not has_route(session):
            return 0
        rows = session.execute(
            CLAIM, {"batch": BATCH, "claimed_by": claimed_by, "lease": get_settings().lease_seconds}
        ).all()
    claims = {
        row.id: LetterClaim(
            row.id, row.kind, row.locale, row.address, row.newsletter_id, row.parameters, row.message_id, row.attempts
        )
        for row in rows
        if row.state == "claimed"
    }
    with session_scope() as session:
        groups, stranded = _share_out(session, claims)
        for letter_id in stranded:
            # Every relay that may take it is left alone: it costs the letter nothing, and is not asked for at once.
            settle_letter(session, replace(outcomes.give_back(letter_id, claimed_by), wait=STRANDED))
    batches = []
    for relay, some in groups.items():
        envelopes = _write_out(some, claimed_by, token)
        if envelopes:
            batches.append(_Batch(relay, some, envelopes, claimed_by, since))
    if batches:
        process.run(_transmit_all(process, batches))
    return len(rows)


def _share_out(
    session: Session, claims: Mapping[int, LetterClaim]
) -> tuple[dict[RelayAddress, dict[int, LetterClaim]], list[int]]:
    """Each letter by a relay that its newsletter's mail may take; and those for which none is free just now."""
    groups: dict[RelayAddress, dict[int, LetterClaim]] = {}
    stranded: list[int] = []
    for claim in claims.values():
        try:
            routes = list_routes(session, claim.newsletter_id)
        except RuleError:
            # Somebody waits for a confirmation: any relay is better than none.
            routes = list_routes(session)
        if routes:
            relay = replace(pick(routes).address, connections=CONNECTIONS)
            groups.setdefault(relay, {})[claim.id] = claim
        else:
            stranded.append(claim.id)
    return groups, stranded


def _write_out(claims: Mapping[int, LetterClaim], claimed_by: str, token: str) -> list[Envelope]:
    """Composes each; one that cannot be is rejected with its reason, and the others go on."""
    envelopes = []
    for claim in claims.values():
        try:
            with session_scope() as session:
                sender, content = compose(session, claim)
        except DBAPIError:
            raise
        except Exception as error:
            # Whatever one letter's values do to its template: the others go on.
            logger.warning("letter %d cannot be composed", claim.id, exc_info=True)
            refusal = Settlement(claim.id, claimed_by, DeliveryEvent.REJECT, "composition", reply=str(error))
            with session_scope() as session:
                settle_letter(session, refusal)
        else:
            envelopes.append(Envelope(claim.id, sender, claim.address, OTHER, content, token))
    return envelopes


async def _transmit_all(process: SendingProcess, batches: Sequence[_Batch]) -> None:
    """Side by side, so that a relay that dawdles holds up its own letters only."""
    await process.letters.keep_only({batch.relay for batch in batches})
    await asyncio.gather(*(_transmit(process, batch) for batch in batches))


async def _transmit(process: SendingProcess, batch: _Batch) -> None:
    transmitter = process.letters.transmitter(batch.relay)
    lease = get_settings().lease_seconds

    def may_send(_envelope: Envelope) -> bool:
        # Later the sweep may have given it to somebody else.
        return time.monotonic() - batch.since < lease / 2

    outage: Result | None = None
    try:
        async for result in transmitter.send(batch.envelopes, may_send=may_send):
            outage = result if outcomes.is_outage(result) else outage
            await _settle(process, batch, result)
    except OSError:
        logger.exception("letters: the journal cannot be written")
    if outage is not None:
        await process.in_thread(_note_outage, outage)


async def _settle(process: SendingProcess, batch: _Batch, result: Result) -> None:
    settlement = outcomes.decide(
        result,
        claimed_by=batch.claimed_by,
        provider=OTHER,
        attempts=batch.claims[result.delivery_id].attempts,
        faults=0,
        give_up_hours=get_settings().give_up_hours,
    )
    try:
        await process.in_thread(_settle_now, settlement)
    except DBAPIError:
        # Its reply is in the journal: the sweep settles it when the lease is over.
        logger.warning("letter %d: the database did not take its outcome", result.delivery_id, exc_info=True)
        return
    process.letters.journal.settled([result.delivery_id])


def _settle_now(settlement: Settlement) -> None:
    with session_scope() as session:
        settle_letter(session, settlement)


def _note_outage(outage: Result) -> None:
    said = " ".join(str(part) for part in (outage.code, outage.enhanced, outage.reply) if part)
    with session_scope() as session:
        suspend_relay(session, relay=outage.relay, reply_class=outage.reply_class, reply=said)


def settle_letter(session: Session, settlement: Settlement) -> bool:
    """Writes what became of a letter; whether it was still that claim's. A reader's dead address is suppressed."""
    values: dict[str, Any] = {
        "id": settlement.delivery_id,
        "claimed_by": settlement.claimed_by,
        "state": settlement.state.value,
        "reason": settlement.reason,
        # A letter counts a relay's faults as attempts: nobody waits three days for a confirmation.
        "attempts": settlement.attempts + settlement.faults,
        "wait": settlement.wait.total_seconds() if settlement.wait is not None else None,
        "code": settlement.code,
        "enhanced": settlement.enhanced,
        "reply": settlement.reply.replace("\0", ""),
    }
    row = session.execute(SETTLE, values).one_or_none()
    if row is None:
        return False
    # An account's address is the admin's business; a reader's is never written to again.
    if settlement.is_address_dead and row.newsletter_id is not None:
        note = " ".join(str(part) for part in (settlement.code, settlement.enhanced, values["reply"]) if part)
        suppress(session, email_key=row.address_key, reason=SuppressionReason.HARD_BOUNCE, note=note)
    return True


def resolve_letters(bequests: dict[str, Bequest]) -> int:
    """The sweep's: letters of processes that are gone, by their journals; returns how many were resolved."""
    with session_scope() as session:
        rows = session.execute(CLAIMED, {"lease": get_settings().lease_seconds}).all()
    resolved = 0
    for row in rows:
        key = split_holder(row.claimed_by or "")[0]
        bequest = bequests.get(key)
        if bequest is None and row.is_over:
            bequest = Bequest(key)
        if bequest is None or (bequest.is_living and not row.is_long_over):
            continue
        read_bequest(bequest)
        for settlement in resolve(bequest, [Orphan(row.id, row.claimed_by, OTHER, row.attempts, 0)]):
            with session_scope() as session:
                resolved += settle_letter(session, settlement)
    return resolved
