"""The set-based half of an import: rows are copied into a temporary table, judged there, and merged.

A million rows take as many statements as one. Everything happens in the caller's transaction: whole or not at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

_CREATE = """
CREATE TEMPORARY TABLE import_rows (
    line integer NOT NULL, email text NOT NULL, email_key text NOT NULL, domain text NOT NULL, name text NOT NULL,
    erased_key text
) ON COMMIT DROP
"""

# The first row of an address counts. Who left the list, everything, or had themselves erased is not brought back.
_JUDGE = """
CREATE TEMPORARY TABLE import_verdicts ON COMMIT DROP AS
WITH blocked AS MATERIALIZED (
    SELECT email_key, bool_or(reason IN ('unsubscribed_all', 'erased')) AS has_left
    FROM suppressions
    WHERE lifted_at IS NULL AND (expires_at IS NULL OR expires_at > now())
        AND (newsletter_id IS NULL OR newsletter_id = :newsletter_id)
    GROUP BY email_key
)
SELECT rows.line, rows.email, rows.email_key, rows.domain, rows.name, subscribers.id AS subscriber_id,
    CASE
        WHEN rows.repetition > 1 THEN 'duplicate'
        WHEN subscriptions.state = 'unsubscribed'
            OR (subscriptions.state = 'unconfirmed' AND subscriptions.unsubscribed_at IS NOT NULL)
            OR blocked.has_left OR erased.has_left THEN 'left'
        WHEN blocked.email_key IS NOT NULL THEN 'suppressed'
        WHEN subscriptions.id IS NULL THEN 'new'
        WHEN subscriptions.state = 'unconfirmed' THEN 'changed'
        WHEN rows.name <> '' AND rows.name <> subscribers.name THEN 'changed'
        ELSE 'unchanged'
    END AS verdict
FROM (SELECT *, row_number() OVER (PARTITION BY email_key ORDER BY line) AS repetition FROM import_rows) AS rows
LEFT JOIN subscribers ON subscribers.email_key = rows.email_key
LEFT JOIN subscriptions ON subscriptions.subscriber_id = subscribers.id AND subscriptions.list_id = :list_id
LEFT JOIN blocked ON blocked.email_key = rows.email_key
LEFT JOIN blocked AS erased ON erased.email_key = rows.erased_key
"""

# A reader may act between the judgement and the merge: a sign-up that came in is confirmed, a departure is respected.
_MERGE = (
    """
    INSERT INTO subscribers (email, email_key, domain, name, locale, attributes)
    SELECT email, email_key, domain, name, :locale, '{}' FROM import_verdicts
    WHERE verdict = 'new' AND subscriber_id IS NULL ORDER BY line
    ON CONFLICT (email_key) DO NOTHING
    """,
    """
    UPDATE subscribers SET name = import_verdicts.name FROM import_verdicts
    WHERE subscribers.id = import_verdicts.subscriber_id AND verdict IN ('new', 'changed')
        AND import_verdicts.name <> '' AND import_verdicts.name <> subscribers.name
    """,
    """
    WITH made AS (
        INSERT INTO subscriptions (subscriber_id, list_id, state, source, confirmed_at)
        SELECT subscribers.id, :list_id, 'confirmed', 'import', now()
        FROM import_verdicts JOIN subscribers USING (email_key)
        WHERE verdict = 'new' ORDER BY import_verdicts.line
        ON CONFLICT (subscriber_id, list_id) DO UPDATE SET state = 'confirmed', confirmed_at = now()
        WHERE subscriptions.state = 'unconfirmed' AND subscriptions.unsubscribed_at IS NULL
        RETURNING subscriber_id
    )
    INSERT INTO consents (subscriber_id, list_id, act, wording, basis, user_agent)
    SELECT subscriber_id, :list_id, 'imported', :wording, :basis, '' FROM made
    """,
    """
    WITH changed AS (
        UPDATE subscriptions SET state = 'confirmed', confirmed_at = now()
        FROM import_verdicts
        WHERE subscriptions.subscriber_id = import_verdicts.subscriber_id AND subscriptions.list_id = :list_id
            AND verdict = 'changed' AND subscriptions.state = 'unconfirmed' AND subscriptions.unsubscribed_at IS NULL
        RETURNING subscriptions.subscriber_id
    )
    INSERT INTO consents (subscriber_id, list_id, act, wording, basis, user_agent)
    SELECT subscriber_id, :list_id, 'imported', :wording, :basis, '' FROM changed
    """,
)


@dataclass(frozen=True, slots=True)
class StagedRow:
    """A row with a valid address. `erased_key` is given when somebody was ever erased."""

    line: int
    email: str
    email_key: str
    domain: str
    name: str
    erased_key: str | None


def copy_rows(session: Session, rows: Iterable[StagedRow]) -> None:
    """Streams `rows` into the temporary table with COPY; they are never all in memory."""
    session.execute(text(_CREATE))
    driver: Any = session.connection().connection.driver_connection
    with (
        driver.cursor() as cursor,
        cursor.copy("COPY import_rows (line, email, email_key, domain, name, erased_key) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row((row.line, row.email, row.email_key, row.domain, row.name, row.erased_key))
    session.execute(text("ANALYZE import_rows"))


def judge_rows(session: Session, *, list_id: int, newsletter_id: int) -> dict[str, int]:
    """How many rows would be new, changed, unchanged, duplicate, suppressed or left."""
    session.execute(text(_JUDGE), {"list_id": list_id, "newsletter_id": newsletter_id})
    session.execute(text("ANALYZE import_verdicts"))
    found = session.execute(text("SELECT verdict, count(*) FROM import_verdicts GROUP BY verdict"))
    return {verdict: count for verdict, count in found}  # noqa: C416  (rows of a result, not tuples)


def list_refused(session: Session, limit: int) -> list[tuple[int, str, str]]:
    """(line, address, verdict) of the first refused rows, in the file's order."""
    found = session.execute(
        text(
            "SELECT line, email, verdict FROM import_verdicts WHERE verdict IN ('duplicate', 'suppressed', 'left') "
            "ORDER BY line LIMIT :limit"
        ),
        {"limit": limit},
    )
    return [(line, email, verdict) for line, email, verdict in found]


def merge_rows(session: Session, *, list_id: int, locale: str, basis: str, wording: str) -> None:
    """Carries out what was judged: subscribers, names, subscriptions, and a consent for each subscription made."""
    parameters = {"list_id": list_id, "locale": locale, "basis": basis, "wording": wording}
    for statement in _MERGE:
        session.execute(text(statement), parameters)
