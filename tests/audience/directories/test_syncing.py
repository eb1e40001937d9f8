"""What a run of a directory does to its list, and what it never does."""

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from mailer import accounts, links, newsletters
from mailer.accounts.models import Account, AuditEntry
from mailer.audience import leaving, moving, suppressing
from mailer.audience.directories import comparing, registry, runs, syncing
from mailer.audience.directories.models import Directory, DirectoryFinding, DirectoryMember, DirectoryRun
from mailer.audience.models import Consent, Subscriber
from mailer.audience.rules import SuppressionReason
from mailer.db import now
from mailer.errors import RuleError
from mailer.letters.models import Letter
from mailer.newsletters.models import List
from mailer.privacy.erasing import erase
from tests.audience.conftest import SignUp, reader
from tests.audience.directories.conftest import VALUES, Write, counted, on_list, sync, work
from tests.audience.test_moving import agree, tokens


def findings(session: Session, run: DirectoryRun) -> list[tuple[str, str, str]]:
    return [(str(each.kind), each.value, each.reason) for each in runs.list_findings(session, run.id)]


def state_of_everything(session: Session) -> list[object]:
    """Every row that says who receives what, and why."""
    tables = ("subscribers", "subscriptions", "consents", "suppressions", "directory_members")
    return [session.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2")).all() for table in tables]


def leave(session: Session, key: str, target: List) -> None:
    leaving.unsubscribe(session, leaving.UnsubscribeTarget(reader(session, key).id, 0, (target.id,)))
    session.commit()


def test_those_in_the_table_are_subscribed_on_the_decision_that_was_named(
    session: Session, double: List, staff: Directory, write: Write
) -> None:
    write(("Ann@Example.org", "安 娜", "Physics"), "bob＠example.org", "no address", "bob@example.org")
    run = sync(session, staff)
    assert (run.state, run.error, counted(run)) == ("finished", "", {"new": 2, "invalid": 1, "duplicate": 1})
    assert on_list(session, double) == {"ann@example.org": "confirmed", "bob@example.org": "confirmed"}
    ann = reader(session)
    assert (ann.name, ann.attributes, ann.subscriptions[0].source) == ("安 娜", {"department": "Physics"}, "directory")
    proof = session.scalars(select(Consent).where(Consent.subscriber_id == ann.id)).one()
    assert (proof.act, proof.basis, proof.wording, proof.decided_by, proof.decided_on) == (
        "imported", "official_distribution", "staff", "院办公室", dt.date(2026, 1, 5),
    )  # fmt: skip
    assert [kind for kind, _, _ in findings(session, run)] == ["new", "new", "invalid", "duplicate"]
    trail = session.scalars(select(AuditEntry).where(AuditEntry.action == "directory.synchronised")).one()
    assert trail.details == {"name": "staff", "run_id": run.id, "new": 2}


def test_a_dry_run_tells_everything_and_does_nothing(
    session: Session, double: List, staff: Directory, write: Write, fill_in: SignUp
) -> None:
    write(("ann@example.org", "Ann", ""), "bob@example.org", "eve@example.org", "sue@example.org")
    sync(session, staff)
    leave(session, "eve@example.org", double)
    suppressing.suppress(session, email_key="sue@example.org", reason=SuppressionReason.HARD_BOUNCE)
    session.commit()
    write(("ann@example.org", "Anna", ""), "eve@example.org", "sue@example.org", "kim@example.org", "none")
    before = state_of_everything(session)
    run = sync(session, staff, is_dry=True)
    assert counted(run) == {"new": 1, "changed": 1, "removed": 1, "invalid": 1, "suppressed": 1, "left": 1}
    assert state_of_everything(session) == before
    assert {(kind, value) for kind, value, _ in findings(session, run)} == {
        ("changed", "ann@example.org"), ("left", "eve@example.org"), ("suppressed", "sue@example.org"),
        ("new", "kim@example.org"), ("invalid", "none"), ("removed", "bob@example.org"),
    }  # fmt: skip
    assert {reason for kind, _, reason in findings(session, run) if kind == "left"} == {"The reader has unsubscribed."}
    assert session.scalar(select(func.count()).select_from(Letter)) == 0


def test_the_same_table_twice_changes_nothing(session: Session, staff: Directory, write: Write) -> None:
    write(("ann@example.org", "Ann", "Physics"), "bob@example.org")
    sync(session, staff)
    before = state_of_everything(session)
    assert counted(sync(session, staff)) == {"unchanged": 2}
    assert state_of_everything(session) == before
    assert session.scalar(select(func.count()).where(AuditEntry.action == "directory.synchronised")) == 1


def test_who_is_not_in_it_any_more_is_taken_off_and_may_come_back(
    session: Session, double: List, staff: Directory, write: Write
) -> None:
    write("ann@example.org", "bob@example.org")
    sync(session, staff)
    write("bob@example.org")
    assert counted(sync(session, staff)) == {"removed": 1, "unchanged": 1}
    assert on_list(session, double) == {"ann@example.org": "removed", "bob@example.org": "confirmed"}
    assert session.scalars(select(Consent.act).order_by(Consent.id.desc()).limit(1)).one() == "removed"
    assert counted(sync(session, staff)) == {"unchanged": 1}
    write("ann@example.org", "bob@example.org")
    assert counted(sync(session, staff)) == {"new": 1, "unchanged": 1}
    assert on_list(session, double) == {"ann@example.org": "confirmed", "bob@example.org": "confirmed"}


def test_who_left_after_they_were_taken_off_is_not_brought_back(
    session: Session, double: List, staff: Directory, write: Write
) -> None:
    write("ann@example.org", "bob@example.org")
    sync(session, staff)
    write("bob@example.org")
    sync(session, staff)
    leave(session, "ann@example.org", double)
    write("ann@example.org", "bob@example.org")
    assert counted(sync(session, staff)) == {"left": 1, "unchanged": 1}
    assert on_list(session, double)["ann@example.org"] == "unsubscribed"


def test_who_was_on_the_list_before_is_not_the_directorys_to_take_off(
    session: Session, double: List, single: List, staff: Directory, write: Write, fill_in: SignUp
) -> None:
    target = registry.create_directory(
        session, by=None, **{**VALUES, "name": "express", "location": "staff.csv", "list_id": single.id}
    )
    fill_in(single, email="ann@example.org")
    write("ann@example.org", "bob@example.org")
    sync(session, target, is_dry=True)
    registry.switch_on(session, target, by=None)
    assert counted(sync(session, target)) == {"new": 1, "unchanged": 1}
    write("bob@example.org")
    assert counted(sync(session, target)) == {"unchanged": 1}
    assert on_list(session, single) == {"ann@example.org": "confirmed", "bob@example.org": "confirmed"}


def test_who_signs_up_by_themselves_meanwhile_stays(
    session: Session, double: List, staff: Directory, write: Write, fill_in: SignUp
) -> None:
    write("ann@example.org", "bob@example.org")
    sync(session, staff)
    fill_in(double, email="ann@example.org")
    write("bob@example.org")
    assert counted(sync(session, staff)) == {"unchanged": 1}
    assert on_list(session, double)["ann@example.org"] == "confirmed"


def test_who_is_in_another_directory_of_the_list_stays_until_both_have_dropped_them(
    session: Session, double: List, staff: Directory, write: Write, folder: Path
) -> None:
    other = registry.create_directory(
        session, by=None, **{**VALUES, "name": "guests", "location": "guests.csv", "list_id": double.id}
    )
    (folder / "guests.csv").write_text("mail,name,unit\nann@example.org,,\nkim@example.org,,\n", encoding="utf-8")
    write("ann@example.org", "bob@example.org")
    sync(session, staff)
    sync(session, other, is_dry=True)
    registry.switch_on(session, other, by=None)
    sync(session, other)
    write("bob@example.org")
    assert "removed" not in counted(sync(session, staff))
    assert on_list(session, double)["ann@example.org"] == "confirmed"
    (folder / "guests.csv").write_text("mail,name,unit\nkim@example.org,,\n", encoding="utf-8")
    assert counted(sync(session, other))["removed"] == 1
    assert on_list(session, double)["ann@example.org"] == "removed"


def test_a_reader_who_moved_to_another_address_is_not_doubled(
    session: Session, double: List, staff: Directory, write: Write
) -> None:
    write("ann@example.org", "bob@example.org")
    sync(session, staff)
    ann = reader(session)
    moving.ask_to_move(session, links.make_preferences_token(ann.id), "ann@home.example")
    session.commit()
    agree(session, *tokens(session))
    assert counted(sync(session, staff)) == {"unchanged": 2}
    assert on_list(session, double) == {"ann@home.example": "confirmed", "bob@example.org": "confirmed"}
    assert session.scalar(select(func.count()).select_from(Subscriber)) == 2
    write("bob@example.org")
    assert counted(sync(session, staff)) == {"removed": 1, "unchanged": 1}
    assert on_list(session, double)["ann@home.example"] == "removed"


def test_who_moved_before_the_directory_named_them_is_not_doubled_either(
    session: Session, single: List, staff: Directory, write: Write, fill_in: SignUp
) -> None:
    fill_in(single, email="ann@example.org")
    moving.ask_to_move(session, links.make_preferences_token(reader(session).id), "ann@home.example")
    session.commit()
    agree(session, *tokens(session))
    write("ann@example.org", "bob@example.org")
    run = sync(session, staff)
    assert counted(run) == {"new": 2}
    assert {(value, reason) for _, value, reason in findings(session, run)} == {
        ("ann@example.org", "The reader has moved to another address: the line counts as theirs."),
        ("bob@example.org", ""),
    }
    assert session.scalar(select(func.count()).select_from(Subscriber)) == 2
    assert counted(sync(session, staff)) == {"unchanged": 2}
    write("bob@example.org")
    assert counted(sync(session, staff)) == {"removed": 1, "unchanged": 1}


def test_who_had_themselves_erased_stays_away_and_unnamed(
    session: Session, double: List, staff: Directory, write: Write
) -> None:
    write("ann@example.org", "bob@example.org")
    sync(session, staff)
    erase(session, reader(session).id, by=None)
    session.commit()
    assert session.scalars(select(DirectoryMember.email_key)).all() == ["bob@example.org"]
    assert session.scalar(select(func.count()).where(DirectoryFinding.email_key == "ann@example.org")) == 0
    assert counted(sync(session, staff)) == {"left": 1, "unchanged": 1}
    assert "ann@example.org" not in on_list(session, double)


def test_above_the_limit_nothing_is_done_and_admins_are_told_once(
    session: Session, double: List, staff: Directory, write: Write
) -> None:
    accounts.create_first_admin(session, "admin@example.org", "王主任")
    people = [f"r{number}@example.org" for number in range(10)]
    write(*people)
    sync(session, staff)
    write(*people[6:], "new@example.org")
    before = state_of_everything(session)
    run = sync(session, staff)
    assert (run.state, run.members, counted(run)) == ("stopped", 10, {"new": 1, "unchanged": 4, "removed": 6})
    assert state_of_everything(session) == before
    (letter,) = session.scalars(select(Letter)).all()
    assert letter.address == "admin@example.org"
    assert "staff" in letter.parameters["subject"]
    assert letter.parameters["url"].endswith(f"/admin/directories/runs/{run.id}")
    assert sync(session, staff).state == "stopped"
    assert len(session.scalars(select(Letter)).all()) == 1


def test_a_person_agrees_to_the_very_people_that_were_named(
    session: Session, double: List, staff: Directory, write: Write
) -> None:
    accounts.create_first_admin(session, "admin@example.org", "王主任")
    (admin,) = accounts.list_accounts(session)
    people = [f"r{number}@example.org" for number in range(10)]
    write(*people)
    sync(session, staff)
    write(*people[6:])
    stopped = sync(session, staff)
    # Others are missing by the time it is read again: they were not agreed to.
    write(*people[:6])
    again = work(session, _approve(session, stopped, admin))
    assert (again.state, again.counts["removed"]) == ("finished", 4)
    # Those who were agreed to and a few more within the limit.
    write(*people)
    sync(session, staff)
    write(*people[6:])
    stopped = sync(session, staff)
    write(people[9])
    again = work(session, _approve(session, stopped, admin))
    assert (again.state, again.counts["removed"]) == ("finished", 9)
    with pytest.raises(RuleError):
        runs.approve(session, stopped, by=admin)


def _approve(session: Session, stopped: DirectoryRun, by: Account) -> DirectoryRun:
    run = runs.approve(session, stopped, by=by)
    session.commit()
    return run


def test_others_than_those_agreed_to_count_against_the_limit_anew(
    session: Session, double: List, staff: Directory, write: Write
) -> None:
    accounts.create_first_admin(session, "admin@example.org", "王主任")
    (admin,) = accounts.list_accounts(session)
    staff.limit_count = 2
    session.commit()
    people = [f"r{number}@example.org" for number in range(10)]
    write(*people)
    sync(session, staff)
    write(*people[3:])
    stopped = sync(session, staff)
    assert (stopped.state, stopped.counts["removed"]) == ("stopped", 3)
    write(*people[6:])
    again = work(session, _approve(session, stopped, admin))
    assert (again.state, again.counts["removed"]) == ("stopped", 6)
    assert set(on_list(session, double).values()) == {"confirmed"}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "mail,name,unit\n",
        "mail,name,unit\nnobody,,\nneither,,\n",
        "e-mail,name,unit\nann@example.org,,\n",
        "mail,name\nann@example.org,\n",
        'mail,name,unit\nann@example.org,"An' + "x" * 140_000,
        "\x00\x01\x02",
        "<html><body>502 Bad Gateway</body></html>",
    ],
)
def test_an_empty_or_broken_table_removes_nobody(
    session: Session, staff: Directory, write: Write, folder: Path, content: str
) -> None:
    staff.limit_percent = 100
    session.commit()
    write("ann@example.org", "bob@example.org")
    sync(session, staff)
    accounts.create_first_admin(session, "admin@example.org", "王主任")
    before = state_of_everything(session)
    (folder / "staff.csv").write_text(content, encoding="utf-8")
    run = sync(session, staff)
    assert (run.state, counted(run)) == ("failed", {})
    assert run.error
    assert state_of_everything(session) == before
    (letter,) = session.scalars(select(Letter)).all()
    assert "staff" in letter.parameters["subject"]


def test_a_table_that_is_gone_removes_nobody(session: Session, double: List, staff: Directory, folder: Path) -> None:
    sync(session, staff)
    (folder / "staff.csv").unlink()
    assert sync(session, staff).state == "failed"
    assert on_list(session, double) == {"first@example.org": "confirmed"}


def test_an_archived_list_is_left_alone(session: Session, double: List, staff: Directory) -> None:
    newsletters.archive_list(session, double, at=now(session))
    session.commit()
    run = sync(session, staff)
    assert (run.state, on_list(session, double)) == ("failed", {})


def test_a_crash_in_the_middle_leaves_nothing_behind_and_the_next_worker_does_it_all(
    session: Session, double: List, staff: Directory, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("ann@example.org", "bob@example.org")
    sync(session, staff)
    write("bob@example.org", "kim@example.org")
    before = state_of_everything(session)
    run = runs.ask_for_run(session, staff, is_dry=False, by=None)
    session.commit()

    whole = comparing.carry_out

    def dies(*args: object, **values: object) -> None:
        whole(*args, **values)  # type: ignore[arg-type]
        raise SystemExit

    monkeypatch.setattr(syncing, "carry_out", dies)
    with pytest.raises(SystemExit):
        syncing.run_directory(run.id)
    monkeypatch.undo()
    session.expire_all()
    assert state_of_everything(session) == before
    assert session.get_one(DirectoryRun, run.id).state == "running"
    # Nobody takes it from a worker whose lease lasts.
    assert work(session, run).state == "running"
    assert runs.enqueue_due() == []
    _end_lease(session, run)
    assert runs.enqueue_due() == [run.id]
    assert work(session, run).state == "finished"
    assert on_list(session, double) == {
        "ann@example.org": "removed", "bob@example.org": "confirmed", "kim@example.org": "confirmed",
    }  # fmt: skip


def _end_lease(session: Session, run: DirectoryRun) -> None:
    session.execute(update(DirectoryRun).where(DirectoryRun.id == run.id).values(lease_until=func.now()))
    session.commit()
