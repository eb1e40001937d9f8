"""Whose turn it is, as the desk's pages tell it; a submission and an approval taken back; a time chosen anew."""

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.db import now
from mailer.dispatch import launching
from mailer.dispatch.halting import halt
from mailer.dispatch.models import Mailing
from mailer.newsletters import create_list, get_newsletter
from mailer.newsroom import approval, commenting, editing
from mailer.newsroom.models import Issue
from tests.web.conftest import Page
from tests.web.test_desk_approval import Staff, issue, staff, submit, two_signatures, write_rules

__all__ = ["issue", "staff"]


def test_the_first_page_says_whose_turn_it_is_and_what_came_back(session: Session, staff: Staff, issue: Issue) -> None:
    two_signatures(staff, issue)
    submit(staff, issue)
    waiting = "//section[@aria-labelledby='waiting']"
    assert "Your turn" in staff["bao"].get("/desk/").tree.xpath(waiting)[0].text_content()
    others = staff["deng"].get("/desk/").tree.xpath(waiting)[0].text_content()
    assert "Waiting for: 审核" in others
    assert "Your turn" not in others
    assert "Nobody can sign it" not in others
    # Who is to sign leaves the house, and nobody else may.
    write_rules(staff, issue, count="2", name_1="审核", name_2="签发", accounts_1=[str(staff.accounts["bao"].id)])
    accounts.disable(session, staff.accounts["bao"], by=None)
    session.commit()
    assert "Nobody can sign it" in staff["anna"].get("/desk/").tree.xpath(waiting)[0].text_content()
    accounts.enable(session, staff.accounts["bao"], by=None)
    session.commit()
    approval.return_(session, issue, by=staff.accounts["bao"], note="缺来源")
    session.commit()
    (drafts,) = staff["anna"].get("/desk/").tree.xpath("//section[@aria-labelledby='drafts']")
    assert "Returned" in drafts.text_content()


def test_whoever_decides_on_a_page_that_is_out_of_date_is_told_who_was_faster(
    session: Session, staff: Staff, issue: Issue
) -> None:
    """Two approvers have the page open, and both press the button."""
    write_rules(staff, issue, count="2", name_1="审核", name_2="签发")
    submit(staff, issue)
    here = f"/desk/issues/{issue.id}"
    chen = staff["chen"]
    (form,) = chen.get(here).tree.xpath(f"//form[@action='{here}/approve']")
    fields = dict(form.form_values())
    staff["bao"].submit(here, action=f"{here}/approve")
    page = Page(chen.client.post(f"{here}/approve", data=fields, headers=chen.headers, follow_redirects=True))
    assert "Bao has signed “审核” meanwhile" in page.text
    assert "Your decision: 签发" in page.text
    session.expire_all()
    assert (issue.state, issue.signed_steps) == ("in_review", 1)
    chen.submit(here, action=f"{here}/approve")
    bao = staff["bao"]
    fields |= {"csrf_token": bao.get(here).tree.xpath("//main//input[@name='csrf_token']/@value")[0], "note": "不好"}
    page = Page(bao.client.post(f"{here}/return", data=fields, headers=bao.headers, follow_redirects=True))
    assert "Chen has approved this issue meanwhile; nothing is left to sign." in page.text


def test_who_signs_returns_a_submission_and_only_who_writes_takes_it_back(
    session: Session, staff: Staff, issue: Issue
) -> None:
    submit(staff, issue)
    here = f"/desk/issues/{issue.id}"
    form = staff["bao"].get(here).tree.xpath(f"//form[@action='{here}/approve']")[0]
    assert not staff["bao"].get(here).tree.xpath(f"//form[@action='{here}/withdraw']")
    token = {"csrf_token": dict(form.form_values())["csrf_token"]}
    assert staff["bao"].client.post(f"{here}/withdraw", data=token).status_code == 403
    assert "The issue is a draft again" in staff["anna"].submit(here, action=f"{here}/withdraw").text

    # An approval is asked about first, in a dialog that takes the reason; the record tells hand and change apart.
    submit(staff, issue)
    staff["bao"].submit(here, action=f"{here}/approve")
    (dialog,) = staff["anna"].get(here).tree.xpath("//dialog[@id='withdraw-approval']")
    fields = dict(dialog.xpath(".//form")[0].form_values()) | {"note": "日期有误"}
    staff["anna"].client.post(f"{here}/withdraw", data=fields, headers=staff["anna"].headers)
    submit(staff, issue)
    session.expire_all()
    editing.change_issue(session, issue, revision=issue.masthead_revision, by=staff.accounts["anna"], editor="王芳")
    session.commit()
    record = staff["anna"].get(f"{here}/history").text
    assert "Withdrawn Anna 日期有误" in record
    assert "Withdrawn by a change Anna" in record
    assert "Printed by Anna" in record


@pytest.fixture
def mailing(session: Session, staff: Staff, issue: Issue) -> Mailing:
    """A draft to one list, of an issue whose approval lasts three days."""
    write_rules(staff, issue, approval_days="3", senders=[str(staff.accounts["deng"].id)])
    newsletter = get_newsletter(session, issue.newsletter_id)
    made = create_list(session, newsletter, slug="all", name="全体订户")
    approval.submit(session, issue, by=None)
    edition = approval.approve(session, issue, by=None)
    created = launching.create_mailing(session, edition_id=edition.id, list_ids=[made.id], by=None)
    session.commit()
    return created


def test_a_mailing_is_given_another_time_where_it_stands(session: Session, staff: Staff, mailing: Mailing) -> None:
    here = f"/desk/mailings/{mailing.id}"
    assert "Lists: 全体订户" in staff["deng"].get(here).text
    day = now(session) + dt.timedelta(days=1)
    page = staff["deng"].submit(here, {"at": f"{day:%Y-%m-%dT%H:%M}"}, action=f"{here}/schedule")
    assert "It is scheduled." in page.text
    for at, said in (("", "Say when it is to be sent."), ("2020-01-01T09:00", "has passed already")):
        assert said in staff["deng"].submit(here, {"at": at}, action=f"{here}/schedule").text
    late = day + dt.timedelta(days=9)
    page = staff["deng"].submit(here, {"at": f"{late:%Y-%m-%dT%H:%M}"}, action=f"{here}/schedule")
    assert "runs out before that time" in page.text
    session.expire_all()
    assert session.scalars(select(Mailing)).one().state == "scheduled"
    # Who is not named to send finds no such form, nor the button; stopping it is everybody's.
    forms = {form.get("action") for form in staff["anna"].get(here).tree.forms}
    assert f"{here}/cancel" in forms
    assert not forms & {f"{here}/schedule", f"{here}/send", f"{here}/unschedule"}
    again = staff["deng"].get(f"/desk/issues/{mailing.issue_id}/send").text
    assert "This issue is scheduled already" in again


def test_a_mailing_whose_approval_was_withdrawn_says_so(session: Session, staff: Staff, mailing: Mailing) -> None:
    here = f"/desk/mailings/{mailing.id}"
    approval.withdraw(session, session.get_one(Issue, mailing.issue_id), by=staff.accounts["anna"])
    session.commit()
    page = staff["deng"].get(here)
    assert "It will not go out" in page.text
    assert not {form.get("action") for form in page.tree.forms} & {f"{here}/schedule", f"{here}/send"}


def test_a_mailing_that_was_stopped_is_over_and_says_why(session: Session, staff: Staff, mailing: Mailing) -> None:
    """Also once the issue is approved again: that is another edition, and another mailing."""
    issue = session.get_one(Issue, mailing.issue_id)
    mailing.state = "sending"
    session.commit()
    page = staff["anna"].submit(f"/desk/issues/{issue.id}", action=f"/desk/issues/{issue.id}/withdraw")
    assert "stops within seconds" in page.response.get_data(as_text=True)
    halt(session)
    session.commit()
    approval.submit(session, issue, by=None)
    approval.approve(session, issue, by=None)
    session.commit()
    here = f"/desk/mailings/{mailing.id}"
    page = staff["deng"].get(here)
    assert "so the rest is cancelled" in page.text
    forms = {form.get("action") for form in page.tree.forms}
    assert not forms & {f"{here}/resume", f"{here}/send", f"{here}/schedule"}


def test_an_article_is_fixed_beside_what_was_said_of_it(session: Session, staff: Staff, issue: Issue) -> None:
    article = issue.articles[0]
    said = commenting.say(session, issue, "数字请核对", by=staff.accounts["bao"], article=article)
    session.commit()
    here = f"/desk/articles/{article.id}"
    assert "Open comments" in staff["anna"].get(here).text
    assert "Bao 数字请核对" in staff["anna"].get(here).text
    commenting.settle(session, said, by=staff.accounts["anna"])
    session.commit()
    assert "Open comments" not in staff["anna"].get(here).text


def test_whoever_meets_a_colleagues_change_can_look_at_it_first(session: Session, staff: Staff, issue: Issue) -> None:
    article = issue.articles[0]
    here = f"/desk/articles/{article.id}"
    fields = dict(staff["anna"].get(here).tree.xpath("//main//form")[0].form_values())
    editing.change_article(session, article, revision=1, by=staff.accounts["deng"], title="同事改的")
    session.commit()
    page = staff["anna"].client.post(here, data=fields | {"title": "我改的"}, headers=staff["anna"].headers)
    assert page.status_code == 422
    assert "replaces what your colleague wrote" in page.text
    assert f'href="{here}/versions" target="_blank"' in page.text
    assert "replaces what your colleague wrote" not in staff["anna"].get(here).text


def test_the_button_that_moved_an_article_keeps_the_focus(session: Session, staff: Staff, issue: Issue) -> None:
    first, second = issue.articles
    here = f"/desk/issues/{issue.id}"
    for article, to, button in ((first, 2, "down"), (first, 1, "up"), (second, 3, "down")):
        form = next(form for form in staff["anna"].get(here).tree.forms if form.get("action", "").endswith("/move"))
        token = dict(form.form_values())["csrf_token"]
        answer = staff["anna"].client.post(
            f"/desk/articles/{article.id}/move", data={"csrf_token": token, "to": to}, headers=staff["anna"].headers
        )
        assert answer.location == f"{here}#{button}-{article.id}"
        assert staff["anna"].get(here).tree.get_element_by_id(f"{button}-{article.id}").tag == "button"
