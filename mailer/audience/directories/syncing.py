"""One run of a directory in the hands of a worker: read to its end, compared, and carried out whole or not at all.

The source is read before a transaction is open. What it gave is judged and merged in one transaction that holds the
run's row and ends it: a worker that dies leaves nothing behind, and the sweep has another do it from the beginning.
"""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.audience import staging
from mailer.audience.directories.comparing import Comparison, carry_out, compare, keep_report
from mailer.audience.directories.fetching import Table, fetch
from mailer.audience.directories.models import Directory, DirectoryRun
from mailer.audience.directories.notices import tell_admins
from mailer.audience.directories.rules import RUN_OPEN, RunState, is_too_many
from mailer.audience.importing import ANYBODY_ERASED, REASONS, stage_row
from mailer.audience.subscriptions import FROM_DIRECTORY
from mailer.db import session_scope
from mailer.errors import MailerError, RuleError, UnreadableError
from mailer.i18n import N_
from mailer.newsletters import get_list

BASIS = "official_distribution"
# Above the longest reading (`deadlines.WHOLE_SECONDS`) and the merge of a million people together.
LEASE = dt.timedelta(minutes=30)
MOST_TRIES = 3
_MOVED = N_("The reader has moved to another address: the line counts as theirs.")
_REASONS = REASONS | {"moved_new": _MOVED, "moved_changed": _MOVED}
GONE_WRONG = N_("The directory could not be read. Nothing was changed.")


def run_directory(run_id: int) -> None:
    """Does one run. Returns quietly when it is not its turn. The outcome stands in the row: counts, or the error."""
    claim = uuid.uuid4()
    directory = _claim(run_id, claim)
    if directory is None:
        return
    try:
        with fetch(directory) as table, session_scope() as session:
            _Work(session, run_id, claim).do(table)
    except MailerError as error:
        _fail(run_id, claim, error.message, error.params)
    except Exception:
        _fail(run_id, claim, GONE_WRONG, {})
        raise


def _claim(run_id: int, claim: uuid.UUID) -> Directory | None:
    """The directory as it stands, where the run waits or its worker has left it; at most three times."""
    with session_scope() as session:
        moment = func.clock_timestamp()
        taken = session.scalar(
            update(DirectoryRun)
            .where(
                DirectoryRun.id == run_id,
                (DirectoryRun.state == RunState.QUEUED)
                | ((DirectoryRun.state == RunState.RUNNING) & (DirectoryRun.lease_until < moment)),
            )
            .values(state=RunState.RUNNING, claim=claim, lease_until=moment + LEASE, tries=DirectoryRun.tries + 1)
            .returning(DirectoryRun)
            .execution_options(synchronize_session=False)
        )
        if taken is None:
            return None
        directory = session.get_one(Directory, taken.directory_id)
        is_last = taken.tries > MOST_TRIES
    if is_last:
        _fail(run_id, claim, N_("Three workers in turn did not come to its end. Nothing was changed."), {})
        return None
    return directory


class _Work:
    """A claimed run, its rows locked until the transaction ends."""

    def __init__(self, session: Session, run_id: int, claim: uuid.UUID) -> None:
        self.session = session
        self.run = _lock(session, run_id, claim)

    def do(self, table: Table) -> None:
        session, run = self.session, self.run
        if run is None:
            return
        directory = session.get_one(Directory, run.directory_id, with_for_update=True)
        target = get_list(session, directory.list_id)
        if run.revision != directory.revision:
            raise RuleError(N_("The directory was changed since. Try it again."))
        if target.archived_at is not None:
            raise RuleError(N_("This list is archived: nobody can be added to it."))
        if not run.is_dry:
            staging.lock_merges(session)
        # Asked before COPY takes the connection for itself.
        has_erased = session.scalar(ANYBODY_ERASED) is not None
        staging.copy_rows(session, _stage(table, has_erased=has_erased))
        found = compare(
            session,
            directory_id=directory.id,
            list_id=target.id,
            newsletter_id=target.newsletter_id,
            approved_run_id=run.approved_run_id,
        )
        if not found.has_anybody:
            raise UnreadableError(N_("It names nobody with a good address: it is taken for broken."))
        keep_report(session, run.id, _REASONS)
        run.counts, run.members = found.counts, found.members
        if run.is_dry:
            directory.tried_revision = run.revision
        elif self._is_too_many(directory, found):
            self._end(RunState.STOPPED)
            tell_admins(session, directory, run)
            return
        else:
            carry_out(
                session,
                directory_id=directory.id,
                list_id=target.id,
                locale=target.newsletter.language,
                origin=_origin(directory, run),
                farewell=directory.name,
            )
            self._record(directory, found)
        self._end(RunState.FINISHED)

    def _is_too_many(self, directory: Directory, found: Comparison) -> bool:
        return is_too_many(
            found.unapproved, found.members, percent=directory.limit_percent, count=directory.limit_count
        )

    def _end(self, state: RunState) -> None:
        assert self.run is not None
        self.run.state = state
        self.run.finished_at = self.session.scalar(select(func.clock_timestamp()))
        self.session.flush()

    def _record(self, directory: Directory, found: Comparison) -> None:
        """A night that changes nothing leaves no trail."""
        assert self.run is not None
        changed: dict[str, Any] = {
            kind: found.counts[kind] for kind in ("new", "changed", "removed") if found.counts[kind]
        }
        if changed:
            by = self.session.get(Account, self.run.account_id) if self.run.account_id else None
            record(
                self.session,
                by=by,
                action="directory.synchronised",
                subject_type="directory",
                subject_id=directory.id,
                name=directory.name,
                run_id=self.run.id,
                **changed,
            )


def _lock(session: Session, run_id: int, claim: uuid.UUID) -> DirectoryRun | None:
    """The run, if it is still this claim's."""
    query = select(DirectoryRun).where(
        DirectoryRun.id == run_id, DirectoryRun.claim == claim, DirectoryRun.state.in_(RUN_OPEN)
    )
    return session.scalar(query.with_for_update())


def _stage(table: Table, *, has_erased: bool) -> Iterator[staging.StagedRow]:
    """Nothing here may use the session: the rows are pulled while COPY has its connection."""
    for line, cells in table.rows():
        yield stage_row(table.layout, line, cells, has_erased=has_erased)


def _origin(directory: Directory, run: DirectoryRun) -> staging.Origin:
    return staging.Origin(
        BASIS,
        directory.name,
        source=FROM_DIRECTORY,
        decided_by=directory.decided_by,
        decided_on=directory.decided_on,
        account_id=run.account_id,
        directory_id=directory.id,
    )


def _fail(run_id: int, claim: uuid.UUID, message: str, params: dict[str, object]) -> None:
    with session_scope() as session:
        run = _lock(session, run_id, claim)
        if run is None:
            return
        run.state, run.error = RunState.FAILED, message
        run.error_params = {name: value if isinstance(value, int) else str(value) for name, value in params.items()}
        run.finished_at = session.scalar(select(func.clock_timestamp()))
        session.flush()
        tell_admins(session, session.get_one(Directory, run.directory_id), run)
