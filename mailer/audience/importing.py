"""Carrying out an import: checked, or read and merged, whole or not at all, with a report of all that was refused.

What a worker does; `uploading` is how it came about. Someone who has left is never re-subscribed by an import. The
file's rows are judged in a transaction of their own; how far it is, and whether a person gave it up, goes through
another, so that everybody sees it meanwhile. A worker that dies leaves nothing behind, and the sweep has another do it.
"""

import datetime as dt
import tempfile
import time
from collections.abc import Iterator
from typing import IO, Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from mailer.addresses import parse_address
from mailer.audience import staging
from mailer.audience.following import count_moved
from mailer.audience.import_models import ImportRun
from mailer.audience.layouts import Layout, tidy
from mailer.audience.models import Suppression
from mailer.audience.rules import IMPORT_UNDER_WAY, ImportState, SuppressionReason
from mailer.audience.suppressing import erased_key
from mailer.audience.tables import Shape, read_rows
from mailer.audience.uploading import (
    begin,
    cancel,
    choose_columns,
    fetch,
    forget_file,
    get_import,
    list_imports,
    list_reasons,
    list_refusals,
    receive,
    start_import,
)
from mailer.db import session_scope
from mailer.errors import MailerError, RuleError
from mailer.i18n import N_
from mailer.newsletters import get_list
from mailer.queue import TaskName, enqueue

__all__ = [
    "COUNTS",
    "begin",
    "cancel",
    "choose_columns",
    "enqueue_lost",
    "get_import",
    "list_imports",
    "list_reasons",
    "list_refusals",
    "receive",
    "run_import",
    "start_import",
]

COUNTS = ("new", "changed", "unchanged", "duplicate", "invalid", "suppressed", "left", "unconfirmed")
NAME_LENGTH = 120
# Rows between two looks at the clock, and seconds between two words about how far it is.
_ROWS_BETWEEN, _SECONDS_BETWEEN = 2000, 0.5
# Of the whole work, reading the file is about this share; the rest is PostgreSQL's.
_READING_SHARE = 0.4
LOST_AFTER = dt.timedelta(minutes=2)

# What the file itself says counts with what we know ourselves.
_ELSEWHERE = {"left_elsewhere": "left", "blocked_elsewhere": "suppressed"}
REASONS = {
    "duplicate": N_("The address occurs earlier in the file."),
    "suppressed": N_("The address is on the suppression list."),
    "left": N_("The reader has unsubscribed."),
    "left_elsewhere": N_("The reader has unsubscribed, as the file says."),
    "blocked_elsewhere": N_("Nothing may be sent to this address, as the file says."),
    "unconfirmed": N_("The reader has not confirmed, as the file says."),
    # Of who has moved to another address; which one is not said.
    "moved_duplicate": N_("The reader has moved to another address, and the file has them already."),
    "moved_suppressed": N_("The reader has moved to another address, which is on the suppression list."),
    "moved_left": N_("The reader has moved to another address, and has unsubscribed."),
}
# Whether anybody ever was: only then each address is hashed.
ANYBODY_ERASED = (
    select(Suppression.id)
    .where(Suppression.reason == SuppressionReason.ERASED, Suppression.lifted_at.is_(None))
    .limit(1)
)
# Advisory lock: one worker per run.
_RUN_LOCK = 0x494D


class _CancelledError(Exception):
    """A person gave the import up; what was done so far is undone."""


def run_import(run_id: int) -> None:
    """Checks or carries out one import. Returns quietly when it is not its turn, or another worker has it.

    A run that died is simply run again. The outcome stands in the row: counts, or the error; refusals in their table.
    """
    try:
        with session_scope() as session:
            if session.scalar(select(func.pg_try_advisory_xact_lock(_RUN_LOCK, run_id % 2**31))):
                _Work(session, run_id).do()
    except _CancelledError:
        _end(run_id, ImportState.CANCELLED)
    except MailerError as error:
        _end(run_id, ImportState.FAILED, str(error))
    except (ValueError, OverflowError):
        _end(run_id, ImportState.FAILED, N_("The file could not be imported. Nothing was changed."))
        raise


def enqueue_lost() -> int:
    """The guarantee behind the hint: imports of which nothing was heard for two minutes, and which no worker has, are
    handed to one again. Gives back how many.
    """
    with session_scope() as session:
        silent = session.scalars(
            select(ImportRun.id).where(
                ImportRun.state.in_(IMPORT_UNDER_WAY),
                func.coalesce(ImportRun.progressed_at, ImportRun.created_at) < func.now() - LOST_AFTER,
            )
        ).all()
        lost = [
            run_id
            for run_id in silent
            if session.scalar(select(func.pg_try_advisory_xact_lock(_RUN_LOCK, run_id % 2**31)))
        ]
    for run_id in lost:
        enqueue(TaskName.AUDIENCE_IMPORT, run_id=run_id)
    return len(lost)


class _Work:
    """One run in the hands of one worker."""

    def __init__(self, session: Session, run_id: int) -> None:
        self.session = session
        self.run_id = run_id
        self.rows_read = 0
        self._told_at = 0.0
        self._steps = 0

    def do(self) -> None:
        run = self.session.get(ImportRun, self.run_id)
        if run is None or run.state not in IMPORT_UNDER_WAY:
            return
        is_check = run.state == ImportState.CHECKING
        if not is_check:
            self._move(ImportState.RUNNING)
        self.tell(0.0)
        target = get_list(self.session, run.list_id)
        # Asked before COPY takes the connection for itself.
        has_erased = self.session.scalar(ANYBODY_ERASED) is not None
        with tempfile.TemporaryFile() as file:
            fetch(self.session, run.id, file)
            staging.copy_rows(self.session, self._rows(run, file, has_erased=has_erased))
        self.tell(_READING_SHARE)
        if not is_check:
            staging.lock_merges(self.session)
        counts = self._judge(run, target.newsletter_id)
        if not is_check:
            staging.merge_rows(
                self.session,
                list_id=target.id,
                locale=target.newsletter.language,
                origin=staging.Origin(
                    run.basis,
                    run.wording,
                    decided_by=run.decided_by,
                    decided_on=run.decided_on,
                    account_id=run.account_id,
                    import_id=run.id,
                ),
                between=self._step,
            )
        self._finish(counts, is_check=is_check)

    def _judge(self, run: ImportRun, newsletter_id: int) -> dict[str, int]:
        counts = dict.fromkeys(COUNTS, 0)
        for verdict, count in staging.judge_rows(
            self.session, list_id=run.list_id, newsletter_id=newsletter_id
        ).items():
            counts[_ELSEWHERE.get(verdict, verdict)] += count
        # Counted among the others already: these are to be told, not to be added.
        if moved := count_moved(self.session):
            counts["moved"] = moved
        staging.keep_refusals(self.session, run.id, REASONS)
        return counts

    def _finish(self, counts: dict[str, int], *, is_check: bool) -> None:
        """The last word, unless a person gave it up until this very moment."""
        values: dict[str, Any] = {
            "state": ImportState.CHECKED if is_check else ImportState.FINISHED,
            "counts": counts,
            "rows_read": self.rows_read,
            "progress": 1.0,
            "error": "",
        }
        if not is_check:
            forget_file(self.session, self.run_id)
            values["finished_at"] = func.clock_timestamp()
        done = self.session.scalar(
            update(ImportRun)
            .where(ImportRun.id == self.run_id, ImportRun.cancel_asked_at.is_(None))
            .values(values)
            .returning(ImportRun.id)
            .execution_options(synchronize_session=False)
        )
        if done is None:
            raise _CancelledError

    def _rows(self, run: ImportRun, file: IO[bytes], *, has_erased: bool) -> Iterator[staging.StagedRow]:
        """Nothing here may use the session: the rows are pulled while COPY has its connection."""
        layout = Layout.from_json(run.layout)
        rows = read_rows(file, Shape.from_json(run.shape))  # type: ignore[arg-type]
        if layout.has_header:
            next(rows, None)
        for line, cells in rows:
            self.rows_read += 1
            if self.rows_read % _ROWS_BETWEEN == 0:
                self._tell_in_time(file, run.size)
            yield stage_row(layout, line, cells, has_erased=has_erased)

    def _tell_in_time(self, file: IO[bytes], size: int) -> None:
        if time.monotonic() - self._told_at >= _SECONDS_BETWEEN:
            self.tell(_READING_SHARE * min(1.0, file.tell() / max(size, 1)))

    def _step(self) -> None:
        """Before each statement of the merge."""
        self._steps += 1
        self.tell(_READING_SHARE + (1 - _READING_SHARE) * self._steps / 5)

    def tell(self, progress: float) -> None:
        """How far it is, at once visible to others. Raises `_CancelledError` when a person gave it up."""
        self._told_at = time.monotonic()
        with session_scope() as own:
            cancelled = own.execute(
                update(ImportRun)
                .where(ImportRun.id == self.run_id)
                .values(progress=progress, rows_read=self.rows_read, progressed_at=func.clock_timestamp())
                .returning(ImportRun.cancel_asked_at)
            ).scalar_one_or_none()
        if cancelled is not None:
            raise _CancelledError

    def _move(self, state: ImportState) -> None:
        with session_scope() as own:
            own.execute(update(ImportRun).where(ImportRun.id == self.run_id).values(state=state))


def stage_row(layout: Layout, line: int, cells: list[str], *, has_erased: bool) -> staging.StagedRow:
    """What the cells say, as far as it can be judged without the database; a bad address is a row with a reason."""
    try:
        row = layout.read(line, cells)
        address = parse_address(row.email)
    except RuleError as error:
        return _refuse(line, cells[layout.email_column] if layout.email_column < len(cells) else "", error.message)
    return staging.StagedRow(
        line,
        address.email,
        address.key,
        address.domain,
        tidy(row.name, NAME_LENGTH) if row.name else "",
        row.locale,
        row.attributes,
        row.standing,
        "",
        erased_key(address.key) if has_erased else None,
    )


def _refuse(line: int, value: str, reason: str) -> staging.StagedRow:
    shown = tidy(value, 320)
    return staging.StagedRow(line, shown, shown.casefold(), "", reason=reason)


def _end(run_id: int, state: ImportState, error: str = "") -> None:
    """Nothing of the file was taken; it is not kept either."""
    with session_scope() as session:
        ended = session.scalar(
            update(ImportRun)
            .where(ImportRun.id == run_id, ImportRun.state.in_(IMPORT_UNDER_WAY))
            .values(state=state, error=error, counts={}, finished_at=func.clock_timestamp())
            .returning(ImportRun.id)
        )
        if ended is not None:
            forget_file(session, run_id)
