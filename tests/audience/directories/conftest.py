"""A directory that is a CSV file in a folder of its own, and what a run of it makes of the list."""

import datetime as dt
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.audience.directories import registry, runs
from mailer.audience.directories.models import Directory, DirectoryRun
from mailer.audience.directories.rules import Mapping
from mailer.audience.directories.syncing import run_directory
from mailer.audience.models import Subscriber, Subscription
from mailer.newsletters.models import List
from mailer.settings import get_settings

# The fixtures of the audience's tests are these tests' too: `newsletter`, `double`, `single`, `fill_in`.

VALUES: dict[str, Any] = {
    "name": "staff", "kind": "file", "location": "staff.csv", "options": {},
    "mapping": Mapping("mail", "name", "", {"department": "unit"}),
    "decided_by": "院办公室", "decided_on": dt.date(2026, 1, 5), "hour": 3, "limit_percent": 50, "limit_count": 100,
}  # fmt: skip
Write = Callable[..., None]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """MAILER_DIRECTORY_DIR."""
    made = tmp_path / "directories"
    made.mkdir()
    monkeypatch.setenv("MAILER_DIRECTORY_DIR", str(made))
    get_settings.cache_clear()
    return made


@pytest.fixture
def write(folder: Path) -> Write:
    """Puts these people into the table: address, or (address, name, unit)."""

    def write(*people: str | tuple[str, str, str]) -> None:
        (folder / "staff.csv").write_text(table(people), encoding="utf-8")

    return write


def table(people: Iterable[str | tuple[str, str, str]]) -> str:
    rows = [(person, "", "") if isinstance(person, str) else person for person in people]
    return "mail,name,unit\n" + "".join(f"{mail},{name},{unit}\n" for mail, name, unit in rows)


@pytest.fixture
def staff(session: Session, double: List, write: Write) -> Directory:
    """Tried on a table of one, and switched on."""
    write("first@example.org")
    made = registry.create_directory(session, by=None, **{**VALUES, "list_id": double.id})
    session.commit()
    assert sync(session, made, is_dry=True).state == "finished"
    registry.switch_on(session, made, by=None)
    session.commit()
    return made


def sync(session: Session, directory: Directory, *, is_dry: bool = False) -> DirectoryRun:
    """One run, as a worker does it."""
    run = runs.ask_for_run(session, directory, is_dry=is_dry, by=None)
    session.commit()
    return work(session, run)


def work(session: Session, run: DirectoryRun) -> DirectoryRun:
    run_directory(run.id)
    session.expire_all()
    return session.get_one(DirectoryRun, run.id)


def on_list(session: Session, target: List) -> dict[str, str]:
    """Key -> state of everybody who is or was on the list."""
    query = select(Subscriber.email_key, Subscription.state).join(Subscription).where(Subscription.list_id == target.id)
    return {key: str(state) for key, state in session.execute(query)}


def counted(run: DirectoryRun) -> dict[str, int]:
    """What there is any of."""
    return {kind: count for kind, count in run.counts.items() if count}
