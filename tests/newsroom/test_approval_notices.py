from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import accounts, links
from mailer.letters.models import Letter
from mailer.newsroom import approval, editing
from mailer.newsroom.wording import issue_name
from tests.newsroom.making import make_account, make_issue, make_newsletter


def letters(session: Session) -> list[tuple[str, str, list[str]]]:
    """(address, subject, lines) of each letter so far."""
    found = session.scalars(select(Letter).order_by(Letter.id))
    return [(letter.address, letter.parameters["subject"], letter.parameters["lines"]) for letter in found]


def test_approvers_are_told_of_a_submission_and_editors_of_the_decision(session: Session) -> None:
    anna = make_account(session, "Anna", "editor", "approver")
    bao = make_account(session, "Bao", "approver")
    bao.locale = "en"
    away = make_account(session, "Chen", "approver")
    accounts.disable(session, away, by=None)
    issue = make_issue(session, make_newsletter(session), by=anna)
    issue.year, issue.number = 2024, "9"
    approval.submit(session, issue, by=anna, note="请审\n\n谢谢")
    assert letters(session) == [
        (
            "bao@example.org",
            "Waiting for approval: 科技情报参考 2024年第9期",
            ["Anna has submitted “科技情报参考 2024年第9期” for approval.", "请审", "谢谢"],
        )
    ]
    url = session.scalars(select(Letter)).one().parameters["url"]
    assert url == links.absolute(f"/desk/issues/{issue.id}")

    approval.return_(session, issue, by=bao, note="缺来源")
    approval.submit(session, issue, by=anna)
    approval.approve(session, issue, by=bao)
    assert [(address, lines[-1]) for address, _, lines in letters(session)[1:]] == [
        ("anna@example.org", "缺来源"),
        ("bao@example.org", "Anna has submitted “科技情报参考 2024年第9期” for approval."),
        ("anna@example.org", "Bao 已签发“科技情报参考 2024年第9期”，可以发送了。"),
    ]


def test_an_act_of_the_service_itself_writes_no_letter(session: Session) -> None:
    bao = make_account(session, "Bao", "approver")
    issue = make_issue(session, make_newsletter(session))
    approval.submit(session, issue, by=None)
    approval.withdraw(session, issue, by=bao)
    assert letters(session) == []


def test_who_submitted_is_told_when_somebody_else_takes_it_back(session: Session) -> None:
    anna, dora = make_account(session, "Anna", "editor"), make_account(session, "Dora", "editor")
    bao = make_account(session, "Bao", "approver")
    issue = make_issue(session, make_newsletter(session), by=anna)
    for take_back in (
        lambda: approval.withdraw(session, issue, by=anna),
        lambda: approval.withdraw(session, issue, by=bao, note="日期有误"),
        lambda: editing.change_issue(session, issue, revision=issue.masthead_revision, by=anna, editor="李涛"),
        lambda: editing.change_issue(session, issue, revision=issue.masthead_revision, by=dora, editor="王芳"),
    ):
        approval.submit(session, issue, by=anna)
        take_back()
    # Her own acts she knows of.
    told = [(subject.partition("：")[0], lines) for address, subject, lines in letters(session) if "anna" in address]
    name = issue_name(issue, "zh_CN")
    assert told == [
        ("已撤回", [f"Bao 撤回了“{name}”。本期已退为草稿，已安排的发送不会发出。", "日期有误"]),
        ("因内容改动撤回", [f"Dora 改动了“{name}”。本期已退为草稿，须重新提交并逐级审签。"]),
    ]
