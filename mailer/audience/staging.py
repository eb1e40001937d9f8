"""The set-based half of an import: rows are copied into a temporary table, judged there, and merged.

A million rows take as many statements as one. Everything happens in the caller's transaction: whole or not at all.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from mailer.audience.following import follow_moves
from mailer.audience.mail_domains import note_imported

# A row whose address is none has a reason and no key. `told_…` is what `following` has replaced.
_CREATE = """
CREATE TEMPORARY TABLE import_rows (
    line integer NOT NULL, email text NOT NULL, email_key text NOT NULL, domain text NOT NULL, name text NOT NULL,
    locale text NOT NULL, attributes jsonb NOT NULL, standing text NOT NULL, reason text NOT NULL, erased_key text,
    told_email text, told_key text
) ON COMMIT DROP
"""
_COPY = (
    "COPY import_rows (line, email, email_key, domain, name, locale, attributes, standing, reason, erased_key) "
    "FROM STDIN"
)
_MERGE_LOCK = 0x696D706F7274
# Lines that leave at once: enough to make a call worth it, little enough to weigh nothing.
_LINES = 2000
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

# The first row of an address counts, the present address before one the reader had before. Who left the list,
# everything, or had themselves erased is not brought back. What is wrong with a mailbox that was given up counts for
# nothing, but what its person or an admin said there does.
_JUDGE = """
CREATE TEMPORARY TABLE import_verdicts ON COMMIT DROP AS
WITH blocked AS MATERIALIZED (
    SELECT email_key, bool_or(reason IN ('unsubscribed_all', 'erased')) AS has_left,
        bool_or(reason IN ('complaint', 'manual')) AS is_forbidden
    FROM suppressions
    WHERE lifted_at IS NULL AND (expires_at IS NULL OR expires_at > now())
        AND (newsletter_id IS NULL OR newsletter_id = :newsletter_id)
    GROUP BY email_key
)
SELECT rows.line, rows.email, rows.email_key, rows.domain, rows.name, rows.locale, rows.attributes, rows.reason,
    rows.standing, rows.told_email, rows.told_key, subscribers.id AS subscriber_id,
    CASE
        WHEN rows.reason <> '' THEN 'invalid'
        WHEN rows.repetition > 1 THEN 'duplicate'
        WHEN subscriptions.state = 'unsubscribed'
            OR (subscriptions.state = 'unconfirmed' AND subscriptions.unsubscribed_at IS NOT NULL)
            OR blocked.has_left OR erased.has_left THEN 'left'
        WHEN blocked.email_key IS NOT NULL OR told.is_forbidden THEN 'suppressed'
        WHEN rows.standing = 'left' THEN 'left_elsewhere'
        WHEN rows.standing = 'blocked' THEN 'blocked_elsewhere'
        WHEN rows.standing <> '' THEN 'unconfirmed'
        WHEN subscriptions.id IS NULL OR subscriptions.state = 'removed' THEN 'new'
        WHEN subscriptions.state = 'unconfirmed' THEN 'changed'
        WHEN rows.name <> '' AND rows.name <> subscribers.name THEN 'changed'
        WHEN NOT subscribers.attributes @> rows.attributes THEN 'changed'
        ELSE 'unchanged'
    END AS verdict
FROM (
    SELECT *, row_number() OVER (PARTITION BY email_key ORDER BY told_key IS NOT NULL, line) AS repetition
    FROM import_rows
) AS rows
LEFT JOIN subscribers ON subscribers.email_key = rows.email_key
LEFT JOIN subscriptions ON subscriptions.subscriber_id = subscribers.id AND subscriptions.list_id = :list_id
LEFT JOIN blocked ON blocked.email_key = rows.email_key
LEFT JOIN blocked AS erased ON erased.email_key = rows.erased_key
LEFT JOIN blocked AS told ON told.email_key = rows.told_key
"""

# A reader may act between the judgement and the merge: a sign-up that came in is confirmed, a departure is respected.
_MERGE = (
    """
    INSERT INTO subscribers (email, email_key, domain, name, locale, attributes)
    SELECT email, email_key, domain, name, coalesce(nullif(locale, ''), :locale), attributes FROM import_verdicts
    WHERE verdict = 'new' AND subscriber_id IS NULL ORDER BY line
    ON CONFLICT (email_key) DO NOTHING
    """,
    """
    WITH found AS (
        SELECT subscribers.id, subscribers.name, subscribers.attributes,
            coalesce(nullif(import_verdicts.name, ''), subscribers.name) AS new_name,
            import_verdicts.attributes AS new_attributes
        FROM import_verdicts JOIN subscribers ON subscribers.id = import_verdicts.subscriber_id
        WHERE verdict IN ('new', 'changed')
            AND ((import_verdicts.name <> '' AND import_verdicts.name <> subscribers.name)
                OR NOT subscribers.attributes @> import_verdicts.attributes)
        FOR UPDATE OF subscribers
    ), updated AS (
        UPDATE subscribers SET name = found.new_name, attributes = subscribers.attributes || found.new_attributes
        FROM found WHERE subscribers.id = found.id
    ), compared AS (
        SELECT found.id, name, new_name, keys.old_attributes, keys.new_attributes
        FROM found CROSS JOIN LATERAL (
            SELECT jsonb_object_agg(key, found.attributes -> key) AS old_attributes,
                jsonb_object_agg(key, value) AS new_attributes
            FROM jsonb_each(found.new_attributes) WHERE found.attributes -> key IS DISTINCT FROM value
        ) AS keys
    )
    INSERT INTO subscriber_changes (subscriber_id, how, old, new, account_id, import_id, directory_id)
    SELECT id, CASE WHEN CAST(:directory_id AS bigint) IS NULL THEN 'import' ELSE 'directory' END,
        CASE WHEN name = new_name THEN '{}' ELSE jsonb_build_object('name', name) END
            || CASE WHEN old_attributes IS NULL THEN '{}' ELSE jsonb_build_object('attributes', old_attributes) END,
        CASE WHEN name = new_name THEN '{}' ELSE jsonb_build_object('name', new_name) END
            || CASE WHEN new_attributes IS NULL THEN '{}' ELSE jsonb_build_object('attributes', new_attributes) END,
        CAST(:account_id AS bigint), CAST(:import_id AS bigint), CAST(:directory_id AS bigint)
    FROM compared
    """,
    """
    WITH made AS (
        INSERT INTO subscriptions (subscriber_id, list_id, state, source, confirmed_at)
        SELECT subscribers.id, :list_id, 'confirmed', :source, now()
        FROM import_verdicts JOIN subscribers USING (email_key)
        WHERE verdict = 'new' ORDER BY import_verdicts.line
        ON CONFLICT (subscriber_id, list_id) DO UPDATE SET state = 'confirmed', confirmed_at = now(),
            source = CASE WHEN subscriptions.state = 'removed' THEN excluded.source ELSE subscriptions.source END
        WHERE subscriptions.state = 'removed'
            OR (subscriptions.state = 'unconfirmed' AND subscriptions.unsubscribed_at IS NULL)
        RETURNING subscriber_id
    )
    INSERT INTO consents (subscriber_id, list_id, act, wording, basis, user_agent, decided_by, decided_on, account_id,
        import_id)
    SELECT subscriber_id, :list_id, 'imported', :wording, :basis, '', :decided_by, CAST(:decided_on AS date),
        CAST(:account_id AS bigint), CAST(:import_id AS bigint)
    FROM made
    """,
    """
    WITH changed AS (
        UPDATE subscriptions SET state = 'confirmed', confirmed_at = now()
        FROM import_verdicts
        WHERE subscriptions.subscriber_id = import_verdicts.subscriber_id AND subscriptions.list_id = :list_id
            AND verdict = 'changed' AND subscriptions.state = 'unconfirmed' AND subscriptions.unsubscribed_at IS NULL
        RETURNING subscriptions.subscriber_id
    )
    INSERT INTO consents (subscriber_id, list_id, act, wording, basis, user_agent, decided_by, decided_on, account_id,
        import_id)
    SELECT subscriber_id, :list_id, 'imported', :wording, :basis, '', :decided_by, CAST(:decided_on AS date),
        CAST(:account_id AS bigint), CAST(:import_id AS bigint)
    FROM changed
    """,
)

_REFUSE = """
INSERT INTO import_refusals (run_id, line, value, email_key, reason)
SELECT :run_id, line, left(coalesce(told_email, email), 320), left(coalesce(told_key, email_key), 320),
    CASE WHEN verdict = 'invalid' THEN reason ELSE coalesce(
        CASE WHEN told_key IS NOT NULL THEN CAST(:reasons AS jsonb) ->> ('moved_' || verdict) END,
        CAST(:reasons AS jsonb) ->> verdict
    ) END
FROM import_verdicts WHERE verdict NOT IN ('new', 'changed', 'unchanged')
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """By what right, by whom and from where readers come: kept with every consent. `source` is the subscription's."""

    basis: str
    wording: str
    source: str = "import"
    decided_by: str = ""
    decided_on: dt.date | None = None
    account_id: int | None = None
    import_id: int | None = None
    directory_id: int | None = None


class StagedRow(NamedTuple):
    """A row that was read. `reason` says why its address is none; its key is then the text as it stands, and there is
    no more. `standing` is how the system it comes from stands with the reader (`headings.Standing`); `erased_key` is
    given when somebody was ever erased.
    """

    line: int
    email: str
    email_key: str
    domain: str
    name: str = ""
    locale: str = ""
    attributes: dict[str, Any] | None = None
    standing: str = ""
    reason: str = ""
    erased_key: str | None = None


def lock_merges(session: Session) -> None:
    """One merge at a time until the transaction ends, or two could wait for each other's rows for ever."""
    session.execute(select(func.pg_advisory_xact_lock(_MERGE_LOCK)))


def copy_rows(session: Session, rows: Iterable[StagedRow]) -> None:
    """Streams `rows` into the temporary table with COPY; they are never all in memory."""
    session.execute(text("SET LOCAL work_mem = '64MB'"))
    session.execute(text(_CREATE))
    driver: Any = session.connection().connection.driver_connection
    lines: list[str] = []
    with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in rows:
            lines.append(_line(row))
            if len(lines) == _LINES:
                copy.write("".join(lines))
                lines.clear()
        copy.write("".join(lines))
    session.execute(text("ANALYZE import_rows"))


def _line(row: StagedRow) -> str:
    """A line of COPY's text format; only what may hold a backslash or a tab is looked at."""
    email, key, name, attributes = row.email, row.email_key, row.name, "{}"
    if row.reason:
        email, key = email.translate(_ESCAPES), key.translate(_ESCAPES)
    if "\\" in name or "\t" in name:
        name = name.translate(_ESCAPES)
    if row.attributes:
        attributes = json.dumps(row.attributes, ensure_ascii=False).translate(_ESCAPES)
    erased = "\\N" if row.erased_key is None else row.erased_key
    return (
        f"{row.line}\t{email}\t{key}\t{row.domain}\t{name}\t{row.locale}\t{attributes}\t{row.standing}\t{row.reason}"
        f"\t{erased}\n"
    )


def judge_rows(session: Session, *, list_id: int, newsletter_id: int) -> dict[str, int]:
    """Verdict -> rows: new, changed, unchanged, duplicate, invalid, suppressed, left, unconfirmed, and what the file
    itself says, left_elsewhere and blocked_elsewhere. Who has moved to another address is judged as who they are there.
    """
    follow_moves(session)
    session.execute(text(_JUDGE), {"list_id": list_id, "newsletter_id": newsletter_id})
    session.execute(text("ANALYZE import_verdicts"))
    found = session.execute(text("SELECT verdict, count(*) FROM import_verdicts GROUP BY verdict"))
    return {verdict: count for verdict, count in found}  # noqa: C416  (rows of a result, not tuples)


def keep_refusals(session: Session, run_id: int, reasons: dict[str, str]) -> None:
    """Every refused row with its line and its verdict's reason, in place of those an earlier check left."""
    session.execute(text("DELETE FROM import_refusals WHERE run_id = :run_id"), {"run_id": run_id})
    session.execute(text(_REFUSE), {"run_id": run_id, "reasons": json.dumps(reasons)})


def merge_rows(
    session: Session,
    *,
    list_id: int,
    locale: str,
    origin: Origin,
    between: Callable[[], None] = lambda: None,
) -> None:
    """Carries out what was judged: subscribers, what changed about them, subscriptions, each with its consent.

    `between` is called before each statement; it may raise to have all of it undone.
    """
    parameters = {"list_id": list_id, "locale": locale, **asdict(origin)}
    for statement in _MERGE:
        between()
        session.execute(text(statement), parameters)
    note_imported(session)
