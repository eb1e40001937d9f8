"""When a directory is read: at its hour, or when somebody asks. A run is a row; a worker finds it by its hint, or by
the sweep when the hint was lost or its worker died.
"""

import datetime as dt
from collections.abc import Iterator

from sqlalchemy import func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.audience.directories.models import Directory, DirectoryFinding, DirectoryRun
from mailer.audience.directories.rules import DirectoryState, Finding, RunState, next_night
from mailer.audience.directories.trail import record_act
from mailer.db import now, session_scope
from mailer.errors import NotFoundError, RuleError
from mailer.i18n import N_
from mailer.queue import TaskName, enqueue, enqueue_after_commit
from mailer.settings import get_settings

LOST_AFTER = dt.timedelta(minutes=2)


def ask_for_run(
    session: Session, directory: Directory, *, is_dry: bool, by: Account | None, ip: str | None = None
) -> DirectoryRun:
    """Has it read as soon as a worker is free. Raises `RuleError` while a run is open, and for one that was never
    switched on unless it is dry.
    """
    session.refresh(directory, with_for_update=True)
    if not is_dry and directory.state == DirectoryState.DRAFT:
        raise RuleError(N_("Try it and switch it on first."))
    if not is_dry and directory.tried_revision != directory.revision:
        raise RuleError(N_("Try it first: a dry run shows what it would do."))
    run = _add(session, directory, DirectoryRun(is_dry=is_dry, account_id=by.id if by else None))
    record_act(session, directory, "tried" if is_dry else "run_asked", by, ip, run_id=run.id)
    return run


def approve(session: Session, stopped: DirectoryRun, *, by: Account, ip: str | None = None) -> DirectoryRun:
    """Agrees to the removals that the stopped run named, and has the directory read again. Raises `RuleError` unless
    that is the directory's latest run.
    """
    directory = session.get_one(Directory, stopped.directory_id, with_for_update=True, populate_existing=True)
    if stopped.state != RunState.STOPPED or find_waiting(session, directory.id) is not stopped:
        raise RuleError(N_("There is nothing to agree to any more: it has been read since."))
    if stopped.revision != directory.revision:
        raise RuleError(N_("The directory was changed since. Try it again."))
    run = _add(session, directory, DirectoryRun(is_dry=False, account_id=by.id, approved_run_id=stopped.id))
    record_act(session, directory, "approved", by, ip, run_id=run.id, count=stopped.counts["removed"])
    return run


def get_run(session: Session, run_id: int) -> DirectoryRun:
    """Raises `NotFoundError`."""
    run = session.get(DirectoryRun, run_id)
    if run is None:
        raise NotFoundError(N_("There is no such run."))
    return run


def list_runs(session: Session, directory_id: int, *, limit: int = 30) -> list[DirectoryRun]:
    """The newest first."""
    query = select(DirectoryRun).where(DirectoryRun.directory_id == directory_id)
    return list(session.scalars(query.order_by(DirectoryRun.id.desc()).limit(limit)))


def find_latest(session: Session, directory_ids: list[int]) -> dict[int, DirectoryRun]:
    """Directory id -> its newest run."""
    newest = (
        select(func.max(DirectoryRun.id))
        .where(DirectoryRun.directory_id.in_(directory_ids))
        .group_by(DirectoryRun.directory_id)
    )
    rows = session.scalars(select(DirectoryRun).where(DirectoryRun.id.in_(newest)))
    return {run.directory_id: run for run in rows}


def find_waiting(session: Session, directory_id: int) -> DirectoryRun | None:
    """The newest run that was no trial, if it stopped and waits for a person."""
    query = select(DirectoryRun).where(DirectoryRun.directory_id == directory_id, ~DirectoryRun.is_dry)
    newest = session.scalar(query.order_by(DirectoryRun.id.desc()).limit(1))
    return newest if newest is not None and newest.state == RunState.STOPPED else None


def list_troubled(session: Session) -> list[tuple[Directory, DirectoryRun]]:
    """Directories whose newest run, trials aside, stopped or failed: they want a person."""
    newest = select(func.max(DirectoryRun.id)).where(~DirectoryRun.is_dry).group_by(DirectoryRun.directory_id)
    rows = session.execute(
        select(Directory, DirectoryRun)
        .join(DirectoryRun, DirectoryRun.directory_id == Directory.id)
        .where(DirectoryRun.id.in_(newest), DirectoryRun.state.in_([RunState.STOPPED, RunState.FAILED]))
        .order_by(Directory.name)
    )
    return [(directory, run) for directory, run in rows]


def list_findings(
    session: Session, run_id: int, *, kind: Finding | None = None, after: int = 0, limit: int | None = None
) -> list[DirectoryFinding]:
    """The report's lines from behind ordinal `after`: who is taken off, then the others in the table's order."""
    query = select(DirectoryFinding).where(DirectoryFinding.run_id == run_id, DirectoryFinding.ordinal > after)
    if kind is not None:
        query = query.where(DirectoryFinding.kind == kind)
    return list(session.scalars(query.order_by(DirectoryFinding.ordinal).limit(limit)))


def list_reasons(session: Session, run_id: int) -> list[str]:
    """Every reason (a gettext id) that the report has."""
    query = select(DirectoryFinding.reason).where(DirectoryFinding.run_id == run_id, DirectoryFinding.reason != "")
    return list(session.scalars(query.distinct()))


def stream_findings(session: Session, run_id: int) -> Iterator[DirectoryFinding]:
    """The whole report, a few hundred lines in memory at a time."""
    query = select(DirectoryFinding).where(DirectoryFinding.run_id == run_id).order_by(DirectoryFinding.ordinal)
    for each in session.scalars(query.execution_options(yield_per=500)):
        yield each
        session.expunge(each)


def enqueue_due() -> list[int]:
    """The sweep's: makes the runs whose hour has come, and hands to a worker what none has had for two minutes, or what
    its worker has left. Gives back the ids that were handed on.
    """
    with session_scope() as session:
        moment = now(session)
        due = session.scalars(
            select(Directory)
            .where(Directory.state == DirectoryState.ON, Directory.next_run_at <= moment)
            .with_for_update(skip_locked=True)
        ).all()
        for directory in due:
            directory.next_run_at = next_night(moment, directory.hour, get_settings().time_zone)
            if not _has_open(session, directory.id):
                session.add(DirectoryRun(directory_id=directory.id, is_dry=False, revision=directory.revision))
        session.flush()
        ids = list(
            session.scalars(
                select(DirectoryRun.id).where(
                    or_(
                        (DirectoryRun.state == RunState.QUEUED)
                        & ((DirectoryRun.created_at == moment) | (DirectoryRun.created_at < moment - LOST_AFTER)),
                        (DirectoryRun.state == RunState.RUNNING) & (DirectoryRun.lease_until < moment),
                    )
                )
            )
        )
    for run_id in ids:
        enqueue(TaskName.AUDIENCE_DIRECTORIES, run_id=run_id)
    return ids


def _add(session: Session, directory: Directory, run: DirectoryRun) -> DirectoryRun:
    run.directory_id, run.revision = directory.id, directory.revision
    try:
        with session.begin_nested():
            session.add(run)
            session.flush()
    except IntegrityError:
        raise RuleError(N_("It is being read at this moment.")) from None
    enqueue_after_commit(session, TaskName.AUDIENCE_DIRECTORIES, run_id=run.id)
    return run


def _has_open(session: Session, directory_id: int) -> bool:
    query = select(DirectoryRun.id).where(
        DirectoryRun.directory_id == directory_id, DirectoryRun.state.in_([RunState.QUEUED, RunState.RUNNING])
    )
    return session.scalar(query) is not None
