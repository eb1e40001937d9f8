"""What a table means for a list, in sets: who is new, changed, gone; and how it is carried out.

Works on what `staging` has copied and judged, in the caller's transaction: whole or not at all.
"""

import json
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from mailer.audience import staging
from mailer.audience.directories.rules import COUNTS
from mailer.audience.subscriptions import FROM_DIRECTORY

# Subscriptions that a directory made, and this one had until now.
_OURS = """
CREATE TEMPORARY TABLE directory_ours ON COMMIT DROP AS
SELECT readers.id AS subscriber_id, readers.email, readers.email_key
FROM directory_members AS members
JOIN subscribers AS readers ON readers.id = members.subscriber_id
JOIN subscriptions ON subscriptions.subscriber_id = readers.id AND subscriptions.list_id = :list_id
WHERE members.directory_id = :directory_id AND members.removed_at IS NULL
    AND subscriptions.state = 'confirmed' AND subscriptions.source = :source
"""
# Those of them who are not in the table, never asked by themselves, and are in no other directory of the list.
_REMOVALS = """
CREATE TEMPORARY TABLE directory_removals ON COMMIT DROP AS
SELECT ours.* FROM directory_ours AS ours
WHERE NOT EXISTS (SELECT FROM import_verdicts AS verdicts WHERE verdicts.email_key = ours.email_key)
    AND NOT EXISTS (
        SELECT FROM consents
        WHERE consents.subscriber_id = ours.subscriber_id AND consents.list_id = :list_id
            AND consents.act IN ('asked', 'confirmed')
    )
    AND NOT EXISTS (
        SELECT FROM directory_members AS others JOIN directories ON directories.id = others.directory_id
        WHERE others.subscriber_id = ours.subscriber_id AND others.removed_at IS NULL
            AND others.directory_id <> :directory_id AND directories.list_id = :list_id
    )
"""
_UNAPPROVED = """
SELECT count(*) FROM directory_removals AS removals
WHERE NOT EXISTS (
    SELECT FROM directory_findings AS findings
    WHERE findings.run_id = :approved_run_id AND findings.kind = 'removed'
        AND findings.email_key = removals.email_key
)
"""
_REPORT = """
INSERT INTO directory_findings (run_id, ordinal, kind, line, value, email_key, reason)
SELECT :run_id, row_number() OVER (ORDER BY line NULLS FIRST, value), kind, line, value, email_key, reason
FROM (
    SELECT verdict AS kind, line, left(coalesce(told_email, email), 320) AS value,
        left(coalesce(told_key, email_key), 320) AS email_key,
        CASE WHEN verdict = 'invalid' THEN reason ELSE coalesce(
            CASE WHEN told_key IS NOT NULL THEN CAST(:reasons AS jsonb) ->> ('moved_' || verdict) END,
            CAST(:reasons AS jsonb) ->> verdict, ''
        ) END AS reason
    FROM import_verdicts WHERE verdict <> 'unchanged'
    UNION ALL
    SELECT 'removed', NULL, email, email_key, '' FROM directory_removals
) AS found
"""
_CARRY_OUT = (
    """
    INSERT INTO directory_members (directory_id, subscriber_id, email_key, joined_at)
    SELECT :directory_id, readers.id, coalesce(verdicts.told_key, verdicts.email_key), now()
    FROM import_verdicts AS verdicts
        JOIN subscribers AS readers ON readers.email_key = verdicts.email_key
        JOIN subscriptions ON subscriptions.subscriber_id = readers.id AND subscriptions.list_id = :list_id
    WHERE verdicts.verdict IN ('new', 'changed', 'unchanged')
        AND subscriptions.state = 'confirmed' AND subscriptions.source = :source
    ON CONFLICT (directory_id, subscriber_id) DO UPDATE SET email_key = excluded.email_key, removed_at = NULL
    WHERE directory_members.removed_at IS NOT NULL OR directory_members.email_key <> excluded.email_key
    """,
    # Who did something about it by themselves since the comparison is left alone.
    """
    WITH gone AS (
        UPDATE subscriptions SET state = 'removed' FROM directory_removals AS removals
        WHERE subscriptions.subscriber_id = removals.subscriber_id AND subscriptions.list_id = :list_id
            AND subscriptions.state = 'confirmed' AND subscriptions.source = :source
        RETURNING subscriptions.subscriber_id
    )
    INSERT INTO consents (subscriber_id, list_id, act, wording, basis, user_agent)
    SELECT subscriber_id, :list_id, 'removed', :wording, :basis, '' FROM gone
    """,
    """
    UPDATE directory_members SET removed_at = now()
    FROM subscribers AS readers
    WHERE readers.id = directory_members.subscriber_id AND directory_id = :directory_id AND removed_at IS NULL
        AND NOT EXISTS (SELECT FROM import_verdicts AS verdicts WHERE verdicts.email_key = readers.email_key)
    """,
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`members` are those that the directory may take off, before; `unapproved` the removals nobody has agreed to."""

    counts: dict[str, int]
    members: int
    unapproved: int

    @property
    def has_anybody(self) -> bool:
        """Whether the table names a single person with a good address."""
        return any(self.counts[kind] for kind in COUNTS if kind not in {"removed", "invalid"})


def compare(
    session: Session, *, directory_id: int, list_id: int, newsletter_id: int, approved_run_id: int | None
) -> Comparison:
    """Judges what `staging.copy_rows` has copied. Leaves temporary tables behind, for what follows."""
    ours = {"directory_id": directory_id, "list_id": list_id, "source": FROM_DIRECTORY}
    counts = dict.fromkeys(COUNTS, 0)
    counts |= staging.judge_rows(session, list_id=list_id, newsletter_id=newsletter_id)
    for statement in (_OURS, _REMOVALS):
        session.execute(text(statement), ours)
    counts["removed"] = _count(session, "SELECT count(*) FROM directory_removals")
    return Comparison(
        counts,
        members=_count(session, "SELECT count(*) FROM directory_ours"),
        unapproved=_count(session, _UNAPPROVED, approved_run_id=approved_run_id),
    )


def keep_report(session: Session, run_id: int, reasons: dict[str, str]) -> None:
    """Everybody who is not unchanged; `reasons` says why a verdict refuses (gettext ids)."""
    session.execute(text(_REPORT), {"run_id": run_id, "reasons": json.dumps(reasons)})


def carry_out(
    session: Session, *, directory_id: int, list_id: int, locale: str, origin: staging.Origin, farewell: str
) -> None:
    """Subscribes, changes, takes off; `farewell` says in the reader's history who took them off."""
    staging.merge_rows(session, list_id=list_id, locale=locale, origin=origin)
    parameters = {
        "directory_id": directory_id,
        "list_id": list_id,
        "source": FROM_DIRECTORY,
        "basis": origin.basis,
        "wording": farewell,
    }
    for statement in _CARRY_OUT:
        session.execute(text(statement), parameters)


def _count(session: Session, statement: str, **parameters: object) -> int:
    return int(session.scalar(text(statement), parameters) or 0)
