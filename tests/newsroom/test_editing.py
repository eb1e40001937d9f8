import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mailer.accounts.models import AuditEntry
from mailer.db import new_session, now
from mailer.errors import NotFoundError, RuleError
from mailer.newsletters import archive_newsletter
from mailer.newsroom import approval, editing
from mailer.newsroom.models import Issue, Review
from mailer.newsroom.rules import IssueState, ReviewAct
from tests.newsroom.making import make_account, make_issue, make_newsletter


def titles(session: Session, issue: Issue) -> list[str]:
    session.commit()
    session.expire_all()
    return [article.title for article in issue.articles]


def test_a_new_issue_brings_title_publisher_and_the_next_number(session: Session) -> None:
    newsletter = make_newsletter(session)
    anna = make_account(session, "Anna")
    first = editing.create_issue(session, newsletter.id, by=anna, year=2024, number="8", total_number="104")
    assert (first.title, first.publisher, first.state) == ("科技情报参考", "某市科技局", IssueState.DRAFT)
    assert (first.created_by, first.changed_by) == (anna.id, anna.id)
    second = editing.create_issue(session, newsletter.id, by=anna)
    assert second.total_number == "105"
    third = editing.create_issue(session, newsletter.id, by=anna)
    assert (third.year, third.number, third.total_number) == (second.year, "2", "106")


def test_no_issue_is_begun_for_a_newsletter_that_is_archived_or_not_there(session: Session) -> None:
    newsletter = make_newsletter(session)
    with pytest.raises(NotFoundError):
        editing.create_issue(session, newsletter.id + 1, by=None)
    archive_newsletter(session, newsletter, at=now(session))
    with pytest.raises(RuleError, match="archived"):
        editing.create_issue(session, newsletter.id, by=None)


def test_two_editors_do_not_overwrite_each_other_unseen(session: Session) -> None:
    anna, bao = make_account(session, "Anna"), make_account(session, "Bao")
    issue = make_issue(session, make_newsletter(session), by=anna)
    seen = issue.masthead_revision
    editing.change_issue(session, issue, revision=seen, by=anna, editor="李涛")
    session.commit()
    with pytest.raises(RuleError, match="Anna changed this"):
        editing.change_issue(session, issue, revision=seen, by=bao, editor="王芳")
    session.rollback()
    assert issue.editor == "李涛"


def test_two_editors_work_on_two_articles_and_the_masthead_at_the_same_time(session: Session) -> None:
    anna, bao = make_account(session, "Anna"), make_account(session, "Bao")
    issue = make_issue(session, make_newsletter(session), by=anna)
    one, two = issue.articles
    seen = (issue.masthead_revision, one.revision, two.revision)
    editing.change_article(session, one, revision=seen[1], by=anna, title="甲")
    editing.change_article(session, two, revision=seen[2], by=bao, title="乙")
    editing.change_issue(session, issue, revision=seen[0], by=bao, phone="4366683")
    assert titles(session, issue) == ["甲", "乙"]
    with pytest.raises(RuleError, match="Bao changed this"):
        editing.change_article(session, one, revision=seen[1], by=bao, title="丙")


def test_a_stale_object_in_another_session_sees_the_change_too(session: Session) -> None:
    issue = make_issue(session, make_newsletter(session))
    other = new_session()
    try:
        same = editing.get_issue(other, issue.id)
        seen = same.masthead_revision
        editing.change_issue(session, issue, revision=seen, by=None, editor="李涛")
        session.commit()
        with pytest.raises(RuleError, match="Somebody else changed this"):
            editing.change_issue(other, same, revision=seen, by=None, editor="王芳")
    finally:
        other.close()


def test_saving_what_stands_there_already_changes_nothing(session: Session) -> None:
    issue = make_issue(session, make_newsletter(session))
    approval.submit(session, issue, by=None)
    session.commit()
    before = issue.revision
    article = issue.articles[0]
    editing.change_issue(session, issue, revision=issue.masthead_revision, by=None, title=f" {issue.title} ")
    editing.change_article(
        session, article, revision=article.revision, by=None, body=article.body + "<script></script>"
    )
    editing.order_articles(session, issue, order=[article.id for article in issue.articles], by=None)
    assert (issue.revision, issue.state) == (before, IssueState.IN_REVIEW)


def test_a_body_is_sanitised_on_the_way_in(session: Session) -> None:
    issue = make_issue(session, make_newsletter(session), articles=0)
    article = editing.add_article(
        session, issue, by=None, title="甲", body='<p onclick="x()">好<script>alert(1)</script></p><h1>题</h1>'
    )
    assert article.body == "<p>好</p><h3>题</h3>"
    editing.change_article(session, article, revision=1, by=None, body='<p><a href="javascript:x()">a</a></p>')
    assert "javascript" not in article.body


def test_articles_are_moved_up_down_and_to_the_ends(session: Session) -> None:
    issue = make_issue(session, make_newsletter(session), articles=3)
    one, two, three = issue.articles
    editing.move_article(session, one, to=2, by=None)
    assert titles(session, issue) == ["第2篇", "第1篇", "第3篇"]
    editing.move_article(session, three, to=-5, by=None)
    assert titles(session, issue) == ["第3篇", "第2篇", "第1篇"]
    editing.move_article(session, two, to=99, by=None)
    assert titles(session, issue) == ["第3篇", "第1篇", "第2篇"]
    assert [article.position for article in issue.articles] == [1, 2, 3]


def test_an_order_made_before_a_colleague_added_an_article_is_refused(session: Session) -> None:
    issue = make_issue(session, make_newsletter(session), articles=2)
    order = [article.id for article in reversed(issue.articles)]
    editing.add_article(session, issue, by=None, title="第3篇")
    with pytest.raises(RuleError, match="changed this"):
        editing.order_articles(session, issue, order=order, by=None)
    with pytest.raises(RuleError, match="changed this"):
        editing.order_articles(session, issue, order=[order[0], order[0], order[1]], by=None)
    assert titles(session, issue) == ["第1篇", "第2篇", "第3篇"]


def test_removing_an_article_closes_the_gap(session: Session) -> None:
    issue = make_issue(session, make_newsletter(session), articles=3)
    first = issue.articles[0]
    with pytest.raises(RuleError):
        editing.remove_article(session, first, revision=first.revision + 1, by=None)
    editing.remove_article(session, first, revision=first.revision, by=None)
    assert titles(session, issue) == ["第2篇", "第3篇"]
    assert [article.position for article in issue.articles] == [1, 2]
    with pytest.raises(NotFoundError):
        editing.get_article(session, first.id)


@pytest.mark.parametrize("act", ["masthead", "add", "change", "order", "remove"])
def test_any_change_takes_an_issue_out_of_review_in_the_open(session: Session, act: str) -> None:
    anna = make_account(session, "Anna")
    issue = make_issue(session, make_newsletter(session), by=anna)
    approval.submit(session, issue, by=anna)
    session.commit()
    article = issue.articles[0]
    if act == "masthead":
        editing.change_issue(session, issue, revision=issue.masthead_revision, by=anna, editor="李涛")
    elif act == "add":
        editing.add_article(session, issue, by=anna, title="新的")
    elif act == "change":
        editing.change_article(session, article, revision=article.revision, by=anna, title="改了")
    elif act == "order":
        editing.move_article(session, article, to=2, by=anna)
    else:
        editing.remove_article(session, article, revision=article.revision, by=anna)
    session.commit()
    assert issue.state == IssueState.DRAFT
    acts = session.scalars(select(Review.act).where(Review.issue_id == issue.id).order_by(Review.id)).all()
    assert acts == [ReviewAct.SUBMITTED, ReviewAct.CHANGED]
    with pytest.raises(RuleError, match="not waiting for approval"):
        approval.approve(session, issue, by=None)


def test_a_draft_is_thrown_away_with_all_that_belongs_to_it(session: Session) -> None:
    issue = make_issue(session, make_newsletter(session))
    approval.submit(session, issue, by=None)
    approval.withdraw(session, issue, by=None)
    session.commit()
    number = issue.id
    editing.delete_issue(session, issue, by=None)
    session.commit()
    with pytest.raises(NotFoundError):
        editing.get_issue(session, number)
    for table in ("articles", "reviews", "source_documents"):
        assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0


def test_an_issue_that_was_approved_is_not_thrown_away(session: Session) -> None:
    issue = make_issue(session, make_newsletter(session))
    approval.submit(session, issue, by=None)
    approval.approve(session, issue, by=None)
    session.commit()
    with pytest.raises(RuleError, match="it is kept"):
        editing.delete_issue(session, issue, by=None)


def test_gaps_and_repeats_in_the_numbering_are_remarked(session: Session) -> None:
    newsletter = make_newsletter(session)
    editing.create_issue(session, newsletter.id, by=None, year=2024, number="7")
    issue = editing.create_issue(session, newsletter.id, by=None, year=2024, number="9")
    assert [remark.params["number"] for remark in editing.numbering_remarks(session, issue)] == ["8"]
    editing.change_issue(session, issue, revision=1, by=None, number="7")
    assert [remark.message for remark in editing.numbering_remarks(session, issue)] == [
        "No. %(number)s of %(year)s exists already."
    ]


def test_every_change_is_in_the_audit_trail_by_name(session: Session) -> None:
    anna = make_account(session, "Anna")
    issue = make_issue(session, make_newsletter(session), by=anna, articles=1)
    editing.change_issue(session, issue, revision=issue.masthead_revision, by=anna, editor="李涛")
    session.commit()
    entries = session.execute(
        select(AuditEntry.action, AuditEntry.actor).where(AuditEntry.subject_type == "issue").order_by(AuditEntry.id)
    ).all()
    assert [tuple(entry) for entry in entries] == [
        ("issue.created", "Anna"),
        ("article.added", "Anna"),
        ("issue.changed", "Anna"),
    ]
