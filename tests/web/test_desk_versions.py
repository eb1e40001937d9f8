"""Saving by itself, versions side by side, restoring, and bringing back what was removed."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.accounts.rules import Role
from mailer.newsroom import approval, editing
from mailer.newsroom.models import Article, Issue
from mailer.newsroom.versions import list_versions
from tests.newsroom.making import make_issue, make_newsletter
from tests.web.conftest import Visitor


@pytest.fixture
def editor(app: Flask, make_account: Callable[..., Account]) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in(make_account("anna", Role.EDITOR))
    return visitor


@pytest.fixture
def issue(session: Session) -> Issue:
    return make_issue(session, make_newsletter(session))


def autosave(visitor: Visitor, address: str, page: str, **values: object) -> tuple[int, dict[str, object]]:
    token = visitor.get(page).tree.xpath("//main//input[@name='csrf_token']/@value")[0]
    data = {"csrf_token": token, "title": "第1篇", **values}
    answer = visitor.client.post(address, data=data, headers=visitor.headers)
    return answer.status_code, answer.get_json()


def test_what_is_typed_is_saved_by_itself_cleaned(session: Session, editor: Visitor, issue: Issue) -> None:
    article = issue.articles[0]
    page = f"/desk/articles/{article.id}"
    body = "<p onclick='x()'>正在写<script>alert(1)</script></p>"
    assert autosave(editor, f"{page}/autosave", page, revision=1, body=body) == (200, {"revision": 2})
    session.expire_all()
    assert article.body == "<p>正在写</p>"
    status, said = autosave(editor, f"{page}/autosave", page, revision=1, body="<p>旧窗口</p>")
    assert (status, said["is_over"]) == (422, True)
    assert "Anna changed this" in str(said["message"])
    status, said = autosave(editor, f"{page}/autosave", page, revision=2, title="")
    assert (status, "is_over" in said) == (422, False)


def test_nothing_is_saved_by_itself_that_was_submitted(session: Session, editor: Visitor, issue: Issue) -> None:
    approval.submit(session, issue, by=None)
    session.commit()
    page = f"/desk/articles/{issue.articles[0].id}"
    assert "data-autosave=" not in editor.get(page).response.get_data(as_text=True)
    status, said = autosave(editor, f"{page}/autosave", page, revision=1, body="<p>x</p>")
    assert (status, said["is_over"]) == (422, True)
    assert "in review" in str(said["message"])
    session.expire_all()
    assert issue.state == "in_review"


def test_a_new_article_saves_itself_and_goes_on_at_its_own_address(
    session: Session, editor: Visitor, issue: Issue
) -> None:
    page = f"/desk/issues/{issue.id}/articles/new"
    address = f"/desk/issues/{issue.id}/articles/autosave"
    status, said = autosave(editor, address, page, title="", body="<p>开头</p>")
    assert status == 200
    made = session.get_one(Article, int(str(said["page"]).rpartition("/")[2]))
    assert (made.title, made.body, said["autosave"]) == ("Untitled", "<p>开头</p>", f"{said['page']}/autosave")


def test_two_versions_are_compared_and_the_older_one_restored(session: Session, editor: Visitor, issue: Issue) -> None:
    article = issue.articles[0]
    before = article.body
    editing.change_article(session, article, revision=1, by=None, title="新题目", body="<p>第1篇的内容。</p>")
    session.commit()
    page = editor.get(f"/desk/articles/{article.id}/versions")
    # What is marked: the words that went, and those that came.
    assert "正文" in "".join(page.tree.xpath("//main//del/text()"))
    assert "内容" in "".join(page.tree.xpath("//main//ins/text()"))
    restored = editor.submit(page.path, action=f"/desk/articles/{article.id}/restore")
    assert "Restored" in restored.text
    session.expire_all()
    assert (article.title, article.body) == ("第1篇", before)


def test_a_version_of_another_article_is_not_shown(session: Session, editor: Visitor, issue: Issue) -> None:
    other = list_versions(session, issue.articles[1].id)[0][0].id
    assert editor.get(f"/desk/articles/{issue.articles[0].id}/versions?old={other}").status == 404
    assert editor.get(f"/desk/articles/{issue.articles[0].id}/versions?old=99999").status == 404


def test_a_removed_article_is_brought_back_from_the_issues_page(
    session: Session, editor: Visitor, issue: Issue
) -> None:
    article = issue.articles[0]
    editor.submit(f"/desk/articles/{article.id}/remove")
    page = editor.get(f"/desk/issues/{issue.id}")
    assert "1 article was taken out" in page.text
    action = page.tree.xpath("//form[contains(@action, '/back')]/@action")[0]
    page = editor.submit(page.path, action=action)
    assert "“第1篇” is back" in page.text
    session.expire_all()
    assert [one.title for one in issue.articles] == ["第1篇", "第2篇"]
