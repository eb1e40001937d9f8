"""From a file to an import that a worker carries out: uploaded, its columns chosen, checked, begun or given up.

The acts of people; `importing` is what a worker does. Every act is audited.
"""

import io
import tempfile
from collections.abc import Sequence
from typing import IO, Any, BinaryIO

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.audience.deciding import Decision, check_decision
from mailer.audience.headings import Source, Target
from mailer.audience.import_models import ImportChunk, ImportRefusal, ImportRun
from mailer.audience.layouts import COLUMNS_READ, KEY_LENGTH, Layout, propose, tidy
from mailer.audience.rules import IMPORT_OVER, ImportState
from mailer.audience.tables import Shape, detect_shape, read_head
from mailer.errors import NotFoundError, RuleError
from mailer.i18n import N_
from mailer.newsletters import get_list
from mailer.newsletters.rules import check_text
from mailer.queue import TaskName, enqueue_after_commit

_PIECE = 262_144
# Rows of the file that are shown while its columns are chosen.
HEAD = 6


def receive(
    session: Session,
    file: BinaryIO,
    *,
    list_id: int,
    filename: str,
    basis: str,
    wording: str = "",
    decision: Decision | None = None,
    by: Account | None,
    ip: str | None = None,
) -> ImportRun:
    """Keeps the file, piece by piece, with a first guess at what its columns mean.

    `basis` is the legal basis, `wording` how the readers agreed, `decision` who decided it otherwise, `None` where
    there is nobody to ask: all are kept with every consent. Raises `UnreadableError` when the file is no table,
    `RuleError` for a list that is archived, a missing basis or an incomplete decision, `NotFoundError`; nothing is
    stored then.
    """
    target = get_list(session, list_id)
    if target.archived_at is not None:
        raise RuleError(N_("This list is archived: nobody can be added to it."))
    basis = check_text(basis, length=64, is_required=True)
    decided = check_decision(session, basis, decision) if decision is not None else Decision()
    shape = detect_shape(file)
    head = read_head(file, shape, HEAD)
    run = ImportRun(
        list_id=target.id,
        account_id=by.id if by else None,
        filename=tidy(filename.replace("\\", "/").rpartition("/")[2], 255),
        basis=basis,
        wording=check_text(wording, length=2000),
        decided_by=decided.by,
        decided_on=decided.on,
        shape=shape.as_json(),
        layout=_guess(head).as_json(),
    )
    run.wording = run.wording or run.filename
    session.add(run)
    session.flush()
    run.size = _keep(session, run.id, file)
    _record(session, run, "uploaded", by, ip, filename=run.filename, basis=run.basis)
    return run


def start_import(
    session: Session,
    *,
    list_id: int,
    filename: str,
    content: bytes,
    basis: str,
    wording: str = "",
    decision: Decision | None = None,
    by: Account | None,
) -> ImportRun:
    """Receives a file whose columns need no choosing, and has it carried out without a check first."""
    with io.BytesIO(content) as file:
        # There is nobody to ask: a file whose columns cannot be told is refused.
        propose(read_head(file, detect_shape(file), 1)[0])
        run = receive(
            session, file, list_id=list_id, filename=filename, basis=basis, wording=wording, decision=decision, by=by
        )
    begin(session, run, by=by)
    return run


def choose_columns(session: Session, run: ImportRun, targets: Sequence[Target], *, has_header: bool) -> None:
    """Says what each column means, and has the file checked. Raises `RuleError` unless one column is the address."""
    _lock(session, run)
    if run.state not in {ImportState.UPLOADED, ImportState.CHECKED}:
        raise RuleError(N_("This import is under way or over: its columns stand."))
    guessed = run.layout
    layout = Layout(
        targets[:COLUMNS_READ], guessed["headings"], has_header=has_header, source=Source(guessed["source"])
    )
    run.layout = layout.as_json()
    _hand_over(session, run, ImportState.CHECKING)


def begin(session: Session, run: ImportRun, *, by: Account | None, ip: str | None = None) -> None:
    """Has a worker carry the import out. Raises `RuleError` when it was begun or given up already."""
    _lock(session, run)
    if run.state not in {ImportState.UPLOADED, ImportState.CHECKED}:
        raise RuleError(N_("This import was started or given up already."))
    if get_list(session, run.list_id).archived_at is not None:
        raise RuleError(N_("This list is archived: nobody can be added to it."))
    Layout.from_json(run.layout)
    _hand_over(session, run, ImportState.QUEUED)
    _record(session, run, "started", by, ip, filename=run.filename, basis=run.basis)


def cancel(session: Session, run: ImportRun, *, by: Account | None, ip: str | None = None) -> None:
    """Gives it up: at once where no worker has it, else before its worker's next step, with nothing changed.

    Raises `RuleError` when it is over.
    """
    _lock(session, run)
    if run.state in IMPORT_OVER:
        raise RuleError(N_("This import is over: there is nothing left to cancel."))
    moment = session.scalar(select(func.clock_timestamp()))
    run.cancel_asked_at = moment
    if run.state in {ImportState.UPLOADED, ImportState.CHECKED}:
        run.state, run.finished_at = ImportState.CANCELLED, moment
        forget_file(session, run.id)
    _record(session, run, "cancelled", by, ip, filename=run.filename)


def get_import(session: Session, run_id: int) -> ImportRun:
    """Raises `NotFoundError`."""
    run = session.get(ImportRun, run_id)
    if run is None:
        raise NotFoundError(N_("There is no such import."))
    return run


def list_imports(session: Session, *, list_id: int | None = None, limit: int = 50) -> list[ImportRun]:
    """The newest first."""
    query = select(ImportRun).order_by(ImportRun.id.desc()).limit(limit)
    if list_id is not None:
        query = query.where(ImportRun.list_id == list_id)
    return list(session.scalars(query))


def list_refusals(session: Session, run_id: int, *, limit: int | None = None) -> list[ImportRefusal]:
    """Refused lines in the file's order."""
    query = select(ImportRefusal).where(ImportRefusal.run_id == run_id).order_by(ImportRefusal.line).limit(limit)
    return list(session.scalars(query))


def list_reasons(session: Session, run_id: int) -> list[str]:
    """Every reason (a gettext id) that a refused line of this import has."""
    return list(session.scalars(select(ImportRefusal.reason).where(ImportRefusal.run_id == run_id).distinct()))


def read_kept_head(session: Session, run: ImportRun) -> list[list[str]]:
    """The file's first rows, for choosing its columns."""
    with tempfile.TemporaryFile() as file:
        fetch(session, run.id, file)
        return [row[:COLUMNS_READ] for row in read_head(file, Shape.from_json(run.shape), HEAD)]


def fetch(session: Session, run_id: int, file: IO[bytes]) -> None:
    """Writes the kept file into `file`, one piece in memory at a time."""
    ordinals = session.scalars(
        select(ImportChunk.ordinal).where(ImportChunk.run_id == run_id).order_by(ImportChunk.ordinal)
    ).all()
    for ordinal in ordinals:
        one = select(ImportChunk.data).where(ImportChunk.run_id == run_id, ImportChunk.ordinal == ordinal)
        file.write(session.scalars(one).one())


def forget_file(session: Session, run_id: int) -> None:
    """The file is kept no longer than it is needed."""
    session.execute(delete(ImportChunk).where(ImportChunk.run_id == run_id))


def _guess(head: list[list[str]]) -> Layout:
    """What the columns seem to be; where nothing looks like an address, the first column must do until a person says
    better.
    """
    try:
        return propose(head[0])
    except RuleError:
        width = max(1, min(len(head[0]), COLUMNS_READ))
        headings = [tidy(cell, KEY_LENGTH) for cell in head[0][:width]]
        return Layout([Target.EMAIL, *[Target.IGNORE] * (width - 1)], headings, has_header=True)


def _keep(session: Session, run_id: int, file: BinaryIO) -> int:
    file.seek(0)
    size = ordinal = 0
    while piece := file.read(_PIECE):
        session.execute(insert(ImportChunk), {"run_id": run_id, "ordinal": ordinal, "data": piece})
        size, ordinal = size + len(piece), ordinal + 1
    return size


def _hand_over(session: Session, run: ImportRun, state: ImportState) -> None:
    run.state, run.rows_read, run.progress = state, 0, 0.0
    run.progressed_at = session.scalar(select(func.clock_timestamp()))
    enqueue_after_commit(session, TaskName.AUDIENCE_IMPORT, run_id=run.id)


def _lock(session: Session, run: ImportRun) -> None:
    session.flush()
    session.refresh(run, with_for_update=True)


def _record(session: Session, run: ImportRun, act: str, by: Account | None, ip: str | None, **details: Any) -> None:
    record(
        session,
        by=by,
        action=f"import.{act}",
        subject_type="list",
        subject_id=run.list_id,
        ip=ip,
        import_id=run.id,
        **details,
    )
