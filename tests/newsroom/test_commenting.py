import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.models import AuditEntry
from mailer.errors import NotFoundError, RuleError
from mailer.newsroom import commenting, editing
from tests.newsroom.making import make_account, make_issue, make_newsletter


def test_a_thread_is_answered_settled_and_opened_again_by_an_answer(session: Session) -> None:
    anna, bao = make_account(session, "Anna"), make_account(session, "Bao", "approver")
    issue = make_issue(session, make_newsletter(session))
    article = issue.articles[0]
    first = commenting.say(session, issue, " 数字与原文不符 ", by=bao, article=article)
    assert commenting.count_open(session, issue.id) == {article.id: 1}
    answer = commenting.say(session, issue, "已改", by=anna, answers=first)
    commenting.settle(session, first, by=bao)
    assert commenting.count_open(session, issue.id) == {}
    (thread,) = commenting.list_threads(session, issue.id, article_id=article.id)
    assert (thread.name, thread.comment.text, thread.settled_by) == ("Bao", "数字与原文不符", "Bao")
    assert [(one.name, one.comment.text) for one in thread.answers] == [("Anna", "已改")]
    # An answer to an answer stays in the same thread, which is open again.
    commenting.say(session, issue, "还有一处", by=bao, answers=answer)
    assert commenting.count_open(session, issue.id) == {article.id: 1}
    assert len(commenting.list_threads(session, issue.id)[0].answers) == 2
    actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert [action for action in actions if action.startswith("comment.")] == [
        "comment.added", "comment.added", "comment.settled", "comment.added",
    ]  # fmt: skip


def test_what_is_open_comes_first_and_the_whole_issue_has_threads_too(session: Session) -> None:
    bao = make_account(session, "Bao", "approver")
    issue = make_issue(session, make_newsletter(session))
    done = commenting.say(session, issue, "旧的", by=bao)
    commenting.settle(session, done, by=bao)
    commenting.say(session, issue, "新的", by=bao)
    assert [thread.comment.text for thread in commenting.list_threads(session, issue.id)] == ["新的", "旧的"]
    assert commenting.count_open(session, issue.id) == {None: 1}
    commenting.reopen(session, done, by=bao)
    assert commenting.count_open(session, issue.id) == {None: 2}


def test_what_makes_no_sense_is_refused(session: Session) -> None:
    bao = make_account(session, "Bao", "approver")
    newsletter = make_newsletter(session)
    issue, other = make_issue(session, newsletter), make_issue(session, newsletter)
    first = commenting.say(session, issue, "看", by=bao)
    answer = commenting.say(session, issue, "答", by=bao, answers=first)
    with pytest.raises(RuleError, match="needs words"):
        commenting.say(session, issue, " \n", by=bao)
    with pytest.raises(RuleError, match="whole thread"):
        commenting.settle(session, answer, by=bao)
    with pytest.raises(NotFoundError):
        commenting.say(session, other, "错", by=bao, answers=first)
    with pytest.raises(NotFoundError):
        commenting.get_comment(session, 9999)


def test_a_comment_outlives_its_article_and_changes_no_approval(session: Session) -> None:
    bao = make_account(session, "Bao", "approver")
    issue = make_issue(session, make_newsletter(session))
    revision = issue.revision
    commenting.say(session, issue, "删掉", by=bao, article=issue.articles[0])
    assert issue.revision == revision
    editing.remove_article(session, issue.articles[0], revision=1, by=None)
    session.commit()
    assert len(commenting.list_threads(session, issue.id)) == 1
