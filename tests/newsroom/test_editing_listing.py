import datetime as dt

from sqlalchemy.orm import Session

from mailer.newsletters import archive_newsletter
from mailer.newsroom import approval, editing
from mailer.newsroom.listing import PAGE_SIZE, count_issues, latest_issues, list_in_state, list_issues
from mailer.newsroom.rules import IssueState
from tests.newsroom.making import make_issue, make_newsletter

SENT = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def test_issues_come_newest_first_page_by_page_and_none_is_skipped(session: Session) -> None:
    newsletter = make_newsletter(session)
    made = [editing.create_issue(session, newsletter.id, by=None).id for _ in range(PAGE_SIZE + 3)]
    first, second = (list_issues(session, newsletter.id, page=page) for page in (1, 2))
    assert (len(first.lines), len(second.lines), first.total) == (PAGE_SIZE, 3, PAGE_SIZE + 3)
    assert (first.has_next, second.has_next) == (True, False)
    assert [line.issue.id for line in (*first.lines, *second.lines)] == made[::-1]
    assert list_issues(session, newsletter.id, page=99).page == 2
    assert list_issues(session, newsletter.id + 1, page=-1).lines == []


def test_the_date_on_the_issue_decides_where_it_stands(session: Session) -> None:
    newsletter = make_newsletter(session)
    old = editing.create_issue(session, newsletter.id, by=None, published_on=dt.date(2019, 1, 1))
    new = editing.create_issue(session, newsletter.id, by=None, published_on=dt.date(2020, 1, 1))
    assert [line.issue.id for line in list_issues(session, newsletter.id).lines] == [new.id, old.id]


def test_what_is_searched_for_is_no_pattern(session: Session) -> None:
    newsletter = make_newsletter(session)
    issue = make_issue(session, newsletter, articles=2)
    editing.change_issue(session, issue, revision=issue.masthead_revision, by=None, subject="增长 100%_实")
    for search, count in (("100%_", 1), ("%", 1), ("_", 1), ("\\", 0), ("0_实", 0), ("第2篇", 1), (" ", 1)):
        assert list_issues(session, newsletter.id, search=search).total == count, search
    assert [line.articles for line in list_issues(session, newsletter.id).lines] == [2]


def test_what_waits_is_listed_without_archived_newsletters(session: Session) -> None:
    here, gone = make_newsletter(session), make_newsletter(session, slug="gone")
    waiting = make_issue(session, here)
    for issue in (waiting, make_issue(session, gone)):
        approval.submit(session, issue, by=None)
    archive_newsletter(session, gone, at=SENT)
    assert list_in_state(session, IssueState.IN_REVIEW) == [(waiting, here)]
    assert list_in_state(session, IssueState.DRAFT) == []


def test_each_newsletter_shows_its_last_sent_issue(session: Session) -> None:
    newsletter = make_newsletter(session)
    first, second, _ = (make_issue(session, newsletter) for _ in range(3))
    first.first_sent_at, second.first_sent_at = SENT + dt.timedelta(days=1), SENT
    session.flush()
    assert latest_issues(session) == {newsletter.id: first}
    assert count_issues(session) == {newsletter.id: 3}
