"""The editor saves by itself, takes pictures and personal slots; versions side by side; rules and comments."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.newsroom import commenting, editing
from mailer.newsroom.models import Issue, Picture
from tests.browser.test_desk import Look, NewContext, enter, house
from tests.newsroom.making import make_issue
from tests.newsroom.test_pictures import encoded, photo

__all__ = ["house"]
pytestmark = pytest.mark.browser


@pytest.fixture
def issue(house: None, session: Session) -> Issue:
    from mailer.newsletters import get_newsletter

    return make_issue(session, get_newsletter(session, 1))


def saved(session: Session, issue: Issue) -> str:
    session.expire_all()
    return issue.articles[0].body


def test_what_is_typed_is_saved_by_itself(session: Session, issue: Issue, new_context: NewContext) -> None:
    anna = enter(new_context, "anna", "zh-CN")
    anna.goto(f"/desk/articles/{issue.articles[0].id}")
    anna.locator(".ProseMirror").click()
    anna.keyboard.press("Control+End")
    anna.keyboard.type("新写的一句。")
    expect(anna.locator("[data-autosave-status]")).to_contain_text("已保存", timeout=15_000)
    assert "新写的一句。" in saved(session, issue)
    # Nothing typed is unsaved: leaving asks nothing. And what follows is saved with the new revision.
    anna.keyboard.type("又一句。")
    anna.locator("button[name=stay]").click()
    expect(anna.locator("[data-autosave-status]")).to_be_empty()
    assert "又一句。" in saved(session, issue)
    # A colleague saves; the window says so and saves no more by itself.
    article = issue.articles[0]
    editing.change_article(session, article, revision=article.revision, by=None, title="同事改的")
    session.commit()
    anna.locator(".ProseMirror").click()
    anna.keyboard.type("冲突")
    expect(anna.locator("[data-autosave-status]")).to_contain_text("他人已改动", timeout=15_000)
    assert "冲突" not in saved(session, issue)


def test_a_new_article_gets_its_own_address_while_it_is_written(
    session: Session, issue: Issue, new_context: NewContext
) -> None:
    anna = enter(new_context, "anna", "zh-CN")
    anna.goto(f"/desk/issues/{issue.id}/articles/new")
    anna.locator("input[name=title]").fill("正在写的新文章")
    anna.locator(".ProseMirror").click()
    anna.keyboard.type("开头。")
    expect(anna).to_have_url(re.compile(r"/desk/articles/\d+$"), timeout=15_000)
    anna.locator("main form button[type=submit]").first.click()
    expect(anna).to_have_url(re.compile(rf"/desk/issues/{issue.id}"))
    session.expire_all()
    assert [article.title for article in issue.articles] == ["第1篇", "第2篇", "正在写的新文章"]


def test_pictures_and_slots_go_into_the_text(
    session: Session, issue: Issue, new_context: NewContext, look: Look, tmp_path: Path, language: str
) -> None:
    file = tmp_path / "plan.jpg"
    file.write_bytes(encoded(photo(900, 400), "JPEG"))
    anna = enter(new_context, "anna", language)
    anna.goto(f"/desk/articles/{issue.articles[0].id}")
    anna.locator(".ProseMirror").click()
    anna.keyboard.press("Control+Home")
    anna.locator("[data-slots]").select_option("name")
    expect(anna.locator(".slot-chip")).to_have_text("{{ name }}")
    anna.locator("[data-command=picture]").click()
    anna.locator("#picture-file").set_input_files(file)
    anna.locator("[data-picture-put]").click()
    expect(anna.locator("[data-picture-problem]")).to_be_visible()
    look(anna, "picture")
    anna.locator("#picture-alt").fill("效果图")
    anna.locator("[data-picture-put]").click()
    expect(anna.locator(".ProseMirror img[alt=效果图]")).to_be_visible()
    look(anna, "written")
    anna.locator("main form button[type=submit]").first.click()
    expect(anna).to_have_url(re.compile(r"/desk/issues/"))
    name = session.scalars(select(Picture.name)).one()
    body = saved(session, issue)
    assert "{{ name }}" in body
    assert f'/media/{name}" alt="效果图" width="560"' in body
    assert "<span" not in body
    anna.goto(f"/desk/articles/{issue.articles[0].id}")
    expect(anna.locator(".slot-chip")).to_have_text("{{ name }}")


def test_versions_comments_rules_and_deputies_can_be_read_everywhere(
    session: Session, issue: Issue, new_context: NewContext, look: Look, language: str
) -> None:
    from mailer.accounts import find_account_by_email

    bao = find_account_by_email(session, "bao@example.org")
    assert bao is not None
    article = issue.articles[0]
    body = "<p>3月12日，第1篇的内容。</p><p>新增加的一段话，说明情况。</p>"
    editing.change_article(session, article, revision=1, by=bao, title="新的题目", body=body)
    commenting.say(session, issue, "数字与原文不符，请核对。", by=bao, article=article)
    editing.remove_article(session, issue.articles[1], revision=1, by=bao)
    session.commit()
    chen = enter(new_context, "chen", language)
    for address, name in (
        (f"/desk/articles/{article.id}/versions", "versions"),
        (f"/desk/articles/{article.id}/comments", "comments"),
        (f"/desk/issues/{issue.id}/history", "history"),
        (f"/desk/issues/{issue.id}/preflight", "preflight"),
        ("/desk/newsletters/1/rules", "rules"),
        ("/desk/deputies", "deputies"),
    ):
        chen.goto(address)
        look(chen, name)
    anna = enter(new_context, "anna", language)
    anna.goto(f"/desk/issues/{issue.id}")
    anna.locator("details summary").first.click()
    look(anna, "removed")
