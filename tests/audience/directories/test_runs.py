"""When a directory is read, by whom, and by how many at a time."""

import datetime as dt
import json
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from mailer.audience.directories import fetching, registry, runs, syncing
from mailer.audience.directories.models import Directory, DirectoryRun
from mailer.audience.directories.rules import next_night
from mailer.cli import program
from mailer.db import now
from mailer.errors import RuleError
from mailer.newsletters.models import List
from mailer.settings import get_settings
from tests.audience.directories.conftest import VALUES, Write, on_list, sync, work


def test_it_is_due_once_a_night(session: Session, staff: Directory, redis: str) -> None:
    assert staff.next_run_at == next_night(now(session), 3, "Asia/Shanghai")
    session.rollback()
    assert runs.enqueue_due() == []
    _make_due(session, staff)
    (run_id,) = runs.enqueue_due()
    session.expire_all()
    made = session.get_one(DirectoryRun, run_id)
    assert (made.state, made.is_dry, made.account_id) == ("queued", False, None)
    assert session.get_one(Directory, staff.id).next_run_at > now(session)
    session.rollback()
    assert runs.enqueue_due() == []
    assert work(session, made).state == "finished"


def test_a_night_while_it_is_being_read_is_no_second_run(session: Session, staff: Directory, redis: str) -> None:
    runs.ask_for_run(session, staff, is_dry=False, by=None)
    session.commit()
    _make_due(session, staff)
    runs.enqueue_due()
    session.rollback()
    assert session.scalar(select(func.count()).where(DirectoryRun.state == "queued")) == 1


def test_a_run_whose_hint_was_lost_is_handed_on(session: Session, staff: Directory, redis: str) -> None:
    run = runs.ask_for_run(session, staff, is_dry=False, by=None)
    session.commit()
    assert runs.enqueue_due() == []
    session.execute(
        update(DirectoryRun).where(DirectoryRun.id == run.id).values(created_at=func.now() - dt.timedelta(minutes=3))
    )
    session.commit()
    assert runs.enqueue_due() == [run.id]


def _make_due(session: Session, directory: Directory) -> None:
    session.execute(update(Directory).where(Directory.id == directory.id).values(next_run_at=func.now()))
    session.commit()


def test_a_paused_one_is_not_due(session: Session, staff: Directory, redis: str) -> None:
    registry.pause(session, staff, by=None)
    session.commit()
    assert staff.next_run_at is None
    assert runs.enqueue_due() == []


def test_a_second_run_is_refused_while_one_is_open(session: Session, staff: Directory) -> None:
    runs.ask_for_run(session, staff, is_dry=True, by=None)
    session.commit()
    with pytest.raises(RuleError):
        runs.ask_for_run(session, staff, is_dry=False, by=None)


def test_two_workers_with_one_hint_do_it_once(
    session: Session, double: List, staff: Directory, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.ask_for_run(session, staff, is_dry=False, by=None)
    session.commit()
    reading, go_on = threading.Event(), threading.Event()
    whole = fetching.open_file
    reads: list[str] = []

    def slow(location: str) -> object:
        reads.append(location)
        reading.set()
        assert go_on.wait(30)
        return whole(location)

    monkeypatch.setattr(fetching, "open_file", slow)
    first = threading.Thread(target=syncing.run_directory, args=(run.id,))
    first.start()
    assert reading.wait(30)
    syncing.run_directory(run.id)
    go_on.set()
    first.join(30)
    session.expire_all()
    assert session.get_one(DirectoryRun, run.id).state == "finished"
    assert reads == ["staff.csv"]
    assert on_list(session, double) == {"first@example.org": "confirmed"}


def test_a_worker_that_comes_late_does_not_do_what_another_has_done(
    session: Session, double: List, staff: Directory, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It slept through its lease while it read; the second read another table."""
    run = runs.ask_for_run(session, staff, is_dry=False, by=None)
    session.commit()
    whole = fetching.open_file
    asked: list[str] = []

    def overtaken(location: str) -> object:
        found = whole(location)
        asked.append(location)
        if len(asked) == 1:
            session.execute(update(DirectoryRun).values(lease_until=func.now()))
            session.commit()
            write("second@example.org")
            syncing.run_directory(run.id)
        return found

    monkeypatch.setattr(fetching, "open_file", overtaken)
    write("late@example.org")
    syncing.run_directory(run.id)
    assert len(asked) == 2
    assert on_list(session, double) == {"second@example.org": "confirmed"}


def test_three_workers_that_die_are_enough(session: Session, staff: Directory) -> None:
    run = runs.ask_for_run(session, staff, is_dry=False, by=None)
    session.execute(
        update(DirectoryRun).where(DirectoryRun.id == run.id).values(state="running", tries=3, lease_until=func.now())
    )
    session.commit()
    done = work(session, run)
    assert (done.state, done.error) == (
        "failed", "Three workers in turn did not come to its end. Nothing was changed.",
    )  # fmt: skip


def test_a_directory_that_was_changed_while_it_was_read_is_not_carried_out(
    session: Session, double: List, staff: Directory, write: Write
) -> None:
    run = runs.ask_for_run(session, staff, is_dry=False, by=None)
    session.execute(update(Directory).values(revision=Directory.revision + 1))
    session.commit()
    assert work(session, run).state == "failed"
    assert on_list(session, double) == {}


def test_what_was_not_tried_is_neither_switched_on_nor_read(session: Session, double: List, write: Write) -> None:
    write("ann@example.org")
    made = registry.create_directory(session, by=None, **{**VALUES, "list_id": double.id})
    for act in (
        lambda: registry.switch_on(session, made, by=None),
        lambda: runs.ask_for_run(session, made, is_dry=False, by=None),
        lambda: registry.pause(session, made, by=None),
    ):
        with pytest.raises(RuleError):
            act()
    session.commit()
    # A dry run that failed shows nothing.
    write()
    assert sync(session, made, is_dry=True).state == "failed"
    with pytest.raises(RuleError):
        registry.switch_on(session, made, by=None)


def test_a_list_is_not_exchanged_under_its_readers(
    session: Session, double: List, single: List, staff: Directory
) -> None:
    sync(session, staff)
    with pytest.raises(RuleError):
        registry.change_directory(session, staff, by=None, **{**VALUES, "list_id": single.id})


@pytest.mark.parametrize(
    "location", ["../other.csv", "sub/../../other.csv", "/etc/passwd", ".", "", "link.csv", "a\0b"]
)
def test_no_path_leads_out_of_the_folder(session: Session, double: List, folder: Path, location: str) -> None:
    (folder.parent / "other.csv").write_text("mail\nann@example.org\n", encoding="utf-8")
    (folder / "link.csv").symlink_to(folder.parent / "other.csv")
    with pytest.raises(RuleError):
        registry.create_directory(session, by=None, **{**VALUES, "list_id": double.id, "location": location})


def test_a_link_that_leads_out_later_is_not_followed(
    session: Session, double: List, staff: Directory, folder: Path
) -> None:
    (folder.parent / "other.csv").write_text("mail,name,unit\nann@example.org,,\n", encoding="utf-8")
    (folder / "staff.csv").unlink()
    (folder / "staff.csv").symlink_to(folder.parent / "other.csv")
    assert sync(session, staff).state == "failed"
    assert on_list(session, double) == {}


def test_a_folder_or_a_file_too_large_is_no_table(
    session: Session, staff: Directory, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "staff.csv").write_bytes(b"mail,name,unit\n" + b"x" * 1_100_000)
    monkeypatch.setenv("MAILER_MAX_IMPORT_MB", "1")
    get_settings.cache_clear()
    assert sync(session, staff).error == "The table is larger than %(most)s MB."
    (folder / "staff.csv").unlink()
    (folder / "staff.csv").mkdir()
    assert sync(session, staff).error == "The file “%(path)s” cannot be read."


def test_the_command_brings_a_list_in_step(session: Session, double: List, staff: Directory, write: Write) -> None:
    write("ann@example.org", "nobody")
    tried = CliRunner().invoke(program, ["directory", "sync", "staff", "--dry-run", "--json"])
    assert tried.exit_code == 0, tried.output
    told = json.loads(tried.stdout)
    assert (told["state"], told["is_dry"], told["error"]) == ("finished", True, "")
    assert told["counts"]["new"] == told["counts"]["invalid"] == 1
    assert [(each["kind"], each["line"], each["value"]) for each in told["findings"]] == [
        ("new", 2, "ann@example.org"), ("invalid", 3, "nobody"),
    ]  # fmt: skip
    assert on_list(session, double) == {}
    session.rollback()
    done = CliRunner().invoke(program, ["directory", "sync", "staff"])
    assert done.exit_code == 0, done.output
    assert "1 new" in done.stdout
    assert on_list(session, double) == {"ann@example.org": "confirmed"}


def test_the_command_says_what_is_wrong_with_its_exit_code(
    session: Session, double: List, staff: Directory, write: Write
) -> None:
    write(*[f"r{number}@example.org" for number in range(4)])
    assert CliRunner().invoke(program, ["directory", "sync", "staff"]).exit_code == 0
    write("r0@example.org")
    stopped = CliRunner().invoke(program, ["directory", "sync", "staff"])
    assert (stopped.exit_code, "An admin has to agree." in stopped.stderr) == (1, True)
    write()
    failed = CliRunner().invoke(program, ["directory", "sync", "staff", "--json"])
    assert (failed.exit_code, json.loads(failed.stdout)["state"]) == (1, "failed")
    assert isinstance(CliRunner().invoke(program, ["directory", "sync", "nobody"]).exception, Exception)
