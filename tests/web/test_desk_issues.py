"""Newsletters, issues and articles at the desk, in a browser without script."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.accounts.rules import Role
from mailer.newsletters.models import Newsletter
from mailer.newsroom import editing
from mailer.newsroom.models import Article, Issue
from mailer.newsroom.rules import IssueState
from tests.newsroom.making import make_issue, make_newsletter
from tests.web.conftest import Page, Visitor

MakeAccount = Callable[..., Account]


@pytest.fixture
def newsletter(session: Session) -> Newsletter:
    made = make_newsletter(session)
    session.commit()
    return made


@pytest.fixture
def editor(app: Flask, make_account: MakeAccount) -> Visitor:
    """A browser in which an editor is signed in."""
    visitor = Visitor(app)
    visitor.sign_in(make_account("anna", Role.EDITOR))
    return visitor


@pytest.fixture
def issue(session: Session, newsletter: Newsletter) -> Issue:
    return make_issue(session, newsletter, articles=3)


def titles(session: Session, issue: Issue) -> list[str]:
    session.expire_all()
    return [article.title for article in issue.articles]


def test_nobody_enters_the_desk_unsigned(visitor: Visitor) -> None:
    assert visitor.get("/desk/newsletters").path == "/account/sign-in"


def test_an_admin_founds_a_newsletter_and_an_editor_may_not(
    session: Session, signed_in: Visitor, editor: Visitor
) -> None:
    page = signed_in.submit(
        "/desk/newsletters/new",
        {
            "slug": "keji",
            "title": "科技情报参考",
            "sender_name": "科技情报参考",
            "sender_address": "news@example.org",
            "tracking": "counts",
            "contact": "某路1号",
        },
    )
    assert page.status == 200
    assert page.heading == "科技情报参考"
    made = session.scalars(select(Newsletter)).one()
    assert (made.slug, made.tracking, made.is_four_eyes, made.language) == ("keji", "counts", True, "en")
    # The colour that the form showed is the theme's own: nothing was chosen.
    assert made.theme_options == {}
    assert editor.get("/desk/newsletters/new").status == 403
    assert editor.get(f"/desk/newsletters/{made.id}/settings").status == 403


def test_a_refused_newsletter_keeps_what_was_typed(
    session: Session, signed_in: Visitor, newsletter: Newsletter
) -> None:
    page = signed_in.submit(
        "/desk/newsletters/new", {"slug": newsletter.slug, "title": "另一份", "sender_address": "news@example.org"}
    )
    assert page.status == 422
    assert "is taken by another newsletter" in page.text
    assert page.tree.get_element_by_id("title").value == "另一份"
    session.expire_all()
    assert len(session.scalars(select(Newsletter)).all()) == 1


def test_settings_are_changed_by_an_admin(session: Session, signed_in: Visitor, newsletter: Newsletter) -> None:
    page = signed_in.submit(
        f"/desk/newsletters/{newsletter.id}/settings",
        {"time_zone": "Europe/Berlin", "colour": "#005500", "reply_to": "desk@example.org"},
        action=f"/desk/newsletters/{newsletter.id}/settings",
    )
    assert "Saved." in page.text
    session.expire_all()
    assert (newsletter.time_zone, newsletter.reply_to) == ("Europe/Berlin", "desk@example.org")
    assert newsletter.theme_options == {"colour": "#005500"}


def test_an_empty_issue_gets_the_next_number(session: Session, editor: Visitor, newsletter: Newsletter) -> None:
    editing.create_issue(session, newsletter.id, by=None, year=2020, number="7", total_number="41")
    session.commit()
    page = editor.submit(f"/desk/newsletters/{newsletter.id}", action=f"/desk/newsletters/{newsletter.id}/issues")
    assert "A new issue, with the next number" in page.text
    made = session.scalars(select(Issue).order_by(Issue.id.desc())).first()
    assert made is not None
    assert (made.number, made.total_number) == ("1", "42")


def test_issues_are_found_by_number_state_and_article(
    session: Session, editor: Visitor, newsletter: Newsletter
) -> None:
    issue = make_issue(session, newsletter, articles=1)
    other = editing.create_issue(session, newsletter.id, by=None, number="77", title="增刊")
    session.commit()
    here = f"/desk/newsletters/{newsletter.id}"
    for query, found in (("q=77", other), ("q=第1篇", issue), ("q=增刊", other)):
        links = editor.get(f"{here}?{query}").tree.xpath("//tbody//a/@href")
        assert links == [f"/desk/issues/{found.id}"], query
    assert "Nothing found" in editor.get(f"{here}?q=100%25").text
    assert "Nothing found" in editor.get(f"{here}?state=approved").text
    assert editor.get(f"{here}?state=nonsense").status == 404


def test_the_masthead_is_edited_and_checked(session: Session, editor: Visitor, issue: Issue) -> None:
    page = editor.submit(
        f"/desk/issues/{issue.id}/edit",
        {"editor": "李涛", "phone": "4366683", "published_on": "2024-09-20", "number": "9", "year": "2024"},
    )
    assert "Saved." in page.text
    session.expire_all()
    assert (issue.editor, issue.number, issue.year, str(issue.published_on)) == ("李涛", "9", 2024, "2024-09-20")
    page = editor.submit(f"/desk/issues/{issue.id}/edit", {"title": " ", "year": "20"})
    assert page.status == 422
    assert set(page.errors()) == {"title", "year"}


def test_a_conflict_keeps_what_was_typed_and_a_second_try_wins(session: Session, editor: Visitor, issue: Issue) -> None:
    address = f"/desk/issues/{issue.id}/edit"
    page = editor.get(address)
    fields = dict(page.tree.forms[-1].form_values())
    editing.change_issue(session, issue, revision=issue.masthead_revision, by=None, editor="王芳")
    session.commit()
    answer = editor.client.post(address, data=fields | {"editor": "李涛"}, headers=editor.headers)
    assert answer.status_code == 422
    assert "Somebody else changed this while you were working on it" in answer.text
    session.expire_all()
    assert issue.editor == "王芳"
    fields = dict(Page(answer).tree.xpath("//main//form")[-1].form_values())
    assert fields["editor"] == "李涛"
    assert editor.client.post(address, data=fields, headers=editor.headers).status_code == 302
    session.expire_all()
    assert issue.editor == "李涛"


def test_an_article_is_written_without_script(session: Session, editor: Visitor, issue: Issue) -> None:
    page = editor.submit(
        f"/desk/issues/{issue.id}/articles/new",
        {"title": "新的一篇", "text": "第一段。\n## 小标题\n<b>不是标记</b>", "page": "3", "source": "科技日报"},
    )
    assert "is added" in page.text
    article = session.scalars(select(Article).order_by(Article.id.desc())).first()
    assert article is not None
    assert article.body == "<p>第一段。</p><h3>小标题</h3><p>&lt;b&gt;不是标记&lt;/b&gt;</p>"
    assert (article.position, article.page, article.source) == (4, 3, "科技日报")


def test_what_plain_text_cannot_show_survives_a_save_without_script(
    session: Session, editor: Visitor, issue: Issue
) -> None:
    article = issue.articles[0]
    body = article.body
    assert "<a href" in body
    address = f"/desk/articles/{article.id}"
    page = editor.submit(address, {"title": "换个标题"}, action=address)
    assert "is saved" in page.text
    session.expire_all()
    assert (article.title, article.body) == ("换个标题", body)
    assert "plain field cannot show" in editor.get(f"/desk/articles/{article.id}").text


def test_the_editors_html_is_sanitised_before_it_is_stored_or_shown_again(
    session: Session, editor: Visitor, issue: Issue
) -> None:
    article = issue.articles[0]
    address = f"/desk/articles/{article.id}"
    evil = '<p onclick="x()">好<script>alert(1)</script><img src="x" onerror="y()"></p>'
    page = editor.submit(address, {"body": evil, "title": ""}, action=address)
    assert page.status == 422
    assert page.tree.xpath("//input[@data-editor-body]/@value") == ["<p>好</p>"]
    editor.submit(address, {"body": evil}, action=address)
    session.expire_all()
    assert article.body == "<p>好</p>"


def test_articles_are_moved_with_buttons(session: Session, editor: Visitor, issue: Issue) -> None:
    first = issue.articles[0]
    editor.submit(f"/desk/issues/{issue.id}", {"to": "2"}, action=f"/desk/articles/{first.id}/move")
    assert titles(session, issue) == ["第2篇", "第1篇", "第3篇"]


def test_articles_are_reordered_as_dragging_does_it(session: Session, editor: Visitor, issue: Issue) -> None:
    order = ",".join(str(article.id) for article in reversed(issue.articles))
    here = f"/desk/issues/{issue.id}"
    editor.submit(here, {"order": order}, action=f"{here}/order")
    assert titles(session, issue) == ["第3篇", "第2篇", "第1篇"]
    assert editor.submit(here, {"order": "1,x"}, action=f"{here}/order").status == 400
    page = editor.submit(here, {"order": "1"}, action=f"{here}/order")
    assert "Nothing of yours has been saved yet" in page.text


def test_removing_an_article_asks_first(session: Session, editor: Visitor, issue: Issue) -> None:
    first = issue.articles[0].id
    assert "Remove this article?" in editor.get(f"/desk/articles/{first}/remove").heading
    assert len(titles(session, issue)) == 3
    editor.submit(f"/desk/articles/{first}/remove")
    assert titles(session, issue) == ["第2篇", "第3篇"]
    assert editor.get(f"/desk/articles/{first}").status == 404


def test_a_draft_can_be_deleted(session: Session, editor: Visitor, issue: Issue) -> None:
    page = editor.submit(f"/desk/issues/{issue.id}", action=f"/desk/issues/{issue.id}/delete")
    assert "The issue is deleted." in page.text
    assert editor.get(f"/desk/issues/{issue.id}").status == 404


def test_an_approver_reads_but_does_not_write(
    session: Session, app: Flask, make_account: MakeAccount, issue: Issue
) -> None:
    visitor = Visitor(app)
    visitor.sign_in(make_account("bao", Role.APPROVER))
    page = visitor.get(f"/desk/issues/{issue.id}")
    assert page.status == 200
    words = "contains(@href, '/articles/') and not(contains(@href, '/comments'))"
    assert not page.tree.xpath(f"//a[contains(@href, '/edit') or {words}]")
    token = page.tree.xpath("//input[@name='csrf_token']/@value")[0]
    for address in (
        f"/desk/issues/{issue.id}/edit",
        f"/desk/issues/{issue.id}/articles/new",
        f"/desk/issues/{issue.id}/order",
        f"/desk/issues/{issue.id}/delete",
        f"/desk/issues/{issue.id}/submit",
        f"/desk/articles/{issue.articles[0].id}",
        f"/desk/articles/{issue.articles[0].id}/remove",
        f"/desk/articles/{issue.articles[0].id}/move",
    ):
        assert visitor.client.post(address, data={"csrf_token": token}).status_code == 403, address
    session.expire_all()
    assert issue.state == IssueState.DRAFT


def test_no_form_is_taken_without_its_token(session: Session, editor: Visitor, issue: Issue) -> None:
    answer = editor.client.post(f"/desk/issues/{issue.id}/delete")
    assert answer.status_code == 400
    session.expire_all()
    assert session.get(Issue, issue.id) is not None


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_pages_of_the_desk_stand_in_both_languages(
    app: Flask, make_account: MakeAccount, session: Session, issue: Issue, language: str
) -> None:
    visitor = Visitor(app, language=language)
    visitor.sign_in(make_account("anna", *Role, locale=language.replace("-", "_")))
    article = issue.articles[0].id
    for address in (
        "/desk/",
        "/desk/newsletters",
        "/desk/newsletters/new",
        f"/desk/newsletters/{issue.newsletter_id}",
        f"/desk/newsletters/{issue.newsletter_id}/settings",
        f"/desk/newsletters/{issue.newsletter_id}/upload",
        f"/desk/issues/{issue.id}",
        f"/desk/issues/{issue.id}/edit",
        f"/desk/issues/{issue.id}/preview",
        f"/desk/issues/{issue.id}/preview?view=text",
        f"/desk/issues/{issue.id}/articles/new",
        f"/desk/articles/{article}",
        f"/desk/articles/{article}/remove",
    ):
        page = visitor.get(address)
        assert page.status == 200, address
        assert page.tree.get("lang").startswith(language[:2]), address
