"""Mending an imported issue: one act, kept, taken back with one click, and never over a colleague's head."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.auditing import AuditFilter, list_audit_entries
from mailer.errors import RuleError
from mailer.newsroom import approval, editing
from mailer.newsroom.import_report import Standing, look
from mailer.newsroom.importing import import_document
from mailer.newsroom.mending_issues import MendingAct, find_last_act, mend, undo
from mailer.newsroom.models import ArticleVersion, ImportReport, Issue
from mailer.newsroom.rules import IssueState
from tests.newsroom.making import make_account, make_newsletter
from tests.newsroom.test_importing import BULLETIN


@pytest.fixture
def issue(session: Session) -> Issue:
    newsletter = make_newsletter(session, title="云漓科技简报")
    made = import_document(session, newsletter.id, filename="4.txt", content=BULLETIN.encode(), by=None)
    session.commit()
    return made


def shown(issue: Issue) -> dict[int, int]:
    """What an editor who looks at the report now sees."""
    return {article.id: article.revision for article in issue.articles}


def content(issue: Issue) -> list[tuple[int, int, str, str, str, int | None, str]]:
    return [(a.id, a.position, a.title, a.section, a.source, a.page, a.body) for a in issue.articles]


def act(session: Session, issue: Issue, what: MendingAct, at: int, block: int = -1) -> None:
    mend(session, issue, what, issue.articles[at].id, shown=shown(issue), block=block, by=None)
    session.commit()
    session.expire_all()


def test_merging_gives_the_text_to_the_article_above(session: Session, issue: Issue) -> None:
    act(session, issue, MendingAct.MERGE, 1)
    assert [article.title for article in issue.articles] == ["云漓市启动中试基地建设"]
    body = issue.articles[0].body
    assert "<h3>北渚县推广节水灌溉新技术</h3><p>今年以来" in body
    report = session.get_one(ImportReport, issue.id)
    assert look(report, issue.articles).standing(Standing.GONE) == []
    assert [check.article is None for check in look(report, issue.articles).entries] == [False, True]


def test_splitting_makes_a_new_article_behind_this_one(session: Session, issue: Issue) -> None:
    act(session, issue, MendingAct.SPLIT, 0, 3)
    assert [(article.title, article.position) for article in issue.articles] == [
        ("云漓市启动中试基地建设", 1),
        ("二、进展", 2),
        ("北渚县推广节水灌溉新技术", 3),
    ]
    assert issue.articles[1].body.startswith("<p>设计招标已经完成")
    assert look(session.get_one(ImportReport, issue.id), issue.articles).unannounced == (issue.articles[1],)


@pytest.mark.parametrize(
    ("what", "at", "block"),
    [
        (MendingAct.MERGE, 1, -1),
        (MendingAct.DEMOTE, 1, -1),
        (MendingAct.DEMOTE, 0, -1),
        (MendingAct.SPLIT, 0, 1),
        (MendingAct.PROMOTE, 0, 1),
        (MendingAct.TOGGLE, 0, 1),
    ],
)
def test_every_act_is_taken_back_whole(session: Session, issue: Issue, what: MendingAct, at: int, block: int) -> None:
    before = content(issue)
    act(session, issue, what, at, block)
    assert content(issue) != before
    last = find_last_act(session, issue)
    assert last is not None
    assert (last.act, last.title) == (what, before[at][2])
    undo(session, issue, by=None)
    session.commit()
    session.expire_all()
    assert content(issue) == before
    assert find_last_act(session, issue) is None
    with pytest.raises(RuleError, match="nothing to take back"):
        undo(session, issue, by=None)


def test_several_acts_are_taken_back_one_after_the_other(session: Session, issue: Issue) -> None:
    states = [content(issue)]
    for what, at, block in (
        (MendingAct.SPLIT, 0, 1),
        (MendingAct.TOGGLE, 1, 1),
        (MendingAct.MERGE, 1, -1),
        (MendingAct.PROMOTE, 0, 0),
        (MendingAct.DEMOTE, 1, -1),
    ):
        act(session, issue, what, at, block)
        states.append(content(issue))
    for before in reversed(states[:-1]):
        undo(session, issue, by=None)
        session.commit()
        session.expire_all()
        assert content(issue) == before


def test_what_stood_there_stays_a_version(session: Session, issue: Issue) -> None:
    article = issue.articles[0]
    before = article.body
    act(session, issue, MendingAct.TOGGLE, 0, 1)
    bodies = session.scalars(select(ArticleVersion.body).where(ArticleVersion.article_id == article.id)).all()
    assert before in bodies
    assert article.body in bodies


def test_a_colleagues_change_meanwhile_is_not_overwritten(session: Session, issue: Issue) -> None:
    anna = make_account(session, "Anna")
    seen = shown(issue)
    editing.change_article(session, issue.articles[0], revision=1, by=anna, title="改了")
    session.commit()
    before = content(issue)
    for what, at, block in ((MendingAct.MERGE, 1, -1), (MendingAct.TOGGLE, 0, 1)):
        with pytest.raises(RuleError, match="Anna changed this"):
            mend(session, issue, what, issue.articles[at].id, shown=seen, block=block, by=None)
    # Another article is nobody's business.
    mend(session, issue, MendingAct.TOGGLE, issue.articles[1].id, shown=seen, block=0, by=None)
    assert content(issue)[0] == before[0]


def test_an_article_goes_only_to_the_neighbour_that_was_seen(session: Session, issue: Issue) -> None:
    editing.add_article(session, issue, by=None, title="丙")
    session.commit()
    seen = {key: revision for key, revision in shown(issue).items() if key != issue.articles[2].id}
    last = issue.articles[1]
    editing.move_article(session, issue.articles[2], to=1, by=None)
    editing.move_article(session, last, to=2, by=None)
    with pytest.raises(RuleError, match="changed this"):
        mend(session, issue, MendingAct.MERGE, last.id, shown=seen, by=None)


def test_an_act_is_not_taken_back_over_what_was_written_since(session: Session, issue: Issue) -> None:
    act(session, issue, MendingAct.MERGE, 1)
    article = issue.articles[0]
    editing.autosave_article(session, article, revision=article.revision, by=None, body="<p>新写的</p>")
    session.commit()
    with pytest.raises(RuleError, match="“云漓市启动中试基地建设” has been changed since"):
        undo(session, issue, by=None)
    session.rollback()
    assert article.body == "<p>新写的</p>"


def test_an_act_is_not_taken_back_when_its_article_was_brought_back_by_hand(session: Session, issue: Issue) -> None:
    from mailer.newsroom.restoring import bring_back
    from mailer.newsroom.versions import list_removed

    act(session, issue, MendingAct.MERGE, 1)
    bring_back(session, issue, list_removed(session, issue.id)[0][0], by=None)
    session.commit()
    with pytest.raises(RuleError, match="brought back since"):
        undo(session, issue, by=None)


def test_mending_withdraws_an_approval_in_the_open(session: Session, issue: Issue) -> None:
    approval.submit(session, issue, by=None)
    approval.approve(session, issue, by=None)
    session.commit()
    act(session, issue, MendingAct.TOGGLE, 0, 1)
    assert issue.state == IssueState.DRAFT
    # Submitted, approved, and withdrawn by this change.
    assert len(approval.list_reviews(session, issue.id)) == 3


def test_every_act_is_in_the_audit_trail(session: Session, issue: Issue) -> None:
    anna = make_account(session, "Anna")
    session.commit()
    mend(session, issue, MendingAct.MERGE, issue.articles[1].id, shown=shown(issue), by=anna)
    undo(session, issue, by=anna)
    session.commit()
    entries = [one for one in list_audit_entries(session, AuditFilter()) if one.action.startswith("issue.mend")]
    assert [(entry.action, entry.account_id) for entry in entries] == [
        ("issue.mending_undone", anna.id),
        ("issue.mended", anna.id),
    ]


def test_an_issue_imported_before_reports_were_kept_is_mended_too(session: Session, issue: Issue) -> None:
    session.delete(session.get_one(ImportReport, issue.id))
    session.commit()
    before = content(issue)
    act(session, issue, MendingAct.MERGE, 1)
    undo(session, issue, by=None)
    assert content(issue) == before
    assert len(session.get_one(ImportReport, issue.id).lines) > 10


def test_an_issue_that_was_begun_empty_has_nothing_to_mend(session: Session, issue: Issue) -> None:
    other = editing.create_issue(session, issue.newsletter_id, by=None)
    article = editing.add_article(session, other, by=None, title="甲", body="<p>乙</p>")
    with pytest.raises(RuleError, match="not imported"):
        mend(session, other, MendingAct.TOGGLE, article.id, shown={article.id: 1}, block=0, by=None)
    with pytest.raises(RuleError, match="not there any more"):
        mend(session, issue, MendingAct.TOGGLE, article.id, shown={article.id: 1}, block=0, by=None)
