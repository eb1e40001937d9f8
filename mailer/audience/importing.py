"""Importing subscribers from a CSV file: whole or not at all, with a report of what was refused.

Someone who has left is never re-subscribed by an import.
"""

import datetime as dt
import unicodedata
from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.addresses import parse_address
from mailer.audience import staging
from mailer.audience.csv_files import read_rows
from mailer.audience.models import ImportRun, Suppression
from mailer.audience.rules import ImportState, SuppressionReason
from mailer.audience.suppressing import erased_key
from mailer.db import session_scope
from mailer.errors import MailerError, RuleError
from mailer.i18n import N_
from mailer.newsletters import get_list
from mailer.newsletters.rules import check_text
from mailer.queue import TaskName, enqueue, enqueue_after_commit

COUNTS = ("new", "changed", "unchanged", "duplicate", "invalid", "suppressed", "left")
# The report tells the first of them by line; the counts are always complete.
REFUSALS_KEPT = 10_000
NAME_LENGTH = 120

_REASONS = {
    "duplicate": N_("The address occurs earlier in the file."),
    "suppressed": N_("The address is on the suppression list."),
    "left": N_("The reader has unsubscribed."),
}
_ANYBODY_ERASED = (
    select(Suppression.id)
    .where(Suppression.reason == SuppressionReason.ERASED, Suppression.lifted_at.is_(None))
    .limit(1)
)
# Two imports at once could wait for each other's rows for ever; they queue up instead.
_IMPORT_LOCK = 0x696D706F7274


def start_import(
    session: Session, *, list_id: int, filename: str, content: bytes, basis: str, by: Account | None
) -> ImportRun:
    """Keeps the file and has a worker read it once the transaction is committed.

    `basis` is the legal basis, kept with every consent. Raises `UnreadableError` when the file cannot be one,
    `RuleError` for a list that is archived or a missing basis, `NotFoundError`; nothing is stored then.
    """
    target = get_list(session, list_id)
    if target.archived_at is not None:
        raise RuleError(N_("This list is archived: nobody can be added to it."))
    run = ImportRun(
        list_id=target.id,
        account_id=by.id if by else None,
        filename=filename.replace("\\", "/").rpartition("/")[2][:255],
        content=content,
        basis=check_text(basis, length=64, is_required=True),
    )
    for _ in read_rows(content):
        break
    session.add(run)
    session.flush()
    record(
        session,
        by=by,
        action="import.started",
        subject_type="list",
        subject_id=target.id,
        import_id=run.id,
        filename=run.filename,
        basis=run.basis,
    )
    enqueue_after_commit(session, TaskName.AUDIENCE_IMPORT, run_id=run.id)
    return run


def run_import(run_id: int) -> None:
    """Reads and merges the file in one transaction. Returns quietly when that was done already; a run that died is
    simply run again. The outcome stands in the row: counts and refusals, or the error.
    """
    with session_scope() as session:
        # Waits here while another worker has the row, and finds it finished.
        waiting = [ImportState.QUEUED, ImportState.RUNNING]
        started = session.scalar(
            update(ImportRun)
            .where(ImportRun.id == run_id, ImportRun.state.in_(waiting))
            .values(state=ImportState.RUNNING)
            .returning(ImportRun.id)
        )
    if started is None:
        return
    try:
        with session_scope() as session:
            _carry_out(session, run_id)
    except MailerError as error:
        _fail(run_id, str(error))
    except ValueError:
        _fail(run_id, N_("The file could not be imported. Nothing was changed."))
        raise


def _carry_out(session: Session, run_id: int) -> None:
    # The row first: while it is locked nobody takes this run for a lost one.
    run = session.scalar(select(ImportRun).where(ImportRun.id == run_id).with_for_update())
    if run is None or run.state != ImportState.RUNNING or run.content is None:
        return
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _IMPORT_LOCK})
    target = get_list(session, run.list_id)
    invalid = _Invalid()
    # Asked before COPY takes the connection for itself.
    has_erased = session.scalar(_ANYBODY_ERASED) is not None
    staging.copy_rows(session, _valid_rows(run.content, invalid, has_erased=has_erased))
    counts = dict.fromkeys(COUNTS, 0) | {"invalid": invalid.count}
    counts |= staging.judge_rows(session, list_id=target.id, newsletter_id=target.newsletter_id)
    refused = [
        {"line": line, "value": value, "reason": _REASONS[verdict]}
        for line, value, verdict in staging.list_refused(session, REFUSALS_KEPT)
    ]
    staging.merge_rows(
        session, list_id=target.id, locale=target.newsletter.language, basis=run.basis, wording=run.filename
    )
    run.counts = counts
    run.refusals = sorted(refused + invalid.refusals, key=lambda refusal: refusal["line"])[:REFUSALS_KEPT]
    run.content = None
    run.state = ImportState.FINISHED
    run.finished_at = session.scalar(select(func.clock_timestamp()))


class _Invalid:
    """What was refused before it reached the database."""

    def __init__(self) -> None:
        self.count = 0
        self.refusals: list[dict[str, Any]] = []

    def add(self, line: int, value: str, reason: str) -> None:
        self.count += 1
        if len(self.refusals) < REFUSALS_KEPT:
            self.refusals.append({"line": line, "value": _clean(value, 320), "reason": reason})


def _valid_rows(content: bytes, invalid: _Invalid, *, has_erased: bool) -> Iterator[staging.StagedRow]:
    """Nothing here may use the session: the rows are pulled while COPY has its connection."""
    for row in read_rows(content):
        try:
            address = parse_address(row.email)
        except RuleError as error:
            invalid.add(row.line, row.email, error.message)
            continue
        yield staging.StagedRow(
            line=row.line,
            email=address.email,
            email_key=address.key,
            domain=address.domain,
            name=_clean(row.name, NAME_LENGTH),
            erased_key=erased_key(address.key) if has_erased else None,
        )


def _clean(value: str, length: int) -> str:
    """One line, without control characters (PostgreSQL takes no NUL), cut where a column ends."""
    printable = "".join(" " if unicodedata.category(sign) == "Cc" else sign for sign in value)
    return " ".join(printable.split())[:length]


def _fail(run_id: int, problem: str) -> None:
    with session_scope() as session:
        run = session.get_one(ImportRun, run_id, with_for_update=True)
        run.state = ImportState.FAILED
        run.error = problem
        run.content = None
        run.finished_at = session.scalar(select(func.clock_timestamp()))


def enqueue_lost() -> int:
    """The guarantee behind the hint: imports that have waited for two minutes, or whose worker died, are handed to a
    worker again. Gives back how many.
    """
    with session_scope() as session:
        lost = session.scalars(
            select(ImportRun.id)
            .where(
                ImportRun.state.in_([ImportState.QUEUED, ImportState.RUNNING]),
                ImportRun.created_at < func.now() - dt.timedelta(minutes=2),
            )
            # One that is being done is locked by its worker, and not lost.
            .with_for_update(skip_locked=True)
        ).all()
    for run_id in lost:
        enqueue(TaskName.AUDIENCE_IMPORT, run_id=run_id)
    return len(lost)


def list_imports(session: Session, *, list_id: int | None = None, limit: int = 50) -> list[ImportRun]:
    """The newest first."""
    query = select(ImportRun).order_by(ImportRun.id.desc()).limit(limit)
    if list_id is not None:
        query = query.where(ImportRun.list_id == list_id)
    return list(session.scalars(query))
