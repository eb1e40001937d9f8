"""Directories, used as an admin uses them."""

import csv
import io
from pathlib import Path

import pytest
from sqlalchemy import select

from mailer.accounts.models import AuditEntry
from mailer.audience.directories import registry, runs
from mailer.audience.directories.models import Directory, DirectoryRun
from mailer.audience.directories.syncing import run_directory
from mailer.audience.models import Subscription
from mailer.settings import get_settings
from tests.web.admin_scene import make_list
from tests.web.conftest import Page, Visitor

FILE = {
    "name": "Staff", "location": "staff.csv", "email": "mail", "person": "name", "locale": "",
    "attributes": "department = unit\nroom", "decided_by": "院办公室", "decided_on": "2026-01-05", "hour": "3",
    "limit_percent": "50", "limit_count": "100",
}  # fmt: skip
LDAP = FILE | {
    "location": "ldap.example.org", "security": "tls", "bind_dn": "cn=m", "secret": "pw", "base": "dc=example,dc=org",
    "filter": "(mail=*)", "scope": "subtree",
}  # fmt: skip
HTTPS = FILE | {"location": "https://hr.example.org/x.csv", "auth": "bearer", "header": "", "secret": "key"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAILER_DIRECTORY_DIR", str(tmp_path))
    monkeypatch.setenv("MAILER_DIRECTORY_HOSTS", "ldap.example.org")
    get_settings.cache_clear()
    write(tmp_path, "ann@example.org,Ann,Physics,1", "bob@example.org,,,", "nobody,,,")
    return tmp_path


def write(folder: Path, *lines: str) -> None:
    (folder / "staff.csv").write_text("mail,name,unit,room\n" + "\n".join(lines) + "\n", encoding="utf-8")


def work(session) -> DirectoryRun:
    """What a worker does with the newest run."""
    session.rollback()
    run_id = session.scalars(select(DirectoryRun.id).order_by(DirectoryRun.id.desc()).limit(1)).one()
    run_directory(run_id)
    session.rollback()
    session.expire_all()
    return session.get_one(DirectoryRun, run_id)


def states(session) -> list[str]:
    session.rollback()
    return sorted(str(state) for state in session.scalars(select(Subscription.state)))


def create(visitor: Visitor, kind: str = "file", **changes: str) -> Page:
    form = {"file": FILE, "ldap": LDAP, "https": HTTPS}[kind]
    return visitor.submit(f"/admin/directories/new/{kind}", form | changes)


def test_a_directory_is_set_up_tried_and_switched_on(signed_in: Visitor, session, folder: Path) -> None:
    make_list(session)
    assert "No list follows a directory yet" in signed_in.get("/admin/directories").text
    page = create(signed_in)
    assert page.heading == "Staff"
    assert "Not switched on yet" in page.text
    assert "decided by 院办公室 on 2026-01-05" in page.text
    assert not page.tree.xpath("//form[contains(@action, '/on')]")
    page = signed_in.submit(page.path, action=f"{page.path}/try")
    assert page.status == 200
    assert page.tree.xpath("//*[@hx-get]")
    run = work(session)
    page = signed_in.get(f"/admin/directories/runs/{run.id}")
    assert "What would happen" in page.text
    assert not page.tree.xpath("//*[@hx-get]")
    found = [
        [" ".join(cell.text_content().split()) for cell in row]
        for row in page.tree.xpath("//section[@aria-labelledby='report']//tbody/tr")
    ]
    assert found[:2] == [["ann@example.org", "2", "New"], ["bob@example.org", "3", "New"]]
    assert found[2][:2] == ["nobody", "4"]
    assert found[2][2].startswith("Not an address")
    assert states(session) == []
    page = signed_in.submit(page.path, action=f"/admin/directories/{run.directory_id}/on")
    assert "Switched on: it is read every night from now on." in page.text
    signed_in.submit(page.path, action=f"{page.path}/run")
    work(session)
    assert states(session) == ["confirmed", "confirmed"]
    page = signed_in.submit(page.path, action=f"{page.path}/pause")
    assert "Paused: the list stays as it is." in page.text
    actions = session.scalars(
        select(AuditEntry.action).where(AuditEntry.subject_type == "directory").order_by(AuditEntry.id)
    ).all()
    assert actions == [
        f"directory.{act}" for act in ("created", "tried", "switched_on", "run_asked", "synchronised", "paused")
    ]
    trail = signed_in.get("/admin/audit?subject=directory")
    assert "List synchronised with a directory" in trail.text


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("file", {"location": "../secret.csv"}, "Name a file below the folder of MAILER_DIRECTORY_DIR."),
        ("file", {"location": "/etc/passwd"}, "Name a file below the folder of MAILER_DIRECTORY_DIR."),
        ("file", {"attributes": "a =\n"}, "Write one attribute a line, each once: department = unit"),
        ("file", {"attributes": "a\na = b"}, "Write one attribute a line, each once: department = unit"),
        ("file", {"decided_on": "2999-01-01"}, "The decision cannot lie in the future."),
        ("https", {"location": "http://hr.example.org/"}, "Write the address as https://host/path"),
        ("https", {"auth": "header", "header": "Host"}, "Name the header that carries the key, such as X-Api-Key."),
        ("https", {"secret": ""}, "Enter the key or password that the source asks for."),
        ("https", {"secret": "密钥"}, "A key for a web server has letters, digits and signs only."),
        ("ldap", {"location": "other.example.org"}, "The operator has to name other.example.org in"),
        ("ldap", {"location": "ldap://ldap.example.org"}, "Write the server as host or host:port."),
        ("ldap", {"filter": "(mail=*"}, "This is not an LDAP filter, such as (&(objectClass=person)(mail=*))."),
        ("ldap", {"secret": ""}, "Enter the key or password that the source asks for."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_what_was_typed_is_kept(
    signed_in: Visitor, session, folder: Path, kind: str, changes: dict[str, str], said: str
) -> None:
    make_list(session)
    page = create(signed_in, kind, **changes)
    assert page.status == 422
    assert page.tree.xpath("//*[@role='alert']")[0].text_content().strip().startswith(said)
    assert page.tree.xpath("//input[@name='name']")[0].get("value") == "Staff"
    session.rollback()
    assert registry.list_directories(session) == []


@pytest.mark.parametrize("field", ["name", "location", "email", "decided_by", "decided_on", "limit_percent"])
def test_a_field_that_is_missing_is_named(signed_in: Visitor, session, folder: Path, field: str) -> None:
    make_list(session)
    page = create(signed_in, **{field: ""})
    assert page.status == 422
    assert field in page.errors()


def test_a_key_is_kept_sealed_never_shown_and_never_sent_elsewhere(signed_in: Visitor, session, folder: Path) -> None:
    make_list(session)
    page = create(signed_in, "https", secret="very-secret")
    made = session.scalars(select(Directory)).one()
    assert b"very-secret" not in made.sealed_secret
    edit = f"{page.path}/edit"
    assert "very-secret" not in signed_in.get(edit).response.get_data(as_text=True)
    kept = bytes(made.sealed_secret)
    assert signed_in.submit(edit, {"name": "Other"}).status == 200
    session.rollback()
    session.expire_all()
    made = session.scalars(select(Directory)).one()
    assert (made.name, bytes(made.sealed_secret)) == ("Other", kept)
    page = signed_in.submit(edit, {"location": "https://evil.example/x.csv"})
    assert page.status == 422
    assert "The source is another one now: enter its key or password again." in page.text
    assert signed_in.submit(edit, {"location": "https://other.example/x.csv", "secret": "new"}).status == 200


def test_what_is_read_has_to_be_tried_again_after_a_change(signed_in: Visitor, session, folder: Path) -> None:
    make_list(session)
    page = create(signed_in)
    signed_in.submit(page.path, action=f"{page.path}/try")
    work(session)
    signed_in.submit(page.path, action=f"{page.path}/on")
    changed = signed_in.submit(f"{page.path}/edit", {"limit_count": "5"})
    assert "Switched on" in changed.text
    changed = signed_in.submit(f"{page.path}/edit", {"person": ""})
    assert "Paused" in changed.text
    assert not changed.tree.xpath("//form[contains(@action, '/on')]")


def test_a_stopped_run_shows_whom_and_waits_for_a_yes(signed_in: Visitor, session, folder: Path) -> None:
    make_list(session)
    page = create(signed_in)
    signed_in.submit(page.path, action=f"{page.path}/try")
    work(session)
    signed_in.submit(page.path, action=f"{page.path}/on")
    write(folder, *[f"r{number}@example.org,,," for number in range(4)])
    signed_in.submit(page.path, action=f"{page.path}/run")
    work(session)
    write(folder, "r0@example.org,,,")
    tried = signed_in.submit(page.path, action=f"{page.path}/try")
    work(session)
    assert "So many removals are above its limit" in signed_in.get(tried.path).text
    signed_in.submit(page.path, action=f"{page.path}/run")
    stopped = work(session)
    assert stopped.state == "stopped"
    assert (
        "It would take 3 readers off: more than its limit allows. Nothing was changed." in signed_in.get(page.path).text
    )
    assert "A directory waits for you: “Staff”" in signed_in.get("/admin/").text
    address = f"/admin/directories/runs/{stopped.id}?kind=removed"
    shown = signed_in.get(address)
    assert [cell.text_content() for cell in shown.tree.xpath("//td[@class='address']")] == [
        "r1@example.org", "r2@example.org", "r3@example.org",
    ]  # fmt: skip
    assert states(session) == ["confirmed"] * 4
    agreed = signed_in.submit(address, action=f"/admin/directories/runs/{stopped.id}/approve")
    assert "Agreed. The directory is being read again." in agreed.text
    work(session)
    assert states(session) == ["confirmed", "removed", "removed", "removed"]
    assert "Agree, and read it again" not in signed_in.get(address).text
    assert "Staff" not in signed_in.get("/admin/").text
    people = signed_in.get("/admin/subscribers?state=removed")
    assert people.text.count("Taken off by a directory") >= 3
    gone = session.scalars(select(Subscription.subscriber_id).where(Subscription.state == "removed")).first()
    told = signed_in.get(f"/admin/subscribers/{gone}")
    assert (told.status, told.text.count("Taken off by a directory") >= 2) == (200, True)


def test_the_report_can_be_taken_away(signed_in: Visitor, session, folder: Path) -> None:
    make_list(session)
    page = create(signed_in)
    signed_in.submit(page.path, action=f"{page.path}/try")
    run = work(session)
    taken = signed_in.get(f"/admin/directories/runs/{run.id}/report.csv")
    heading, *rows = csv.reader(io.StringIO(taken.response.get_data(as_text=True).removeprefix("\ufeff")))
    assert heading == ["Line", "Value", "Outcome", "Reason"]
    assert rows[0] == ["2", "ann@example.org", "New", ""]
    assert rows[2][:3] == ["4", "nobody", "Not an address"]
    assert rows[2][3]
    assert signed_in.get(f"/admin/directories/runs/{run.id}/report.exe").status == 404


def test_a_long_report_goes_on_on_the_next_page(signed_in: Visitor, session, folder: Path) -> None:
    make_list(session)
    write(folder, *[f"r{number:03}@example.org,,," for number in range(150)])
    page = create(signed_in)
    signed_in.submit(page.path, action=f"{page.path}/try")
    run = work(session)
    first = signed_in.get(f"/admin/directories/runs/{run.id}?kind=new")
    assert len(first.tree.xpath("//td[@class='address']")) == 100
    second = signed_in.get(first.tree.xpath("//a[@rel='next']")[0].get("href"))
    cells = [cell.text_content() for cell in second.tree.xpath("//td[@class='address']")]
    assert (cells[0], len(cells)) == ("r100@example.org", 50)
    assert not second.tree.xpath("//a[@rel='next']")


def test_a_directory_that_failed_wants_attention_and_says_why(signed_in: Visitor, session, folder: Path) -> None:
    make_list(session)
    page = create(signed_in)
    signed_in.submit(page.path, action=f"{page.path}/try")
    work(session)
    signed_in.submit(page.path, action=f"{page.path}/on")
    (folder / "staff.csv").unlink()
    signed_in.submit(page.path, action=f"{page.path}/run")
    failed = work(session)
    assert "The file “staff.csv” cannot be read." in signed_in.get(f"/admin/directories/runs/{failed.id}").text
    assert "The directory “Staff” could not be read" in signed_in.get("/admin/").text


def test_a_removed_directory_leaves_its_readers(signed_in: Visitor, session, folder: Path) -> None:
    make_list(session)
    page = create(signed_in)
    signed_in.submit(page.path, action=f"{page.path}/try")
    work(session)
    signed_in.submit(page.path, action=f"{page.path}/on")
    signed_in.submit(page.path, action=f"{page.path}/run")
    work(session)
    gone = signed_in.submit(f"{page.path}/remove")
    assert "The directory is removed." in gone.text
    assert states(session) == ["confirmed", "confirmed"]
    assert signed_in.get(page.path).status == 404


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/admin/directories/99", 404), ("/admin/directories/99/edit", 404), ("/admin/directories/runs/99", 404),
        ("/admin/directories/new/ftp", 404), ("/admin/directories/new", 200), ("/admin/directories/new/ldap", 200),
    ],
)  # fmt: skip
def test_addresses_answer_as_they_should(signed_in: Visitor, address: str, status: int) -> None:
    assert signed_in.get(address).status == status


def test_what_must_not_be_done_now_is_said(signed_in: Visitor, session, folder: Path) -> None:
    """Buttons of a page that was open for long."""
    make_list(session)
    page = create(signed_in)
    token = page.tree.xpath("//input[@name='csrf_token']")[0].get("value")
    for act, status in (("on", 409), ("run", 409), ("pause", 409), ("try", 302), ("try", 409)):
        answer = signed_in.client.post(f"{page.path}/{act}", data={"csrf_token": token})
        assert answer.status_code == status, act
    (directory,) = registry.list_directories(session)
    assert len(runs.list_runs(session, directory.id)) == 1
