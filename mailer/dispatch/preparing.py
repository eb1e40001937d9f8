"""A mailing's roster: who is on it, who is not and why, frozen in one transaction.

Candidates are the confirmed subscribers of the mailing's lists, each once. Those who must not get it become exclusions,
the others deliveries: candidates = roster + exclusions. A worker that dies in the middle leaves nothing behind, and the
sweep has another one do it.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import TextClause, func, select, text, update
from sqlalchemy.orm import Session

from mailer.db import session_scope
from mailer.dispatch import launching
from mailer.dispatch.exclusions import count_exclusions
from mailer.dispatch.halting import halt
from mailer.dispatch.models import Mailing
from mailer.dispatch.pace.provider_settings import load_domains
from mailer.dispatch.pace.providers import OTHER
from mailer.dispatch.plans import one_pass_each
from mailer.dispatch.rules import HAS_ISSUE, ExclusionReason, MailingEvent, MailingState, next_mailing_state
from mailer.dispatch.segmentation import Narrowing, note_outsiders
from mailer.errors import RuleError
from mailer.newsroom.archiving import mark_sent
from mailer.newsroom.editions import get_approved_edition
from mailer.queue import TaskName, enqueue_after_commit
from mailer.settings import get_settings

logger = logging.getLogger(__name__)

# Advisory locks of dispatch live under this number: (ISSUE_LOCK, issue id).
ISSUE_LOCK = 0x4D4C

# Who is a candidate, and who of them must not get it. One pass over the subscriptions; the suppressed and those who
# have the issue are hashed once and cost no look-up per candidate. The forecast asks the same question.
_JUDGED = """
WITH candidates AS (
    SELECT s.subscriber_id, array_agg(s.list_id ORDER BY s.list_id) AS list_ids
    FROM subscriptions s
    WHERE s.state = 'confirmed' AND s.list_id = ANY(:lists)
    GROUP BY s.subscriber_id
),
already AS (
    SELECT DISTINCT d.subscriber_id
    FROM deliveries d
    WHERE d.state = ANY(:has_issue) AND d.mailing_id = ANY(ARRAY(
        SELECT m.id FROM mailings m
        WHERE m.issue_id = :issue AND m.id <> :mailing AND NOT :is_repeat
          AND (NOT :is_correction OR m.edition_id = :edition)
    ))
),
received AS (
    SELECT DISTINCT d.subscriber_id
    FROM deliveries d
    WHERE d.state = ANY(:has_issue) AND d.mailing_id = ANY(ARRAY(
        SELECT m.id FROM mailings m WHERE :is_correction AND m.issue_id = :issue AND m.edition_id <> :edition
    ))
),
suppressed AS (
    SELECT DISTINCT x.email_key
    FROM suppressions x
    WHERE x.lifted_at IS NULL AND (x.expires_at IS NULL OR x.expires_at > now())
      AND (x.newsletter_id IS NULL OR x.newsletter_id = :newsletter)
),
judged AS (
    SELECT c.subscriber_id, c.list_ids, b.email, coalesce(p.provider, :other) AS provider,
        CASE
            WHEN x.email_key IS NOT NULL THEN :suppressed
            WHEN b.paused_until > now() THEN :paused
            WHEN a.subscriber_id IS NOT NULL THEN :already_sent
            WHEN :is_correction AND r.subscriber_id IS NULL THEN :not_received
            WHEN {is_outside} THEN :segment
        END AS reason
    FROM candidates c
    JOIN subscribers b ON b.id = c.subscriber_id AND b.erased_at IS NULL
    LEFT JOIN suppressed x ON x.email_key = b.email_key
    LEFT JOIN already a ON a.subscriber_id = c.subscriber_id
    LEFT JOIN received r ON r.subscriber_id = c.subscriber_id
    LEFT JOIN unnest(CAST(:domains AS varchar[]), CAST(:providers AS varchar[])) AS p(domain, provider)
        ON p.domain = b.domain
)
"""

# Who is outside stands in a temporary table (`segmentation`), where the mailing has segments.
_NOBODY_OUTSIDE = "false"
_OUTSIDE = "c.subscriber_id IN (SELECT o.subscriber_id FROM segment_outsiders o)"

# Ordered by subscriber, so that neighbours on the lists are neighbours in the ledger.
_FREEZE = """,
excluded AS (
    INSERT INTO exclusions (mailing_id, subscriber_id, reason)
    SELECT :mailing, subscriber_id, reason FROM judged WHERE reason IS NOT NULL
),
queued AS (
    INSERT INTO deliveries (mailing_id, subscriber_id, address, provider, list_ids, state, reason, attempts, faults,
        reply, queued_at, next_attempt_at)
    SELECT :mailing, subscriber_id, email, provider, list_ids, 'queued', '', 0, 0, '', now(), now()
    FROM judged WHERE reason IS NULL ORDER BY subscriber_id
    RETURNING 1
)
SELECT count(*) FROM queued
"""


def judging(question: str, *, has_segments: bool) -> TextClause:
    """`question` asked of the table ``judged``: subscriber_id, list_ids, email, provider, reason."""
    return text(_JUDGED.replace("{is_outside}", _OUTSIDE if has_segments else _NOBODY_OUTSIDE) + question)


PREPARE, PREPARE_SEGMENTS = (judging(_FREEZE, has_segments=has_segments) for has_segments in (False, True))


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a preparation came to."""

    roster_size: int
    state: MailingState


def prepare(mailing_id: int) -> Prepared | None:
    """Freezes the roster of a mailing and lets it be sent; `None` when it is not this mailing's turn (any more).

    One preparation of an issue at a time, so that two mailings of it cannot both miss each other's readers. The
    mailing's row is not locked meanwhile: a person may cancel it, and then nothing of the roster is kept.
    """
    with session_scope() as session:
        mailing = session.get(Mailing, mailing_id)
        if mailing is None or mailing.state != MailingState.PREPARING:
            return None
        if not session.scalar(select(func.pg_try_advisory_xact_lock(ISSUE_LOCK, mailing.issue_id % 2**31))):
            return None
        # Who held the lock before us may have been preparing this very mailing.
        if session.scalar(select(Mailing.state).where(Mailing.id == mailing_id)) != MailingState.PREPARING:
            return None
        # What an earlier edition has queued is sent to nobody any more: its readers are this one's.
        halt(session, issue_id=mailing.issue_id)
        size = _freeze_roster(session, mailing)
        try:
            state = _begin(session, mailing, size)
        except RuleError as error:
            session.rollback()
            _refuse(session, mailing_id, error.message)
            return None
        if state is None:
            session.rollback()
            return None
        if state is MailingState.SENDING:
            # One for each that may send at once; the sweep would start the others seconds later.
            for _ in range(get_settings().senders):
                enqueue_after_commit(session, TaskName.DISPATCH_SEND, mailing_id=mailing_id)
    logger.info("mailing %d prepared: roster %d, %s", mailing_id, size, state)
    return Prepared(size, state)


def judgement(
    session: Session,
    *,
    mailing_id: int,
    issue_id: int,
    newsletter_id: int,
    list_ids: Sequence[int],
    is_repeat: bool,
    edition_id: int = 0,
    is_correction: bool = False,
) -> dict[str, object]:
    """What `JUDGED` asks for; `mailing_id` is 0 where there is none yet. `edition_id` counts only for a correction."""
    domains = load_domains(session)
    return {
        "mailing": mailing_id,
        "issue": issue_id,
        "newsletter": newsletter_id,
        "lists": list(list_ids),
        "is_repeat": is_repeat,
        "edition": edition_id,
        "is_correction": is_correction,
        "not_received": ExclusionReason.NOT_RECEIVED,
        "has_issue": list(HAS_ISSUE),
        "other": OTHER,
        "suppressed": ExclusionReason.SUPPRESSED,
        "paused": ExclusionReason.PAUSED,
        "already_sent": ExclusionReason.ALREADY_SENT,
        "segment": ExclusionReason.SEGMENT,
        "domains": list(domains),
        "providers": list(domains.values()),
    }


def _freeze_roster(session: Session, mailing: Mailing) -> int:
    # A million readers are grouped, joined and sorted in memory; one preparation runs at a time, and not for long.
    session.execute(text("SELECT set_config('work_mem', '256MB', true)"))
    has_segments = note_outsiders(session, Narrowing.of(mailing), [chosen.list_id for chosen in mailing.lists])
    asked = judgement(
        session,
        mailing_id=mailing.id,
        issue_id=mailing.issue_id,
        newsletter_id=mailing.newsletter_id,
        list_ids=[chosen.list_id for chosen in mailing.lists],
        is_repeat=mailing.is_repeat,
        edition_id=mailing.edition_id,
        is_correction=mailing.is_correction,
    )
    with one_pass_each(session):
        size = session.scalar(PREPARE_SEGMENTS if has_segments else PREPARE, asked)
    return int(size or 0)


def _begin(session: Session, mailing: Mailing, size: int) -> MailingState | None:
    """Lets the mailing be sent, unless it was cancelled meanwhile; an empty roster is finished as it begins. Raises
    `RuleError` where its approval was withdrawn meanwhile.
    """
    # The mailing before the issue, as everybody locks them who acts on both.
    session.scalar(select(Mailing.id).where(Mailing.id == mailing.id).with_for_update(key_share=True))
    get_approved_edition(session, mailing.edition_id)
    state = next_mailing_state(MailingState.PREPARING, MailingEvent.PREPARED)
    finished_at = None
    if size == 0:
        state, finished_at = next_mailing_state(state, MailingEvent.DRAINED), func.now()
    changed = session.scalar(
        update(Mailing)
        .where(Mailing.id == mailing.id, Mailing.state == MailingState.PREPARING)
        .values(
            state=state,
            roster_size=size,
            exclusion_counts=count_exclusions(session, mailing.id),
            prepared_at=func.clock_timestamp(),
            started_at=func.clock_timestamp() if size else None,
            finished_at=finished_at,
        )
        .returning(Mailing.id)
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        return None
    if size:
        mark_sent(session, mailing.edition_id, session.scalars(select(func.now())).one())
    return state


def _refuse(session: Session, mailing_id: int, reason: str) -> None:
    mailing = session.get_one(Mailing, mailing_id, with_for_update={"key_share": True}, populate_existing=True)
    if mailing.state == MailingState.PREPARING:
        launching.refuse(session, mailing, reason)
