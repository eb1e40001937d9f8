import datetime as dt

import pytest
from sqlalchemy.orm import Session

from mailer.errors import NotFoundError, RuleError
from mailer.newsletters import archive_newsletter
from mailer.newsroom import approval, archiving, editing, editions
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.models import Issue
from tests.newsroom.making import make_issue, make_newsletter

SENT = dt.datetime(2026, 3, 1, 2, tzinfo=dt.UTC)


def approve(session: Session, issue: Issue) -> Edition:
    approval.submit(session, issue, by=None)
    edition = approval.approve(session, issue, by=None)
    session.commit()
    return edition


def test_only_the_latest_edition_of_an_approved_issue_is_sendable(session: Session) -> None:
    issue = make_issue(session, make_newsletter(session))
    first = approve(session, issue)
    assert editions.get_sendable_edition(session, first.id) is first
    approval.withdraw(session, issue, by=None)
    session.commit()
    with pytest.raises(RuleError, match="withdrawn"):
        editions.get_sendable_edition(session, first.id)
    second = approve(session, issue)
    with pytest.raises(RuleError, match="later edition"):
        editions.get_sendable_edition(session, first.id)
    assert editions.get_sendable_edition(session, second.id) is second
    assert editions.latest_edition(session, issue.id) is second


def test_an_archived_newsletter_sends_nothing_more(session: Session) -> None:
    newsletter = make_newsletter(session)
    edition = approve(session, make_issue(session, newsletter))
    archive_newsletter(session, newsletter, at=SENT)
    with pytest.raises(RuleError, match="archived"):
        editions.get_sendable_edition(session, edition.id)


def test_an_edition_that_is_not_there_is_not_found(session: Session) -> None:
    with pytest.raises(NotFoundError):
        editions.get_edition(session, 1)
    assert editions.latest_edition(session, 1) is None


def test_the_archive_shows_nothing_before_the_first_sending(session: Session) -> None:
    newsletter = make_newsletter(session)
    issue = make_issue(session, newsletter)
    edition = approve(session, issue)
    with pytest.raises(NotFoundError):
        editions.get_published(session, newsletter.id, issue.id)
    assert editions.list_published(session, newsletter.id) == []
    archiving.mark_sent(session, edition.id, SENT)
    archiving.mark_sent(session, edition.id, SENT + dt.timedelta(days=1))
    session.commit()
    assert issue.first_sent_at == SENT
    assert editions.get_published(session, newsletter.id, issue.id) == (issue, edition)
    assert editions.list_published(session, newsletter.id) == [(issue, edition)]
    with pytest.raises(NotFoundError):
        editions.get_published(session, newsletter.id + 1, issue.id)


def test_the_archive_shows_what_was_approved_and_never_a_draft(session: Session) -> None:
    newsletter = make_newsletter(session)
    issue = make_issue(session, newsletter)
    first = approve(session, issue)
    archiving.mark_sent(session, first.id, SENT)
    gone, stays = issue.articles
    editing.change_article(session, stays, revision=stays.revision, by=None, title="还没有批准")
    session.commit()
    assert editions.get_published(session, newsletter.id, issue.id)[1] is first
    _, _, shown = editions.get_published_article(session, newsletter.id, issue.id, stays.id)
    assert shown.title == "第2篇"
    editing.remove_article(session, gone, revision=gone.revision, by=None)
    second = approve(session, issue)
    # Approved, and not released yet: nothing of it is seen, whichever way one comes.
    assert editions.get_published(session, newsletter.id, issue.id)[1] is first
    assert editions.list_published(session, newsletter.id) == [(issue, first)]
    _, edition, shown = editions.get_published_article(session, newsletter.id, issue.id, stays.id)
    assert (edition.id, shown.title) == (first.id, "第2篇")
    archiving.mark_sent(session, second.id, SENT + dt.timedelta(days=2))
    assert issue.first_sent_at == SENT
    _, edition, shown = editions.get_published_article(session, newsletter.id, issue.id, stays.id)
    assert (edition.id, shown.title) == (second.id, "还没有批准")


def test_an_article_that_left_a_later_edition_stays_readable(session: Session) -> None:
    newsletter = make_newsletter(session)
    issue = make_issue(session, newsletter)
    first = approve(session, issue)
    archiving.mark_sent(session, first.id, SENT)
    gone = issue.articles[0]
    editing.remove_article(session, gone, revision=gone.revision, by=None)
    archiving.mark_sent(session, approve(session, issue).id, SENT)
    _, edition, article = editions.get_published_article(session, newsletter.id, issue.id, gone.id)
    assert (edition.id, article.title) == (first.id, "第1篇")
    with pytest.raises(NotFoundError):
        editions.get_published_article(session, newsletter.id, issue.id, gone.id + 1000)


def test_the_archive_has_the_newest_issue_first(session: Session) -> None:
    newsletter = make_newsletter(session)
    issues = []
    for day in (dt.date(2024, 8, 1), dt.date(2024, 10, 1), dt.date(2024, 9, 1)):
        issue = make_issue(session, newsletter, articles=1)
        editing.change_issue(session, issue, revision=issue.masthead_revision, by=None, published_on=day)
        archiving.mark_sent(session, approve(session, issue).id, SENT)
        issues.append(issue)
    session.commit()
    shown = [issue.id for issue, _ in editions.list_published(session, newsletter.id)]
    assert shown == [issues[1].id, issues[2].id, issues[0].id]
