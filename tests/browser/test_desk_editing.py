"""The editor saves by itself, takes pictures and personal slots; versions side by side; rules and comments."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.newsletters import create_list
from mailer.newsletters.models import Newsletter
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


def test_saving_while_it_saves_itself_meets_no_conflict(
    session: Session, issue: Issue, new_context: NewContext
) -> None:
    anna = enter(new_context, "anna", "zh-CN")
    anna.goto(f"/desk/articles/{issue.articles[0].id}")

    def save_meanwhile(route: Route) -> None:
        # The server has saved it already, and the browser does not know when the button is pressed.
        answer = route.fetch()
        anna.evaluate("document.querySelector('main form button[type=submit]').click()")
        route.fulfill(response=answer)

    anna.route("**/autosave", save_meanwhile, times=1)
    anna.locator(".ProseMirror").click()
    anna.keyboard.press("Control+End")
    anna.keyboard.type("自己存的。")
    expect(anna).to_have_url(re.compile(rf"/desk/issues/{issue.id}(#|$)"), timeout=30_000)
    assert "自己存的。" in saved(session, issue)


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
    anna.locator("[data-slot-put]").click()
    expect(anna.locator(".slot-chip .slot-fallback")).to_have_text("读者")
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
    assert "{{ name|读者 }}" in body
    assert f'/media/{name}" alt="效果图" width="560"' in body
    assert "<span" not in body
    anna.goto(f"/desk/articles/{issue.articles[0].id}")
    expect(anna.locator(".slot-chip .slot-fallback")).to_have_text("读者")


def test_a_personal_field_is_a_chip_whose_fallback_can_be_changed(
    session: Session, issue: Issue, new_context: NewContext, look: Look, language: str
) -> None:
    newsletter = session.get_one(Newsletter, issue.newsletter_id)
    asked = [{"key": "department", "label": "所在单位"}]
    create_list(session, newsletter, slug="asked", name="登记", required_attributes=asked)
    session.commit()
    anna = enter(new_context, "anna", language)
    anna.goto(f"/desk/articles/{issue.articles[0].id}")
    anna.locator(".ProseMirror").click()
    anna.keyboard.press("Control+Home")
    menu, dialog, fallback = (
        anna.locator("[data-slots]"),
        anna.locator("[data-slot-dialog]"),
        anna.locator("#slot-fallback"),
    )
    menu.select_option("department")
    expect(dialog.locator("[data-slot-title]")).to_have_text("所在单位")
    expect(fallback).to_have_value("")
    look(anna, "slot-dialog")
    # What would end or part the field is left out of it.
    fallback.fill("贵{单}|位")
    fallback.press("Enter")
    expect(dialog).to_be_hidden()
    # The caret comes back with the next frame; what is typed before goes nowhere.
    expect(anna.locator(".ProseMirror")).to_be_focused()
    chip = anna.locator(".slot-chip")
    expect(chip.locator(".slot-name")).to_have_text("所在单位")
    expect(chip.locator(".slot-fallback")).to_have_text("贵单位")
    # Typed by hand, a field of the newsletter becomes a chip; what is none stays words.
    anna.keyboard.type("的{{ name|朋友 }}您好，{{ salary }}。")
    expect(chip).to_have_count(2)
    look(anna, "slot-chips")
    # By mouse: another fallback.
    chip.nth(1).click()
    expect(fallback).to_have_value("朋友")
    fallback.fill("同志")
    anna.locator("[data-slot-put]").click()
    expect(chip.nth(1).locator(".slot-fallback")).to_have_text("同志")
    expect(anna.locator(".ProseMirror")).to_be_focused()
    # By keyboard: the chip before the caret is chosen, and opened.
    anna.keyboard.press("ArrowLeft")
    anna.keyboard.press("Enter")
    expect(fallback).to_have_value("同志")
    anna.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    anna.locator("main form button[type=submit]").first.click()
    expect(anna).to_have_url(re.compile(r"/desk/issues/"))
    body = saved(session, issue)
    assert "{{ department|贵单位 }}的{{ name|同志 }}您好，{{ salary }}。" in body
    assert "<span" not in body
    # The pre-flight names what is no field; the preview shows what stands there for a reader who has told nothing.
    findings = anna.locator("#findings").locator("xpath=ancestor::section")
    expect(findings).to_contain_text("{{ salary }}")
    anna.goto(f"/desk/issues/{issue.id}/preview")
    expect(anna.frame_locator("iframe").first.locator("body")).to_contain_text("贵单位的同志您好，{{ salary }}")
    # Taken out again.
    anna.goto(f"/desk/articles/{issue.articles[0].id}")
    expect(chip).to_have_count(2)
    chip.first.click()
    anna.locator("[data-slot-remove]").click()
    expect(chip).to_have_count(1)


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
