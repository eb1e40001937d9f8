"""The roster page of a mailing: sums that add up, and who was left out."""

import csv
import io
from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account, AuditEntry
from mailer.accounts.rules import Role
from mailer.audience.models import Subscriber
from mailer.dispatch.models import Exclusion
from mailer.dispatch.rules import ExclusionReason
from mailer.web.desk.rosters import EXCLUSIONS
from tests.factories import Sent, make_sent_mailing
from tests.web.conftest import Visitor


@pytest.fixture
def editor(visitor: Visitor, make_account: Callable[..., Account]) -> Visitor:
    visitor.sign_in(make_account("edith", Role.EDITOR))
    return visitor


@pytest.fixture
def sent(session: Session) -> Sent:
    """Four on the roster, and one left out for each reason."""
    sent = make_sent_mailing(session, readers=4)
    for reason in ExclusionReason:
        email = f"{reason.replace('_', '-')}@example.org"
        reader = Subscriber(email=email, email_key=email, domain="example.org", name="=1+1")
        session.add(reader)
        session.flush()
        session.add(Exclusion(mailing_id=sent.mailing.id, subscriber_id=reader.id, reason=reason))
    session.commit()
    return sent


def test_every_reason_has_its_words() -> None:
    assert set(EXCLUSIONS) == set(ExclusionReason)


def test_the_mailings_page_leads_to_sums_that_add_up_and_to_the_people(editor: Visitor, sent: Sent) -> None:
    page = editor.get(f"/desk/mailings/{sent.mailing.id}")
    assert "Never had what is corrected 1" in page.text
    address = f"/desk/mailings/{sent.mailing.id}/roster"
    assert address in [link.get("href") for link in page.tree.xpath("//main//a")]
    roster = editor.get(address)
    total = 4 + len(ExclusionReason)
    assert f"Confirmed readers of its lists, each once {total}" in roster.text
    assert "Paused by the reader − 1" in roster.text
    assert "On the roster 4" in roster.text
    for reason in ExclusionReason:
        assert f"{reason.replace('_', '-')}@example.org" in roster.text
    # Editors see who; the reader's page is the admins'.
    assert not [link for link in roster.tree.xpath("//main//a/@href") if link.startswith("/admin/")]


def test_people_are_looked_for_by_reason_and_address(editor: Visitor, sent: Sent) -> None:
    address = f"/desk/mailings/{sent.mailing.id}/roster"
    paused = editor.get(f"{address}?reason=paused")
    assert "paused@example.org" in paused.text
    assert "already-sent@example.org" not in paused.text
    found = editor.get(f"{address}?q=ALREADY")
    assert "already-sent@example.org" in found.text
    assert "paused@example.org" not in found.text
    assert "Nobody like that was left out" in editor.get(f"{address}?q=%00nobody").text
    assert editor.get(f"{address}?reason=nonsense").status == 404


@pytest.mark.parametrize("query", ["", "?reason=paused", "?q=paused"])
def test_the_selection_is_taken_away_as_a_file_and_recorded(
    editor: Visitor, sent: Sent, session: Session, query: str
) -> None:
    answer = editor.get(f"/desk/mailings/{sent.mailing.id}/excluded.csv{query}").response
    assert answer.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert rows[0] == ["Address", "Name", "Reason"]
    assert len(rows) - 1 == (1 if query else len(ExclusionReason))
    assert ["paused@example.org", "'=1+1", "Paused by the reader"] in rows
    session.rollback()
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "mailing.exclusions_exported")).one()
    assert (entry.actor, entry.subject_id) == ("Edith", sent.mailing.id)
    assert editor.get(f"/desk/mailings/{sent.mailing.id}/excluded.pdf").status == 404
    assert editor.get("/desk/mailings/999/excluded.csv").status == 404


def test_a_mailing_that_left_nobody_out_or_was_not_prepared_says_so(editor: Visitor, session: Session) -> None:
    sent = make_sent_mailing(session, readers=1)
    address = f"/desk/mailings/{sent.mailing.id}/roster"
    assert "Nobody was left out" in editor.get(address).text
    sent.mailing.roster_size = None
    session.commit()
    assert "There is no roster yet" in editor.get(address).text


def test_an_admin_gets_to_the_reader_from_there(signed_in: Visitor, sent: Sent) -> None:
    roster = signed_in.get(f"/desk/mailings/{sent.mailing.id}/roster")
    assert [link for link in roster.tree.xpath("//main//table//a/@href") if link.startswith("/admin/subscribers/")]


def test_strangers_are_asked_to_sign_in(visitor: Visitor, sent: Sent) -> None:
    assert visitor.get(f"/desk/mailings/{sent.mailing.id}/roster").path == "/account/sign-in"
    assert visitor.get(f"/desk/mailings/{sent.mailing.id}/excluded.csv").path == "/account/sign-in"
