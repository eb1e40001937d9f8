"""Exports in both kinds, and suppressions from a file."""

import io

from openpyxl import load_workbook
from sqlalchemy import select

from mailer.accounts.models import AuditEntry
from mailer.audience.models import Suppression
from tests.web.admin_scene import make_list, make_readers


def test_any_selection_is_exported_for_excel_and_recorded(signed_in, session):
    weekly = make_list(session)
    make_readers(session, weekly, 3)
    links = signed_in.get("/admin/subscribers?search=reader1").tree.xpath("//a[contains(@href, 'export.xlsx')]/@href")
    answer = signed_in.get(links[0]).response
    rows = list(load_workbook(io.BytesIO(answer.data)).worksheets[0].values)
    assert [row[0] for row in rows] == ["email", "reader1@example.org"]
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "subscribers.exported")).one()
    # That a part of an address was searched for is told, which one is not.
    assert entry.details["has_search"] is True
    assert "reader1" not in str(entry.details)
    assert signed_in.get("/admin/subscribers/export.exe").status == 404
    assert signed_in.get("/admin/subscribers/export.csv?segment=9").status == 404


def test_suppressions_come_from_a_file_and_leave_in_one(signed_in, session):
    page = signed_in.submit(
        "/admin/suppressions/import",
        {"file": (io.BytesIO(b"email\nann@example.org\nnobody\n"), "x.csv"), "newsletter_id": "0", "note": "by phone"},
    )
    assert "1 addresses suppressed" in page.text
    assert "nobody" in page.text
    assert session.scalars(select(Suppression.email_key)).all() == ["ann@example.org"]
    content = signed_in.get("/admin/suppressions/export.csv").response.data.decode("utf-8-sig")
    assert content.splitlines()[1].startswith("ann@example.org,,manual,by phone,")
    acts = session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("suppressions.%"))).all()
    assert sorted(acts) == ["suppressions.exported", "suppressions.imported"]


def test_a_suppression_by_hand_may_end(signed_in, session):
    wanted = {"email": "ann@example.org", "newsletter_id": "0", "note": "away"}
    past = signed_in.submit("/admin/suppressions/new", wanted | {"expires_on": "2020-01-01"})
    assert "expires_on" in past.errors()
    signed_in.submit("/admin/suppressions/new", wanted | {"expires_on": "2099-12-31"})
    assert session.scalars(select(Suppression.expires_at)).one().year == 2099
