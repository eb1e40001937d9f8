"""Several signatures, deputies, comments, who may send, and the record that is printed."""

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.accounts.rules import Role
from mailer.newsroom import approval, house
from mailer.newsroom.models import Issue
from tests.newsroom.making import make_issue, make_newsletter
from tests.web.conftest import Page, Visitor

MakeAccount = Callable[..., Account]


class Staff:
    """People at the desk, each with a browser of their own."""

    def __init__(self, app: Flask, make: MakeAccount) -> None:
        self.accounts = {
            name: make(name, role)
            for name, role in (
                ("anna", Role.EDITOR), ("bao", Role.APPROVER), ("chen", Role.APPROVER), ("deng", Role.EDITOR),
                ("fang", Role.ADMIN),
            )
        }  # fmt: skip
        self.browsers = {name: Visitor(app) for name in self.accounts}
        for name, browser in self.browsers.items():
            browser.sign_in(self.accounts[name])

    def __getitem__(self, name: str) -> Visitor:
        return self.browsers[name]


@pytest.fixture
def staff(app: Flask, make_account: MakeAccount) -> Staff:
    return Staff(app, make_account)


@pytest.fixture
def issue(session: Session) -> Issue:
    return make_issue(session, make_newsletter(session))


def write_rules(staff: Staff, issue: Issue, **values: object) -> Page:
    return staff["fang"].submit(f"/desk/newsletters/{issue.newsletter_id}/rules", values)


def two_signatures(staff: Staff, issue: Issue) -> Page:
    return write_rules(
        staff, issue, count="2", name_1="审核", name_2="签发", accounts_2=[str(staff.accounts["chen"].id)]
    )


def submit(staff: Staff, issue: Issue) -> None:
    staff["anna"].submit(f"/desk/issues/{issue.id}", action=f"/desk/issues/{issue.id}/submit")


def decide(visitor: Visitor, issue: Issue, act: str = "approve", **values: str) -> Page:
    page = visitor.get(f"/desk/issues/{issue.id}")
    form = next(form for form in page.tree.forms if form.get("action") == f"/desk/issues/{issue.id}/approve")
    data = dict(form.form_values()) | values
    visitor.client.post(f"/desk/issues/{issue.id}/{act}", data=data, headers=visitor.headers)
    return visitor.get(f"/desk/issues/{issue.id}")


def test_two_signatures_by_two_people_approve(session: Session, staff: Staff, issue: Issue) -> None:
    assert "Saved." in two_signatures(staff, issue).text
    submit(staff, issue)
    assert "Waiting for: 审核" in staff["deng"].get(f"/desk/issues/{issue.id}").text
    page = decide(staff["bao"], issue)
    assert "Whoever signs next has been told" in page.text
    assert "Waiting for: 签发" in page.text
    assert "Your decision: 签发" in staff["chen"].get(f"/desk/issues/{issue.id}").text
    decide(staff["chen"], issue, note="同意")
    session.expire_all()
    assert issue.state == "approved"
    record = staff["anna"].get(f"/desk/issues/{issue.id}/history")
    acts = [" ".join(row.text_content().split()) for row in record.tree.xpath("//main//tbody/tr")]
    assert [name in act for name, act in zip(("Anna", "Bao", "Chen"), acts, strict=True)] == [True] * 3
    assert "同意" in acts[2]


def test_whose_turn_it_is_not_cannot_sign_by_a_forged_form(session: Session, staff: Staff, issue: Issue) -> None:
    two_signatures(staff, issue)
    submit(staff, issue)
    deng = staff["deng"]
    token = deng.get(f"/desk/issues/{issue.id}").tree.xpath("//main//input[@name='csrf_token']/@value")[0]
    for act in ("approve", "return"):
        deng.client.post(
            f"/desk/issues/{issue.id}/{act}",
            data={"csrf_token": token, "revision": issue.revision, "note": "x"},
            headers=deng.headers,
        )
        assert "not your turn" in deng.get(f"/desk/issues/{issue.id}").text
    session.expire_all()
    assert (issue.state, issue.signed_steps) == ("in_review", 0)


def test_a_deputy_is_named_signs_and_is_dismissed(session: Session, staff: Staff, issue: Issue) -> None:
    two_signatures(staff, issue)
    submit(staff, issue)
    decide(staff["bao"], issue)
    today = dt.datetime.now(dt.UTC).date()
    page = staff["chen"].submit(
        "/desk/deputies",
        {
            "deputy": str(staff.accounts["deng"].id),
            "first_day": (today - dt.timedelta(days=1)).isoformat(),
            "last_day": (today + dt.timedelta(days=1)).isoformat(),
        },
    )
    assert "Deng for Chen" in page.text
    assert "You stand in for a colleague" in staff["deng"].get(f"/desk/issues/{issue.id}").text
    decide(staff["deng"], issue)
    session.expire_all()
    assert issue.state == "approved"
    assert "for Chen" in staff["anna"].get(f"/desk/issues/{issue.id}").text
    action = page.tree.xpath("//form[contains(@action, '/dismiss')]/@action")[0]
    assert "Nobody stands in for anybody" in staff["chen"].submit("/desk/deputies", action=action).text
    assert staff["deng"].get("/desk/deputies").status == 403


def test_an_approver_names_a_deputy_only_for_themselves(session: Session, staff: Staff) -> None:
    today = dt.datetime.now(dt.UTC).date().isoformat()
    page = staff["bao"].submit(
        "/desk/deputies",
        {
            "account": str(staff.accounts["chen"].id),
            "deputy": str(staff.accounts["deng"].id),
            "first_day": today,
            "last_day": today,
        },
    )
    assert page.status == 422


def test_rules_that_make_no_sense_stay_in_the_form(session: Session, staff: Staff, issue: Issue) -> None:
    page = write_rules(staff, issue, count="2", name_1="审核", name_2="审核")
    assert page.status == 422
    assert "name of its own" in page.text
    page = write_rules(staff, issue, proofreaders="not an address")
    assert page.status == 422
    session.expire_all()
    assert house.get_house_rules(session, issue.newsletter_id).steps == []
    assert staff["anna"].get(f"/desk/newsletters/{issue.newsletter_id}/rules").status == 403


def test_only_those_who_are_named_find_the_button(session: Session, staff: Staff, issue: Issue) -> None:
    approval.submit(session, issue, by=None)
    approval.approve(session, issue, by=None)
    session.commit()
    assert "Send…" in staff["anna"].get(f"/desk/issues/{issue.id}").text
    write_rules(staff, issue, senders=[str(staff.accounts["bao"].id)], approval_days="5")
    page = staff["anna"].get(f"/desk/issues/{issue.id}")
    assert "Send…" not in page.text
    assert "Sent by: Bao" in page.text
    assert "The approval lasts until" in page.text
    assert staff["anna"].get(f"/desk/issues/{issue.id}/send").path == f"/desk/issues/{issue.id}"
    assert "Send…" in staff["bao"].get(f"/desk/issues/{issue.id}").text


def test_an_article_is_talked_about_until_it_is_settled(session: Session, staff: Staff, issue: Issue) -> None:
    article = issue.articles[0]
    address = f"/desk/articles/{article.id}/comments"
    new = f"/desk/issues/{issue.id}/comments"
    page = staff["bao"].submit(address, {"text": "数字与原文不符 <b>"}, action=new)
    assert "数字与原文不符 <b>" in page.text
    assert "1 open comment" in staff["anna"].get(f"/desk/issues/{issue.id}").text
    # The first form to that address on the page is the answer's.
    page = staff["anna"].submit(address, {"text": "已改"}, action=new)
    assert "已改" in page.text
    action = page.tree.xpath("//form[contains(@action, '/settle')]/@action")[0]
    page = staff["bao"].submit(address, action=action)
    assert "Settled by Bao" in page.text
    assert "open comment" not in staff["anna"].get(f"/desk/issues/{issue.id}").text
    action = page.tree.xpath("//form[contains(@action, '/reopen')]/@action")[0]
    staff["bao"].submit(address, action=action)
    assert "1 open comment" in staff["anna"].get(f"/desk/issues/{issue.id}").text


def test_the_whole_issue_is_talked_about_on_its_page(session: Session, staff: Staff, issue: Issue) -> None:
    page = staff["bao"].submit(
        f"/desk/issues/{issue.id}", {"text": "标题太长"}, action=f"/desk/issues/{issue.id}/comments"
    )
    assert page.path == f"/desk/issues/{issue.id}"
    assert "标题太长" in page.text
    assert "标题太长" in staff["anna"].get(f"/desk/issues/{issue.id}/history").text
