"""A row that names an address which its reader has given up is that reader's, wherever they are now.

Works on what `staging.copy_rows` has copied: the row goes on under the reader's present address, and keeps what it said
in `told_email` and `told_key`, which is all that a report repeats. An address that has become somebody's own since, who
signed up with it, is theirs.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

# Of several who had the address in turn, the last; of several moves and readers made one, the end of the way.
_FOLLOW = """
WITH RECURSIVE walk AS (
    SELECT changes.old_key, changes.id AS change_id, readers.id, readers.merged_into_id
    FROM address_changes AS changes JOIN subscribers AS readers ON readers.id = changes.subscriber_id
    WHERE changes.done_at IS NOT NULL
        AND EXISTS (SELECT FROM import_rows AS rows WHERE rows.email_key = changes.old_key AND rows.reason = '')
        AND NOT EXISTS (SELECT FROM subscribers AS others WHERE others.email_key = changes.old_key)
    UNION ALL
    SELECT walk.old_key, walk.change_id, readers.id, readers.merged_into_id
    FROM walk JOIN subscribers AS readers ON readers.id = walk.merged_into_id
), moves AS (
    SELECT DISTINCT ON (walk.old_key) walk.old_key, readers.email, readers.email_key, readers.domain
    FROM walk JOIN subscribers AS readers ON readers.id = walk.id
    WHERE readers.merged_into_id IS NULL AND readers.erased_at IS NULL
    ORDER BY walk.old_key, walk.change_id DESC
)
UPDATE import_rows SET told_email = import_rows.email, told_key = import_rows.email_key,
    email = moves.email, email_key = moves.email_key, domain = moves.domain
FROM moves WHERE moves.old_key = import_rows.email_key AND import_rows.reason = ''
"""


def follow_moves(session: Session) -> None:
    """Leads every row to the reader it is about. One statement, however many rows there are."""
    session.execute(text(_FOLLOW))


def count_moved(session: Session) -> int:
    """Rows that were led to another address, of those that `staging.judge_rows` has judged."""
    return int(session.scalar(text("SELECT count(told_key) FROM import_verdicts")) or 0)
