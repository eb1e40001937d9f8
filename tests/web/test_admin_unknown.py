import datetime as dt

import pytest
from sqlalchemy import select

from mailer.accounts.auditing import AuditFilter, list_audit_entries
from mailer.audience.import_models import ImportRun
from mailer.db import now
from mailer.dispatch.models import Delivery, Suspension
from mailer.dispatch.rules import MailingState
from mailer.letters.models import Letter
from tests.web.admin_scene import make_list, make_mailing, make_readers


@pytest.fixture
def weekly(session):
    return make_list(session)


@pytest.fixture
def mailing(session, weekly):
    readers = make_readers(session, weekly, 4)
    return make_mailing(session, weekly, readers, ["accepted", "unknown", "unknown", "rejected"])


def ledger(session) -> list[tuple[str, bool]]:
    session.rollback()
    session.expire_all()
    rows = session.scalars(select(Delivery).order_by(Delivery.id))
    return [(str(row.state), row.kept_at is not None) for row in rows]


def acts(session, action: str) -> int:
    session.rollback()
    return len(list_audit_entries(session, AuditFilter(action=action)))


# ---- unknown deliveries ---------------------------------------------------------------------------------------------


def test_nothing_unknown_is_said(signed_in):
    assert "Nothing waits for a decision" in signed_in.get("/admin/unknown").text


def test_one_delivery_is_sent_again(signed_in, mailing, session):
    page = signed_in.submit("/admin/unknown", action="/admin/unknown/deliveries/2/send-again")
    assert "It will be sent again" in page.text
    assert ledger(session) == [("accepted", False), ("queued", False), ("unknown", False), ("rejected", False)]
    session.refresh(mailing)
    assert mailing.state == MailingState.SENDING
    assert acts(session, "delivery.sent_again") == 1


def test_one_delivery_is_left_as_it_is_and_not_asked_about_again(signed_in, mailing, session):
    page = signed_in.submit("/admin/unknown", action="/admin/unknown/deliveries/2/keep")
    assert "It is left as it is" in page.text
    assert "reader1@example.org" not in page.text
    assert "reader2@example.org" in page.text
    assert ledger(session)[1] == ("unknown", True)
    assert acts(session, "delivery.kept_unknown") == 1


def test_whoever_decides_second_is_told_and_changes_nothing(app, signed_in, make_account, mailing, session):
    from mailer.accounts.rules import Role
    from tests.web.conftest import Visitor

    other = Visitor(app)
    other.sign_in(make_account("wang", Role.ADMIN))
    token = other.get("/admin/unknown").tree.xpath("//main//input[@name='csrf_token']")[0].get("value")
    signed_in.submit("/admin/unknown", action="/admin/unknown/deliveries/2/send-again")
    answer = other.client.post(
        "/admin/unknown/deliveries/2/keep", data={"csrf_token": token}, headers=other.headers, follow_redirects=True
    )
    assert answer.status_code == 200
    assert 'role="alert"' in answer.get_data(as_text=True)
    assert ledger(session)[1] == ("queued", False)


@pytest.mark.parametrize(
    ("act", "question", "state"),
    [
        ("send-again", "Send 2 deliveries again?", ("queued", False)),
        ("keep", "Leave 2 deliveries as they are?", ("unknown", True)),
    ],
)
def test_a_whole_mailing_is_decided_after_a_question(signed_in, mailing, session, act, question, state):
    asked = signed_in.get(f"/admin/unknown/mailings/{mailing.id}/{act}")
    assert asked.heading == question
    assert ledger(session)[1] == ("unknown", False)
    signed_in.submit(f"/admin/unknown/mailings/{mailing.id}/{act}")
    assert ledger(session) == [("accepted", False), state, state, ("rejected", False)]
    again = signed_in.get(f"/admin/unknown/mailings/{mailing.id}/{act}")
    assert "Nothing waits for a decision in this mailing" in again.text


def test_the_deliveries_of_another_mailing_are_not_touched(signed_in, mailing, weekly, session):
    readers = make_readers_of_another(session)
    other = make_mailing(session, weekly, readers, ["unknown"], number="10")
    page = signed_in.get(f"/admin/unknown?mailing={other.id}")
    assert "other@example.org" in page.text
    assert "reader1@example.org" not in page.text
    signed_in.submit(f"/admin/unknown/mailings/{mailing.id}/keep")
    assert ledger(session)[-1] == ("unknown", False)


def make_readers_of_another(session):
    from mailer.audience.models import Subscriber

    other = Subscriber(email="other@example.org", email_key="other@example.org", domain="example.org")
    session.add(other)
    session.commit()
    return [other]


def test_an_act_that_does_not_exist_is_not_found(signed_in, mailing):
    assert signed_in.get(f"/admin/unknown/mailings/{mailing.id}/delete").status == 404
    assert signed_in.get("/admin/unknown/mailings/4711/keep").status == 404


# ---- the first page -------------------------------------------------------------------------------------------------


def test_a_calm_service_says_so(signed_in):
    assert "All is well" in signed_in.get("/admin/").text


def test_what_waits_stands_on_the_first_page(signed_in, mailing, weekly, session):
    moment = now(session)
    readers = make_readers_of_another(session)
    stalled = make_mailing(session, weekly, readers, ["queued"], number="10", state=MailingState.SENDING)
    stalled.progressed_at = moment - dt.timedelta(minutes=6)
    paused = make_mailing(session, weekly, readers, ["queued"], number="11", state=MailingState.PAUSED)
    paused.pause_reason = "The relay refuses everybody."
    session.add(Suspension(provider="qq", until=moment + dt.timedelta(hours=1), reply_class="rate", reply="550 slow"))
    session.add(
        ImportRun(list_id=weekly.id, filename="x.csv", basis="consent", state="failed", error="x", finished_at=moment)
    )
    for address, state, settled in (("a", "rejected", moment), ("b", "queued", None)):
        letter = Letter(
            kind="reset",
            locale="en",
            address=f"{address}@example.org",
            address_key=f"{address}@example.org",
            message_id="<x@example.org>",
            state=state,
            settled_at=settled,
            next_attempt_at=moment,
        )
        letter.created_at = moment - dt.timedelta(minutes=10)
        session.add(letter)
    session.commit()
    text = signed_in.get("/admin/").text
    for words in (
        "2 deliveries of “科技参考 No. 9, 2026” have an unknown outcome",
        "The mailing of “科技参考 No. 10, 2026” does not move",
        "The mailing of “科技参考 No. 11, 2026” is paused",
        "The relay refuses everybody.",
        "qq is not tried before",
        "1 import failed this week",
        "1 letter did not reach its reader this week",
        "1 letter has been waiting for more than five minutes",
    ):
        assert words in text


# ---- health ---------------------------------------------------------------------------------------------------------


def test_the_system_page_checks_the_service_and_shows_no_secret(signed_in):
    page = signed_in.get("/admin/system")
    assert "PostgreSQL" in page.text
    assert "cannot be reached" in page.text
    assert "a test secret, long enough" not in page.response.get_data(as_text=True)
    assert "set, not shown" in page.text
    assert "http://127.0.0.1:8000" in page.text


def test_the_checks_come_as_a_part_of_a_page_too(signed_in):
    answer = signed_in.client.get("/admin/health", headers=signed_in.headers)
    assert answer.status_code == 200
    assert "<html" not in answer.get_data(as_text=True)
    assert "Redis" in answer.get_data(as_text=True)
