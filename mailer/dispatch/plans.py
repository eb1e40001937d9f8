"""What PostgreSQL's planner is told about the ledger.

A roster of a million appears within seconds, long before autovacuum has counted it, and a prepared statement is planned
once for batches of any size. A plan made on such figures reads the whole table to find two hundred rows. Every
statement of the hot path touches few rows by their keys: it is kept to index look-ups, whatever the figures say. The
judging of a roster is the opposite: it touches everybody, in one pass each, whatever the figures say.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.orm import Session

KEEP_TO_INDEXES = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), "
    # With scans ruled out the estimates are absurd, and compiling such a plan would take longer than running it.
    "set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true)"
)


def keep_to_indexes(session: Session) -> None:
    """For the rest of this transaction."""
    session.execute(KEEP_TO_INDEXES)


@contextmanager
def one_pass_each(session: Session) -> Iterator[None]:
    """Tables are joined as wholes and not row by row: a list filled a moment ago counts as a single reader, and each of
    its hundred thousand would be compared with everybody who has the issue.
    """
    session.execute(text("SET LOCAL enable_nestloop = off"))
    yield
    # Not where it failed: the transaction is over then, and the setting with it.
    session.execute(text("SET LOCAL enable_nestloop TO DEFAULT"))
