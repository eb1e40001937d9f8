"""Pictures: uploaded by script and by form, served for good."""

import io
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.accounts.rules import Role
from mailer.newsroom import pictures
from mailer.newsroom.models import Issue, Picture
from tests.newsroom.making import make_issue, make_newsletter
from tests.newsroom.test_pictures import encoded, photo
from tests.web.conftest import Page, Visitor


@pytest.fixture
def editor(app: Flask, make_account: Callable[..., Account]) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in(make_account("anna", Role.EDITOR))
    return visitor


@pytest.fixture
def issue(session: Session) -> Issue:
    return make_issue(session, make_newsletter(session))


def post(visitor: Visitor, issue: Issue, address: str, content: bytes, **values: str) -> Page:
    page = f"/desk/articles/{issue.articles[0].id}"
    token = visitor.get(page).tree.xpath("//main//input[@name='csrf_token']/@value")[0]
    data = {"csrf_token": token, "picture": (io.BytesIO(content), "x.png"), **values}
    return Page(
        visitor.client.post(
            address, data=data, content_type="multipart/form-data", headers=visitor.headers, follow_redirects=True
        )
    )


def test_the_script_uploads_and_is_told_where_the_picture_lies(session: Session, editor: Visitor, issue: Issue) -> None:
    said = post(editor, issue, "/desk/pictures", encoded(photo(700, 300), "JPEG")).response.get_json()
    kept = session.scalars(select(Picture)).one()
    assert said["src"].endswith(f"/media/{kept.name}")
    assert said["width"] == 560
    refused = post(editor, issue, "/desk/pictures", b"no picture")
    assert refused.status == 422
    assert "no picture" in refused.response.get_json()["message"]


def test_a_plain_form_puts_a_picture_at_the_end(session: Session, editor: Visitor, issue: Issue) -> None:
    article = issue.articles[0]
    address = f"/desk/articles/{article.id}/pictures"
    page = post(editor, issue, address, encoded(photo(60, 40)), alt="", revision="1")
    assert "many readers do not see it" in page.text
    page = post(editor, issue, address, encoded(photo(60, 40)), alt="效果图", revision="1")
    assert "at the end of the article" in page.text
    session.expire_all()
    assert article.body.endswith('" alt="效果图" width="60"></p>')
    page = post(editor, issue, address, encoded(photo(60, 40)), alt="效果图", revision="1")
    assert "changed this while" in page.text


def test_anybody_gets_the_picture_and_may_keep_it(session: Session, visitor: Visitor) -> None:
    kept = pictures.keep_picture(session, encoded(photo(60, 40)), by=None)
    session.commit()
    answer = visitor.client.get(f"/media/{kept.name}")
    assert (answer.status_code, answer.mimetype, answer.data) == (200, kept.media_type, kept.content)
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers
    again = visitor.client.get(f"/media/{kept.name}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert visitor.get("/media/nothing.png").status == 404


def test_an_approver_uploads_nothing(app: Flask, make_account: Callable[..., Account], issue: Issue) -> None:
    visitor = Visitor(app)
    visitor.sign_in(make_account("bao", Role.APPROVER))
    token = visitor.get("/desk/").tree.xpath("//input[@name='csrf_token']/@value")[0]
    assert visitor.client.post("/desk/pictures", data={"csrf_token": token}).status_code == 403
