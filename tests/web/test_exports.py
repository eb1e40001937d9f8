"""No file with readers in it leaves without a trail: every route that hands one out is walked."""

import csv
import datetime as dt
import io
import re

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.models import AuditEntry
from mailer.audience.directories.models import Directory, DirectoryFinding, DirectoryRun
from mailer.audience.directories.rules import DirectoryKind, Finding
from mailer.audience.import_models import ImportRefusal, ImportRun
from mailer.audience.rules import SuppressionReason
from mailer.audience.suppressing import suppress
from mailer.dispatch.models import Exclusion
from mailer.dispatch.rules import ExclusionReason
from mailer.web.downloading import FINISHED
from tests.web.admin_scene import make_list, make_mailing, make_readers
from tests.web.conftest import Visitor

# The last part of an address that is a file of rows, or of one person.
FILE = re.compile(r"(\.<kind>|\.csv|\.xlsx|\.json)$")
# endpoint -> (address, the act of its entry, rows); None where it is one person's and not a table.
EXPORTS: dict[str, tuple[str, str, int | None]] = {
    "admin.subscribers_export": ("/admin/subscribers/export.csv", "subscribers.exported", 2),
    "admin.suppressions_export": ("/admin/suppressions/export.csv", "suppressions.exported", 1),
    "admin.import_refusals": ("/admin/imports/{run}/refusals.csv", "import.refusals_exported", 1),
    "admin.directory_run_report": ("/admin/directories/runs/{sync}/report.csv", "directory.report_exported", 1),
    "admin.subscriber_copy": ("/admin/subscribers/{reader}/copy.json", "subscriber.copied", None),
    "desk.mailing_export": ("/desk/mailings/{mailing}/deliveries.csv", "mailing.deliveries_exported", 2),
    "desk.mailing_excluded": ("/desk/mailings/{mailing}/excluded.csv", "mailing.exclusions_exported", 1),
}


@pytest.fixture
def ids(session: Session) -> dict[str, int]:
    """Something with a reader in it behind each address, called like a formula where a name can be."""
    weekly = make_list(session)
    readers = make_readers(session, weekly, 2)
    mailing = make_mailing(session, weekly, readers, ["accepted", "rejected"])
    session.add(Exclusion(mailing_id=mailing.id, subscriber_id=readers[0].id, reason=ExclusionReason.PAUSED))
    suppress(session, email_key="away@example.org", reason=SuppressionReason.MANUAL, note="=1+1")
    run = ImportRun(list_id=weekly.id, filename="x.csv", basis="consent")
    directory = Directory(
        name="Staff", list_id=weekly.id, kind=DirectoryKind.FILE, location="x.csv", mapping={}, decided_by="Board",
        decided_on=dt.date(2026, 1, 1), hour=3, limit_percent=5, limit_count=5,
    )  # fmt: skip
    session.add_all([run, directory])
    session.flush()
    sync = DirectoryRun(directory_id=directory.id, is_dry=True, revision=1)
    session.add(sync)
    session.flush()
    session.add(ImportRefusal(run_id=run.id, line=2, value="=1+1", email_key="=1+1", reason="Not an address"))
    session.add(
        DirectoryFinding(
            run_id=sync.id, ordinal=1, kind=Finding.INVALID, line=2, value="=1+1", email_key="=1+1", reason=""
        )
    )
    session.commit()
    return {"run": run.id, "sync": sync.id, "reader": readers[0].id, "mailing": mailing.id}


def test_every_route_that_hands_out_a_file_is_walked_here(app: Flask) -> None:
    found = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(("/admin/", "/desk/")) and FILE.search(rule.rule)
    }
    assert found == set(EXPORTS)


@pytest.mark.parametrize("endpoint", EXPORTS)
def test_an_export_says_who_took_what_and_how_many(
    signed_in: Visitor, session: Session, ids: dict[str, int], endpoint: str
) -> None:
    address, action, count = EXPORTS[endpoint]
    answer = signed_in.get(address.format(**ids)).response
    assert answer.status_code == 200
    text = answer.get_data(as_text=True)
    session.rollback()
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == action)).one()
    assert entry.actor == "Admin"
    assert entry.ip
    if count is None:
        return
    assert len(list(csv.reader(io.StringIO(text)))) - 1 == count
    assert not re.search(r"(^|,)=", text, re.MULTILINE)
    end = session.scalars(select(AuditEntry).where(AuditEntry.action == FINISHED)).one()
    assert end.details == {"act": action, "rows": count}
    assert (end.actor, end.subject_type, end.subject_id) == (entry.actor, entry.subject_type, entry.subject_id)


def test_a_file_of_an_unknown_kind_is_none_and_leaves_no_trail(signed_in: Visitor, session: Session) -> None:
    assert signed_in.get("/admin/suppressions/export.exe").status == 404
    assert not session.scalars(select(AuditEntry).where(AuditEntry.action == "suppressions.exported")).all()


def test_a_download_broken_off_has_begun_and_not_ended(
    signed_in: Visitor, session: Session, ids: dict[str, int]
) -> None:
    answer = signed_in.client.get("/admin/suppressions/export.csv", buffered=False)
    answer.close()
    acts = session.scalars(select(AuditEntry.action).where(AuditEntry.action.in_((FINISHED, "suppressions.exported"))))
    assert acts.all() == ["suppressions.exported"]
