import threading

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from mailer import links
from mailer.db import new_session
from mailer.errors import CompositionError, RuleError
from mailer.newsletters import change_newsletter
from mailer.newsroom import approval, editing
from mailer.newsroom.compiling import compile_issue
from mailer.newsroom.edition_models import Edition, EditionArticle, EditionLink
from mailer.newsroom.editions import list_editions, untracked_html
from mailer.newsroom.models import Issue, Review
from mailer.newsroom.rules import IssueState
from mailer.press.slots import READER_SLOT
from tests.newsroom.making import make_account, make_issue, make_newsletter


def approved(session: Session, **values: object) -> tuple[Issue, Edition]:
    issue = make_issue(session, make_newsletter(session, **values))
    approval.submit(session, issue, by=None)
    edition = approval.approve(session, issue, by=None)
    session.commit()
    return issue, edition


def test_what_was_submitted_is_what_is_approved(session: Session) -> None:
    anna, bao = make_account(session, "Anna"), make_account(session, "Bao", "approver")
    issue = make_issue(session, make_newsletter(session), by=anna)
    preview = compile_issue(session, issue)
    submitted = approval.submit(session, issue, by=anna, note="请审")
    assert (issue.state, issue.submitted_by) == (IssueState.IN_REVIEW, anna.id)
    edition = approval.approve(session, issue, by=bao, revision=issue.revision)
    session.commit()
    assert (issue.state, edition.ordinal) == (IssueState.APPROVED, 1)
    assert issue.approved_at is not None
    assert edition.content_hash == submitted.content_hash == preview.content_hash
    assert edition.subject == preview.subject
    history = [(review.act, name, review.note) for review, name, _ in approval.list_reviews(session, issue.id)]
    assert history == [("approved", "Bao", ""), ("submitted", "Anna", "请审")]


def test_every_link_of_an_edition_carries_its_number_and_leads_only_where_it_is_registered(session: Session) -> None:
    issue, edition = approved(session)
    assert edition.links
    for link in edition.links:
        target = links.LinkTarget(edition.id, link.ordinal, link.url)
        assert links.click_url(target, READER_SLOT) in edition.html
    assert links.pixel_url(READER_SLOT) in edition.html
    articles = {article.id for article in issue.articles}
    assert {link.article_id for link in edition.links if link.article_id is not None} == articles


def test_an_untracked_newsletter_has_plain_links_and_no_pixel(session: Session) -> None:
    _, edition = approved(session, tracking="off")
    assert links.absolute("/c/") not in edition.html
    assert links.absolute("/o/") not in edition.html
    assert "https://example.com/1" in edition.html


def test_a_look_at_an_edition_counts_nothing(session: Session) -> None:
    _, edition = approved(session)
    html = untracked_html(edition)
    assert links.absolute("/c/") not in html
    assert links.absolute("/o/") not in html
    assert "https://example.com/1" in html


def test_masthead_and_articles_are_frozen_with_the_edition(session: Session) -> None:
    issue, edition = approved(session)
    first = issue.articles[0]
    editing.change_article(session, first, revision=first.revision, by=None, title="后来改的")
    editing.change_issue(session, issue, revision=issue.masthead_revision, by=None, title="后来改的")
    session.commit()
    session.expire_all()
    assert edition.masthead["title"] == "科技情报参考"
    assert [article.title for article in edition.articles] == ["第1篇", "第2篇"]
    assert "后来改的" not in edition.html


def test_who_submitted_does_not_approve_unless_the_newsletter_says_so(session: Session) -> None:
    anna = make_account(session, "Anna", "editor", "approver")
    newsletter = make_newsletter(session)
    issue = make_issue(session, newsletter, by=anna)
    approval.submit(session, issue, by=anna)
    with pytest.raises(RuleError, match="another pair of eyes"):
        approval.approve(session, issue, by=anna)
    change_newsletter(session, newsletter, is_four_eyes=False)
    approval.approve(session, issue, by=anna)
    assert issue.state == IssueState.APPROVED


def test_an_approver_approves_what_they_looked_at(session: Session) -> None:
    anna, bao = make_account(session, "Anna"), make_account(session, "Bao", "approver")
    issue = make_issue(session, make_newsletter(session), by=anna)
    approval.submit(session, issue, by=anna)
    looked_at = issue.revision
    editing.change_issue(session, issue, revision=issue.masthead_revision, by=anna, editor="李涛")
    approval.submit(session, issue, by=anna)
    session.commit()
    with pytest.raises(RuleError, match="has changed since you opened it"):
        approval.approve(session, issue, by=bao, revision=looked_at)


def test_a_newsletter_changed_after_submission_does_not_slip_through(session: Session) -> None:
    newsletter = make_newsletter(session)
    issue = make_issue(session, newsletter)
    approval.submit(session, issue, by=None)
    change_newsletter(session, newsletter, contact="另一个地址")
    with pytest.raises(RuleError, match="would differ from what was submitted"):
        approval.approve(session, issue, by=None)
    session.rollback()
    assert list_editions(session, issue.id) == []


def test_what_cannot_be_compiled_is_not_submitted(session: Session) -> None:
    issue = make_issue(session, make_newsletter(session), articles=0)
    with pytest.raises(CompositionError):
        approval.submit(session, issue, by=None)
    session.rollback()
    assert issue.state == IssueState.DRAFT


def test_an_issue_comes_back_with_a_reason(session: Session) -> None:
    bao = make_account(session, "Bao", "approver")
    issue = make_issue(session, make_newsletter(session))
    approval.submit(session, issue, by=None)
    with pytest.raises(RuleError, match="Say what should be changed"):
        approval.return_(session, issue, by=bao, note=" ")
    review = approval.return_(session, issue, by=bao, note=" 第2篇缺来源 ")
    assert (issue.state, review.note, review.account_id) == (IssueState.DRAFT, "第2篇缺来源", bao.id)


def test_an_approval_can_be_taken_back_and_the_next_one_makes_a_new_edition(session: Session) -> None:
    issue, first = approved(session)
    approval.withdraw(session, issue, by=None, note="错字")
    assert issue.state == IssueState.DRAFT
    article = issue.articles[0]
    editing.change_article(session, article, revision=article.revision, by=None, title="改正了")
    approval.submit(session, issue, by=None)
    second = approval.approve(session, issue, by=None)
    session.commit()
    assert (first.ordinal, second.ordinal) == (1, 2)
    assert first.content_hash != second.content_hash
    assert [edition.id for edition in list_editions(session, issue.id)] == [first.id, second.id]


@pytest.mark.parametrize("table", [Edition, EditionLink, EditionArticle, Review])
def test_the_database_itself_refuses_to_change_what_was_approved(session: Session, table: type) -> None:
    approved(session)
    column = {"editions": "html", "edition_links": "url", "edition_articles": "body", "reviews": "note"}
    with pytest.raises(DatabaseError, match="append-only"):
        session.execute(update(table).values({column[table.__tablename__]: "x"}))


def test_the_database_itself_refuses_to_delete_an_edition(session: Session) -> None:
    approved(session)
    with pytest.raises(DatabaseError, match="append-only"):
        session.execute(text("DELETE FROM editions"))


def test_two_approvers_at_the_same_moment_make_one_edition(session: Session) -> None:
    issue = make_issue(session, make_newsletter(session))
    approval.submit(session, issue, by=None)
    session.commit()
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def decide() -> None:
        mine = new_session()
        try:
            same = editing.get_issue(mine, issue.id)
            start.wait(10)
            approval.approve(mine, same, by=None)
            mine.commit()
            outcomes.append("approved")
        except RuleError:
            outcomes.append("refused")
        finally:
            mine.close()

    threads = [threading.Thread(target=decide) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["approved", "refused"]
    assert session.scalars(select(Edition.ordinal)).all() == [1]
