import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.errors import RuleError
from mailer.newsroom import approval, editing, restoring
from mailer.newsroom.models import Article, ArticleVersion, Issue
from mailer.newsroom.rules import IssueState
from mailer.newsroom.versions import Mark, VersionKind, get_version, list_removed, list_versions, thin
from tests.newsroom.making import make_account, make_issue, make_newsletter

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def issue(session: Session) -> Issue:
    return make_issue(session, make_newsletter(session), articles=3)


def kinds(session: Session, article_id: int) -> list[str]:
    return [version.kind for version, _ in list_versions(session, article_id)]


def test_every_saved_state_is_kept_with_who_saved_it(session: Session, issue: Issue) -> None:
    anna = make_account(session, "Anna")
    article = issue.articles[0]
    editing.change_article(session, article, revision=1, by=anna, body="<p>新的正文。</p>")
    versions = list_versions(session, article.id)
    assert [(version.kind, name) for version, name in versions] == [("saved", "Anna"), ("saved", None)]
    assert get_version(session, versions[0][0].id).body == article.body == "<p>新的正文。</p>"
    editing.change_article(session, article, revision=2, by=anna, body="<p>新的正文。</p>")
    assert len(list_versions(session, article.id)) == 2


def test_an_earlier_version_comes_back_and_the_later_one_stays_a_version(session: Session, issue: Issue) -> None:
    article = issue.articles[0]
    first = get_version(session, list_versions(session, article.id)[0][0].id)
    editing.change_article(session, article, revision=1, by=None, title="改过的", body="<p>改过的。</p>")
    restoring.restore(session, article, first, revision=article.revision, by=None)
    assert (article.title, article.body) == ("第1篇", first.body)
    assert kinds(session, article.id) == ["restored", "saved", "saved"]
    with pytest.raises(RuleError, match="else changed this"):
        restoring.restore(session, article, first, revision=1, by=None)
    with pytest.raises(RuleError, match="another article"):
        restoring.restore(session, issue.articles[1], first, revision=1, by=None)


def test_what_was_taken_out_comes_back_to_its_place_under_its_address(session: Session, issue: Issue) -> None:
    removed = issue.articles[1]
    number, body = removed.id, removed.body
    editing.remove_article(session, removed, revision=1, by=None)
    session.commit()
    ((version, _),) = list_removed(session, issue.id)
    assert version.title == "第2篇"
    back = restoring.bring_back(session, issue, version, by=None)
    session.commit()
    session.expire_all()
    assert [article.title for article in issue.articles] == ["第1篇", "第2篇", "第3篇"]
    assert (back.id, back.body) == (number, body)
    assert list_removed(session, issue.id) == []
    with pytest.raises(RuleError, match="already"):
        restoring.bring_back(session, issue, version, by=None)


def test_bringing_back_withdraws_an_approval_like_any_change(session: Session, issue: Issue) -> None:
    editing.remove_article(session, issue.articles[1], revision=1, by=None)
    approval.submit(session, issue, by=None)
    approval.approve(session, issue, by=None)
    ((version, _),) = list_removed(session, issue.id)
    restoring.bring_back(session, issue, version, by=None)
    assert issue.state == IssueState.DRAFT


def test_typing_is_saved_only_in_a_draft(session: Session, issue: Issue) -> None:
    article = issue.articles[0]
    editing.autosave_article(session, article, revision=1, by=None, body="<p>正在写</p>")
    assert kinds(session, article.id) == ["autosaved", "saved"]
    approval.submit(session, issue, by=None)
    with pytest.raises(RuleError, match="in review or approved"):
        editing.autosave_article(session, article, revision=2, by=None, body="<p>还在写</p>")
    assert (issue.state, article.body) == (IssueState.IN_REVIEW, "<p>正在写</p>")


def test_a_stale_window_does_not_save_over_a_colleague(session: Session, issue: Issue) -> None:
    article = issue.articles[0]
    editing.change_article(session, article, revision=1, by=make_account(session, "Anna"), body="<p>安娜的</p>")
    with pytest.raises(RuleError, match="changed this while"):
        editing.autosave_article(session, article, revision=1, by=None, body="<p>旧窗口</p>")
    assert article.body == "<p>安娜的</p>"


def test_typing_for_long_leaves_few_versions(session: Session, issue: Issue) -> None:
    article = issue.articles[0]
    for number in range(12):
        editing.autosave_article(session, article, revision=number + 1, by=None, body=f"<p>第{number}稿</p>")
        session.commit()
    left = session.scalars(select(ArticleVersion).where(ArticleVersion.article_id == article.id)).all()
    # Twelve within seconds fall into one stretch of two minutes, or two where its edge lies between.
    assert len(left) <= 3
    assert {version.body for version in left} >= {article.body}


def test_a_deleted_issue_takes_its_versions_along(session: Session, issue: Issue) -> None:
    editing.delete_issue(session, issue, by=None)
    session.commit()
    assert session.scalars(select(ArticleVersion)).all() == []
    assert session.scalars(select(Article)).all() == []


@given(st.lists(st.tuples(st.integers(0, 3_000_000), st.sampled_from(list(VersionKind))), max_size=60))
def test_thinning_drops_only_what_saved_itself_and_never_the_newest(past: list[tuple[int, VersionKind]]) -> None:
    marks = [
        Mark(number, NOON - dt.timedelta(seconds=seconds), kind)
        for number, (seconds, kind) in enumerate(sorted(past, reverse=True))
    ]
    dropped = set(thin(marks, NOON))
    assert all(mark.kind == VersionKind.AUTOSAVED for mark in marks if mark.id in dropped)
    if marks:
        assert not {marks[0].id, marks[-1].id} & dropped
    left = [mark for mark in marks if mark.id not in dropped]
    assert thin(left, NOON) == []
