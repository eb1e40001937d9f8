"""Upload, preview, test and approval at the desk."""

import io
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.accounts.rules import Role
from mailer.letters.models import Letter
from mailer.newsroom import approval, editing
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.models import Issue
from mailer.newsroom.rules import IssueState
from tests.newsroom.making import make_issue, make_newsletter
from tests.newsroom.test_importing import BULLETIN
from tests.web.conftest import Page, Visitor

MakeAccount = Callable[..., Account]


@pytest.fixture
def editor(app: Flask, make_account: MakeAccount) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in(make_account("anna", Role.EDITOR))
    return visitor


@pytest.fixture
def approver(app: Flask, make_account: MakeAccount) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in(make_account("bao", Role.APPROVER))
    return visitor


@pytest.fixture
def issue(session: Session) -> Issue:
    return make_issue(session, make_newsletter(session))


def state(session: Session, issue: Issue) -> str:
    session.expire_all()
    return issue.state


def upload(visitor: Visitor, newsletter_id: int, content: bytes, name: str) -> Page:
    address = f"/desk/newsletters/{newsletter_id}/upload"
    token = visitor.get(address).tree.xpath("//main//input[@name='csrf_token']/@value")[0]
    return Page(
        visitor.client.post(
            address,
            data={"csrf_token": token, "document": (io.BytesIO(content), name)},
            content_type="multipart/form-data",
            headers=visitor.headers,
            follow_redirects=True,
        )
    )


def test_an_upload_shows_what_became_what_beside_the_source(session: Session, editor: Visitor) -> None:
    newsletter = make_newsletter(session, title="另一份刊物")
    session.commit()
    page = upload(editor, newsletter.id, BULLETIN.encode("gb18030"), "第4期.txt")
    made = session.scalars(select(Issue)).one()
    assert page.path == f"/desk/issues/{made.id}/import"
    assert "Is it the right one?" in page.text
    assert "云漓市启动中试基地建设" in page.text
    lines = page.tree.xpath("//ol[@class='source-list']/li")
    assert [line.get("id") for line in lines[:2]] == ["L1", "L3"]
    titled = [line.xpath("string(span[@class='source-text'])") for line in lines if "is-title" in line.get("class")]
    assert titled == ["云漓市启动中试基地建设", "北渚县推广节水灌溉新技术"]
    page = editor.submit(page.path, action=f"/desk/issues/{made.id}/warnings")
    assert "not sure" not in page.text
    session.expire_all()
    assert made.warnings == []


@pytest.mark.parametrize(
    ("content", "name", "problem"),
    [
        (b"", "empty.txt", "is empty"),
        (b"%PDF-1.7", "report.pdf", "is damaged"),
        (bytes(2000), "binary.txt", ""),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_reason_and_nothing_is_stored(
    session: Session, editor: Visitor, content: bytes, name: str, problem: str
) -> None:
    newsletter = make_newsletter(session)
    session.commit()
    page = upload(editor, newsletter.id, content, name)
    assert page.status == 422
    assert f"“{name}” was not imported" in page.text
    assert problem in page.text
    assert session.scalars(select(Issue)).all() == []


def test_an_upload_without_a_file_asks_for_one(session: Session, editor: Visitor) -> None:
    newsletter = make_newsletter(session)
    session.commit()
    page = editor.submit(f"/desk/newsletters/{newsletter.id}/upload")
    assert page.status == 422
    assert page.errors() == {"document": "Choose a file first."}


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(session: Session, editor: Visitor, app: Flask) -> None:
    newsletter = make_newsletter(session)
    session.commit()
    app.config["MAX_CONTENT_LENGTH"] = 1000
    page = upload(editor, newsletter.id, b"x" * 5000, "large.txt")
    assert page.status == 413


def test_an_issue_that_was_not_imported_has_no_report(editor: Visitor, issue: Issue) -> None:
    assert editor.get(f"/desk/issues/{issue.id}/import").status == 404


def test_the_preview_shows_the_mail_in_a_frame_that_can_do_nothing(editor: Visitor, issue: Issue) -> None:
    page = editor.get(f"/desk/issues/{issue.id}/preview")
    frame = page.tree.xpath("//iframe")[0]
    assert "allow-scripts" not in frame.get("sandbox")
    mail = editor.get(frame.get("src"))
    assert "第1篇的正文" in mail.response.text
    assert "~mailer." not in mail.response.text
    policy = mail.response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "sandbox" in policy
    assert "frame-ancestors 'self'" in policy
    assert "unsafe-inline" not in page.response.headers["Content-Security-Policy"]


def test_the_text_part_is_shown_as_it_is(editor: Visitor, issue: Issue) -> None:
    page = editor.get(f"/desk/issues/{issue.id}/preview?view=text")
    text = page.tree.xpath("//pre")[0].text_content()
    assert "第1篇的正文" in text
    assert "~mailer." not in text


def test_an_issue_that_cannot_be_compiled_says_what_is_missing(session: Session, editor: Visitor) -> None:
    empty = make_issue(session, make_newsletter(session, slug="leer", language="en"), articles=0)
    page = editor.get(f"/desk/issues/{empty.id}/preview")
    assert page.status == 200
    assert "The issue has no articles" in page.text
    page = editor.submit(f"/desk/issues/{empty.id}", action=f"/desk/issues/{empty.id}/submit")
    assert "The issue has no articles" in page.text
    assert state(session, empty) == IssueState.DRAFT


def test_a_test_goes_to_colleagues_and_leaves_no_trace_in_the_figures(
    session: Session, editor: Visitor, issue: Issue
) -> None:
    here = f"/desk/issues/{issue.id}/preview"
    action = f"/desk/issues/{issue.id}/proof"
    page = editor.submit(here, {"addresses": "li@example.org， wang@example.org;LI@example.org"}, action=action)
    assert "A test is on its way to 2 addresses" in page.text
    letters = session.scalars(select(Letter).order_by(Letter.id)).all()
    assert [(letter.kind, letter.newsletter_id) for letter in letters] == [("proof", issue.newsletter_id)] * 2
    parameters = letters[0].parameters
    assert parameters["subject"].startswith("【测试】科技情报参考")
    assert set(parameters) == {"subject", "html", "text", "language", "web_url"}
    assert "/c/" not in parameters["html"]
    assert session.scalars(select(Edition)).all() == []
    page = editor.submit(here, {"addresses": "nobody"}, action=action)
    assert "needs an “@”" in page.text
    many = ",".join(f"a{number}@example.org" for number in range(11))
    assert "at most 10" in editor.submit(here, {"addresses": many}, action=action).text


def test_submit_return_submit_approve_and_withdraw(
    session: Session, editor: Visitor, approver: Visitor, issue: Issue
) -> None:
    here = f"/desk/issues/{issue.id}"
    page = editor.submit(here, {"note": "请审"}, action=f"{here}/submit")
    assert "Submitted." in page.text
    assert "请审" in page.text
    assert state(session, issue) == IssueState.IN_REVIEW
    assert not editor.get(here).tree.xpath(f"//form[@action='{here}/approve']")

    page = _decide(approver, issue, "return", note=" ")
    assert "Say what should be changed" in page.text
    page = _decide(approver, issue, "return", note="第2篇缺来源")
    assert "Returned by Bao 第2篇缺来源" in editor.get(here).text
    assert state(session, issue) == IssueState.DRAFT

    editor.submit(here, action=f"{here}/submit")
    page = _decide(approver, issue, "approve")
    assert "Approved. What you saw is what will be sent." in page.text
    assert state(session, issue) == IssueState.APPROVED
    edition = session.scalars(select(Edition)).one()
    frozen = approver.get(f"/desk/editions/{edition.id}")
    assert edition.content_hash in frozen.text
    assert "第1篇的正文" in approver.get(f"/desk/editions/{edition.id}/mail").response.text

    page = editor.submit(here, action=f"{here}/withdraw")
    assert "The issue is a draft again" in page.text
    assert state(session, issue) == IssueState.DRAFT


def _decide(visitor: Visitor, issue: Issue, act: str, *, note: str = "") -> Page:
    """What the approver's form does with its two buttons."""
    here = f"/desk/issues/{issue.id}"
    form = visitor.get(here).tree.xpath(f"//form[@action='{here}/approve']")[0]
    fields = dict(form.form_values()) | {"note": note}
    answer = visitor.client.post(f"{here}/{act}", data=fields, headers=visitor.headers, follow_redirects=True)
    return Page(answer)


def test_an_approval_of_what_has_changed_meanwhile_is_refused(
    session: Session, approver: Visitor, issue: Issue
) -> None:
    approval.submit(session, issue, by=None)
    session.commit()
    here = f"/desk/issues/{issue.id}"
    form = approver.get(here).tree.xpath(f"//form[@action='{here}/approve']")[0]
    fields = dict(form.form_values())
    editing.change_issue(session, issue, revision=issue.masthead_revision, by=None, editor="王芳")
    approval.submit(session, issue, by=None)
    session.commit()
    page = Page(approver.client.post(f"{here}/approve", data=fields, headers=approver.headers, follow_redirects=True))
    assert "has changed since you opened it" in page.text
    assert state(session, issue) == IssueState.IN_REVIEW


def test_who_submitted_finds_no_button_to_approve_and_is_refused_without_it(
    session: Session, app: Flask, make_account: MakeAccount, issue: Issue
) -> None:
    both = make_account("dora", Role.EDITOR, Role.APPROVER)
    visitor = Visitor(app)
    visitor.sign_in(both)
    here = f"/desk/issues/{issue.id}"
    page = visitor.submit(here, action=f"{here}/submit")
    # Nobody else is there who may: the page says so, and what to do.
    assert "Nobody can give this signature" in page.text
    make_account("erik", Role.APPROVER)
    page = visitor.get(here)
    assert "Somebody else has to approve it" in page.text
    assert "Nobody can give this signature" not in page.text
    token = page.tree.xpath("//main//input[@name='csrf_token']/@value")[0]
    answer = visitor.client.post(
        f"{here}/approve",
        data={"csrf_token": token, "revision": issue.revision},
        headers=visitor.headers,
        follow_redirects=True,
    )
    assert "another pair of eyes" in answer.text
    assert state(session, issue) == IssueState.IN_REVIEW


def test_an_editor_may_not_approve(session: Session, editor: Visitor, issue: Issue) -> None:
    approval.submit(session, issue, by=None)
    session.commit()
    token = editor.get("/desk/").tree.xpath("//input[@name='csrf_token']/@value")[0]
    for act in ("approve", "return"):
        data = {"csrf_token": token, "note": "x", "revision": str(issue.revision)}
        editor.client.post(f"/desk/issues/{issue.id}/{act}", data=data, headers=editor.headers)
        assert "not your turn" in editor.get(f"/desk/issues/{issue.id}").text
    assert state(session, issue) == IssueState.IN_REVIEW


def test_a_change_to_an_approved_issue_says_that_it_withdraws(session: Session, editor: Visitor, issue: Issue) -> None:
    approval.submit(session, issue, by=None)
    approval.approve(session, issue, by=None)
    session.commit()
    address = f"/desk/articles/{issue.articles[0].id}"
    assert "Saving a change here withdraws it" in editor.get(address).text
    page = editor.submit(address, {"title": "改了"}, action=address)
    assert "This change has withdrawn the issue" in page.text
    assert state(session, issue) == IssueState.DRAFT
