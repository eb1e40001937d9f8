"""From an approved issue to a mailing."""

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.accounts.rules import Role
from mailer.audience.models import Subscriber, Subscription
from mailer.audience.segments import create_segment
from mailer.audience.suppressing import suppress
from mailer.dispatch.models import Mailing, MailingList, MailingSegment
from mailer.dispatch.rules import MailingState
from mailer.newsletters import create_list
from mailer.newsletters.models import List, Newsletter
from mailer.newsroom import approval
from mailer.newsroom.models import Issue
from tests.newsroom.making import make_issue, make_newsletter
from tests.web.conftest import Visitor

MakeAccount = Callable[..., Account]


@pytest.fixture
def issue(session: Session) -> Issue:
    """An approved issue."""
    made = make_issue(session, make_newsletter(session, time_zone="Asia/Shanghai"))
    approval.submit(session, made, by=None)
    approval.approve(session, made, by=None)
    session.commit()
    return made


@pytest.fixture
def readers(session: Session, issue: Issue) -> List:
    """A list with three confirmed readers, one of them suppressed, and one who has not confirmed."""
    made = create_list(session, session.get_one(Newsletter, issue.newsletter_id), slug="all", name="全体订户")
    for number, state in enumerate(("confirmed", "confirmed", "confirmed", "unconfirmed")):
        address = f"reader{number}@example.org"
        subscriber = Subscriber(email=address, email_key=address, domain="example.org")
        subscriber.subscriptions.append(Subscription(list_id=made.id, state=state, source="test"))
        session.add(subscriber)
    suppress(session, email_key="reader2@example.org", reason="manual")
    session.commit()
    return made


@pytest.fixture
def editor(app: Flask, make_account: MakeAccount) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in(make_account("anna", Role.EDITOR))
    return visitor


def test_the_forecast_stands_before_the_button(session: Session, editor: Visitor, issue: Issue, readers: List) -> None:
    page = editor.submit(f"/desk/issues/{issue.id}/send", {"lists": [str(readers.id)], "moment": "now"})
    assert page.status == 200
    assert page.heading == "Send to 2 readers?"
    assert "1 Suppressed addresses" in page.text
    assert "全体订户" in page.text
    session.expire_all()
    assert session.scalars(select(Mailing)).all() == []


def test_sending_now_makes_a_mailing_that_is_prepared(
    session: Session, editor: Visitor, issue: Issue, readers: List
) -> None:
    fields = {"lists": [str(readers.id)], "moment": "now", "rate": "50"}
    page = editor.submit(f"/desk/issues/{issue.id}/send", fields)
    form = next(form for form in page.tree.forms if form.xpath(".//button[@name='confirm']"))
    sent = [*form.form_values(), ("confirm", "1")]
    answer = editor.client.post(form.get("action"), data=_multi(sent), headers=editor.headers)
    assert answer.status_code == 302
    made = session.scalars(select(Mailing)).one()
    assert answer.headers["Location"] == f"/desk/mailings/{made.id}"
    assert (made.state, made.rate, made.is_repeat) == (MailingState.PREPARING, 50, False)
    assert session.scalars(select(MailingList.list_id)).all() == [readers.id]
    assert editor.get(f"/desk/mailings/{made.id}").status == 200
    for page in (f"/desk/issues/{issue.id}", "/desk/"):
        assert editor.get(page).tree.xpath(f"//main//a[@href='/desk/mailings/{made.id}']"), page


def test_a_segment_narrows_whom_it_goes_to(session: Session, editor: Visitor, issue: Issue, readers: List) -> None:
    tree = {"is": "domain", "test": "equals", "value": "nowhere.test"}
    nobody = create_segment(session, name="Nobody", tree=tree, by=None)
    session.commit()
    fields = {"lists": [str(readers.id)], "moment": "now", "targets": [str(nobody.id)]}
    page = editor.submit(f"/desk/issues/{issue.id}/send", fields)
    assert page.heading == "Send to 0 readers?"
    assert "2 Outside the segments" in page.text
    both = editor.submit(f"/desk/issues/{issue.id}/send", fields | {"exclusions": [str(nobody.id)]})
    assert both.status == 422
    fields["exclusions"] = fields.pop("targets")
    page = editor.submit(f"/desk/issues/{issue.id}/send", fields)
    assert page.heading == "Send to 2 readers?"
    form = next(form for form in page.tree.forms if form.xpath(".//button[@name='confirm']"))
    editor.client.post(form.get("action"), data=_multi([*form.form_values(), ("confirm", "1")]), headers=editor.headers)
    kept = session.scalars(select(MailingSegment)).one()
    assert (kept.segment_id, kept.is_exclusion) == (nobody.id, True)


def _multi(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


def test_a_time_is_read_in_the_newsletters_zone(session: Session, editor: Visitor, issue: Issue, readers: List) -> None:
    at = (dt.datetime.now(ZoneInfo("Asia/Shanghai")) + dt.timedelta(days=2)).replace(second=0, microsecond=0)
    typed = at.strftime("%Y-%m-%dT%H:%M")
    page = editor.submit(f"/desk/issues/{issue.id}/send", {"lists": [str(readers.id)], "moment": "later", "at": typed})
    assert at.strftime("%Y-%m-%d %H:%M (Asia/Shanghai)") in page.text
    form = next(form for form in page.tree.forms if form.xpath(".//button[@name='confirm']"))
    sent = [*form.form_values(), ("confirm", "1")]
    assert editor.client.post(form.get("action"), data=_multi(sent), headers=editor.headers).status_code == 302
    made = session.scalars(select(Mailing)).one()
    assert (made.state, made.scheduled_at) == (MailingState.SCHEDULED, at.astimezone(dt.UTC))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"lists": [], "moment": "now"}, "Choose at least one list"),
        ({"moment": "later", "at": ""}, "Say when it is to be sent"),
        ({"moment": "later", "at": "2020-01-01T08:00"}, "This time has passed already"),
        ({"moment": "now", "at": "2099-01-01T08:00"}, "You chose a time, and “Now” as well"),
        ({"moment": "now", "rate": "-1"}, "Between 0.01 and 10000"),
    ],
)
def test_a_mailing_that_cannot_be_is_refused_before_the_forecast(
    session: Session, editor: Visitor, issue: Issue, readers: List, fields: dict[str, object], problem: str
) -> None:
    page = editor.submit(f"/desk/issues/{issue.id}/send", {"lists": [str(readers.id)], **fields})
    assert page.status == 422
    assert problem in page.text
    assert session.scalars(select(Mailing)).all() == []


def test_an_edition_replaced_meanwhile_is_shown_anew_and_not_sent(
    session: Session, editor: Visitor, issue: Issue, readers: List
) -> None:
    page = editor.submit(f"/desk/issues/{issue.id}/send", {"lists": [str(readers.id)], "moment": "now"})
    form = next(form for form in page.tree.forms if form.xpath(".//button[@name='confirm']"))
    sent = [*form.form_values(), ("confirm", "1")]
    approval.withdraw(session, issue, by=None)
    session.commit()
    answer = editor.client.post(form.get("action"), data=_multi(sent), headers=editor.headers)
    assert answer.status_code == 422
    assert "has been withdrawn" in answer.text
    approval.submit(session, issue, by=None)
    approval.approve(session, issue, by=None)
    session.commit()
    answer = editor.client.post(form.get("action"), data=_multi(sent), headers=editor.headers)
    assert answer.status_code == 200
    assert session.scalars(select(Mailing)).all() == []


def test_a_draft_is_not_sent(session: Session, editor: Visitor, issue: Issue, readers: List) -> None:
    draft = make_issue(session, make_newsletter(session, slug="andere"))
    page = editor.get(f"/desk/issues/{draft.id}/send")
    assert page.path == f"/desk/issues/{draft.id}"
    assert "Only an approved issue can be sent" in page.text


def test_a_newsletter_without_a_list_says_what_is_missing(session: Session, editor: Visitor, issue: Issue) -> None:
    page = editor.get(f"/desk/issues/{issue.id}/send")
    assert page.status == 200
    assert "No list to send to" in page.text
