"""Standing blocks and columns: kept once, used in every issue."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.accounts.rules import Role
from mailer.errors import RuleError
from mailer.newsroom import blocks, editing
from mailer.newsroom.models import Issue, StandingBlock
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


def test_a_block_is_kept_offered_changed_and_removed(session: Session, editor: Visitor, issue: Issue) -> None:
    address = f"/desk/newsletters/{issue.newsletter_id}/blocks"
    page = editor.submit(address, {"name": "征稿启事", "text": "欢迎来稿。\n- 字数不限 <b>"})
    assert "The block is kept" in page.text
    made = session.scalars(select(StandingBlock)).one()
    assert made.body == "<p>欢迎来稿。</p><ul><li><p>字数不限 &lt;b&gt;</p></li></ul>"
    article = editor.get(f"/desk/articles/{issue.articles[0].id}")
    assert article.tree.xpath("//select[@data-blocks]/option/@value")[1] == made.body
    # Without script a new article begins with it.
    new = editor.get(f"/desk/issues/{issue.id}/articles/new?block={made.id}")
    assert new.tree.xpath("//input[@name='title']/@value") == ["征稿启事"]
    assert "欢迎来稿" in new.text
    editor.submit(f"/desk/blocks/{made.id}", {"name": "征稿"}, action=f"/desk/blocks/{made.id}")
    session.expire_all()
    assert (made.name, "<ul>" in made.body) == ("征稿", True)
    editor.submit(f"/desk/blocks/{made.id}", action=f"/desk/blocks/{made.id}/remove")
    assert session.scalars(select(StandingBlock)).all() == []


def test_a_block_stays_with_its_newsletter(session: Session, editor: Visitor, issue: Issue) -> None:
    other = make_newsletter(session, slug="other")
    block = blocks.add_block(session, other.id, name="启事", body="<p>x</p>", by=None)
    session.commit()
    assert editor.get(f"/desk/issues/{issue.id}/articles/new?block={block.id}").status == 404
    assert editor.get("/desk/blocks/999").status == 404


def test_an_empty_block_and_one_too_many_are_refused(
    session: Session, editor: Visitor, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/desk/newsletters/{issue.newsletter_id}/blocks"
    assert editor.submit(address, {"name": "", "text": "x"}).status == 422
    with pytest.raises(RuleError, match="a name and words"):
        blocks.add_block(session, issue.newsletter_id, name="x", body="<script>1</script>", by=None)
    monkeypatch.setattr(blocks, "MOST", 0)
    page = editor.submit(address, {"name": "x", "text": "x"})
    assert page.status == 422
    assert "remove one first" in page.text


def test_columns_of_earlier_issues_are_offered_the_last_used_first(
    session: Session, editor: Visitor, issue: Issue
) -> None:
    for section in ("要闻", "动态", "要闻"):
        editing.add_article(session, issue, by=None, title="x", section=section)
    session.commit()
    page = editor.get(f"/desk/issues/{issue.id}/articles/new")
    assert page.tree.xpath("//datalist[@id='columns']/option/@value") == ["要闻", "动态"]
    assert page.tree.xpath("//input[@name='section']/@list") == ["columns"]
