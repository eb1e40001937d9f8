"""An import that is given up or dies in the middle of its merge leaves all or nothing, wherever that happens."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.audience import importing, staging
from mailer.audience.import_models import ImportChunk, ImportRun
from mailer.audience.importing import cancel, get_import, run_import, start_import
from mailer.audience.models import Consent, Subscriber, SubscriberChange, Subscription
from mailer.db import session_scope
from mailer.errors import RuleError
from mailer.newsletters.models import List
from tests.audience.conftest import SignUp, states

CONTENT = "email,name\nann@example.org,Ann Changed\nbob@example.org,Bob\neve@example.org,Eve\n"
STEPS = len(staging._MERGE)
SECONDS = 60.0

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def started(session: Session, double: List, fill_in: SignUp) -> ImportRun:
    """Ann waits for her confirmation and has another name in the file; the other two are new."""
    fill_in(double, name="Ann")
    run = start_import(session, list_id=double.id, filename="x.csv", content=CONTENT.encode(), basis="consent", by=None)
    session.commit()
    return run


def everything(session: Session) -> tuple[object, ...]:
    """What an import may change."""
    session.rollback()
    session.expire_all()
    people = session.execute(select(Subscriber.email_key, Subscriber.name).order_by(Subscriber.id)).all()
    return (
        [tuple(person) for person in people],
        [str(state) for state in session.scalars(select(Subscription.state).order_by(Subscription.id))],
        [str(act) for act in session.scalars(select(Consent.act).order_by(Consent.id))],
        session.scalar(select(func.count()).select_from(SubscriberChange)),
    )


BEFORE = ([("ann@example.org", "Ann")], ["unconfirmed"], ["asked"], 0)
AFTER = (
    [("ann@example.org", "Ann Changed"), ("bob@example.org", "Bob"), ("eve@example.org", "Eve")],
    ["confirmed"] * 3,
    ["asked", "imported", "imported", "imported"],
    1,
)


def test_left_alone_it_is_carried_out_whole(session: Session, started: ImportRun) -> None:
    run_import(started.id)
    assert everything(session) == AFTER


@pytest.mark.parametrize("step", range(STEPS + 1))
def test_given_up_at_any_step_of_the_merge_nothing_is_changed(
    session: Session, started: ImportRun, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """`STEPS` is after the last statement, when everything is written and nothing committed yet."""
    run_id, told = started.id, importing._Work.tell
    seen = []

    def give_up() -> None:
        with session_scope() as own:
            cancel(own, get_import(own, run_id), by=None)

    def count(work: importing._Work) -> None:
        seen.append(len(seen))
        if len(seen) - 1 == step:
            give_up()
        told(work, 0.5)

    def finish(work: importing._Work, counts: dict[str, int], *, is_check: bool) -> None:
        if step == STEPS:
            give_up()
        finished(work, counts, is_check=is_check)

    finished = importing._Work._finish
    monkeypatch.setattr(importing._Work, "_step", count)
    monkeypatch.setattr(importing._Work, "_finish", finish)
    run_import(run_id)
    assert len(seen) == min(step + 1, STEPS)
    assert everything(session) == BEFORE
    run = session.get_one(ImportRun, run_id)
    assert (run.state, run.counts) == ("cancelled", {})
    assert session.scalars(select(ImportChunk)).all() == []
    # It is over: no worker takes it up again.
    monkeypatch.undo()
    run_import(run_id)
    assert everything(session) == BEFORE


def test_what_was_carried_out_cannot_be_given_up_any_more(session: Session, started: ImportRun) -> None:
    run_import(started.id)
    session.expire_all()
    with pytest.raises(RuleError):
        cancel(session, get_import(session, started.id), by=None)
    assert everything(session) == AFTER


_DYING = """
import sys, time
from pathlib import Path
from mailer.audience import importing

run_id, step, sign = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
seen = 0

def stop_there(work):
    global seen
    seen += 1
    if seen > step:
        sign.touch()
        time.sleep(600)

importing._Work._step = stop_there
importing.run_import(run_id)
"""


@pytest.mark.parametrize("step", [0, STEPS - 1])
def test_a_worker_killed_in_the_middle_of_the_merge_leaves_nothing_and_the_next_does_it_whole(
    session: Session, double: List, started: ImportRun, tmp_path: Path, step: int
) -> None:
    sign = tmp_path / "there"
    arguments = [sys.executable, "-c", _DYING, str(started.id), str(step), str(sign)]
    with subprocess.Popen(arguments, env=dict(os.environ)) as worker:
        try:
            _wait(sign.exists)
        finally:
            worker.send_signal(signal.SIGKILL)
    assert everything(session) == BEFORE
    assert session.get_one(ImportRun, started.id).state == "running"

    def is_done() -> bool:
        # Until PostgreSQL has noticed the death, the lock is held and this returns quietly.
        run_import(started.id)
        session.expire_all()
        state = session.get_one(ImportRun, started.id).state
        session.rollback()
        return state == "finished"

    _wait(is_done)
    assert everything(session) == AFTER
    assert states(session) == {double.id: "confirmed"}


def _wait(condition: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < give_up_at, "it did not happen in time"
        time.sleep(0.05)
