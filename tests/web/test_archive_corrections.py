"""A corrected issue says so, and what was sent before it stays where it can be found."""

import pytest
from sqlalchemy.orm import Session

from mailer import links
from mailer.newsroom.edition_models import Edition, EditionArticle
from tests.factories import Sent, make_sent_mailing
from tests.web.conftest import Visitor

HOST = "http://127.0.0.1:8000"


@pytest.fixture
def sent(session: Session) -> Sent:
    """An issue that was sent, and then corrected and approved again."""
    sent = make_sent_mailing(session)
    sent.issue.first_sent_at, sent.issue.shown_edition_id = sent.mailing.started_at, sent.edition.id
    session.commit()
    return sent


def correct(session: Session, sent: Sent, ordinal: int = 2) -> Edition:
    edition = Edition(
        issue_id=sent.issue.id, ordinal=ordinal, subject="更正", theme="bulletin", language="zh_CN", html="", text="",
        content_hash="1" * 64,
        masthead={"title": "澜沧科技参考", "number": "3", "year": 2026, "correction": "第二段<数字>有误。"},
    )  # fmt: skip
    edition.articles = [
        EditionArticle(article_id=each.id, position=each.position, title=f"更正{each.title}", body="<p>正确。</p>")
        for each in sent.issue.articles
    ]
    session.add(edition)
    session.flush()
    sent.issue.shown_edition_id = edition.id
    session.commit()
    return edition


def test_the_corrected_edition_and_the_one_before_lead_to_each_other(
    session: Session, visitor: Visitor, sent: Sent
) -> None:
    correct(session, sent)
    now = visitor.get(f"/n/keji/issues/{sent.issue.id}")
    [before] = now.tree.xpath("//div[@role='note']//a/@href")
    assert before == links.edition_url("keji", sent.issue.id, 1)
    assert "This issue has been corrected. As it was sent on March 2, 2026" in now.text
    assert "更正第1篇文章" in now.text
    assert "第二段<数字>有误。" in now.text
    old = visitor.get(before.removeprefix(HOST))
    assert "第1篇文章" in old.text
    assert "更正第1篇文章" not in old.text
    assert "第二段<数字>有误。" in old.text
    assert old.tree.xpath("//div[@role='note']//a/@href") == [links.issue_url("keji", sent.issue.id)]
    assert old.tree.xpath("//link[@rel='canonical']/@href") == [links.issue_url("keji", sent.issue.id)]
    assert old.response.headers["X-Robots-Tag"] == "noindex"


def test_an_issue_that_was_never_corrected_says_nothing(session: Session, visitor: Visitor, sent: Sent) -> None:
    page = visitor.get(f"/n/keji/issues/{sent.issue.id}")
    assert page.tree.xpath("//div[@role='note']") == []
    assert visitor.get(f"/n/keji/issues/{sent.issue.id}/editions/1").path == f"/n/keji/issues/{sent.issue.id}"


def test_an_edition_that_nobody_was_sent_is_not_shown(session: Session, visitor: Visitor, sent: Sent) -> None:
    correct(session, sent)
    correct(session, sent, ordinal=3)
    links_to = visitor.get(f"/n/keji/issues/{sent.issue.id}").tree.xpath("//div[@role='note']//a/@href")
    assert links_to == [links.edition_url("keji", sent.issue.id, 1)]
    for ordinal in (2, 4, 99):
        assert visitor.get(f"/n/keji/issues/{sent.issue.id}/editions/{ordinal}").status == 404


def test_earlier_editions_obey_the_level_of_reading(session: Session, visitor: Visitor, sent: Sent) -> None:
    correct(session, sent)
    sent.newsletter.archive_access = "subscribers"
    session.commit()
    assert visitor.get(f"/n/keji/issues/{sent.issue.id}/editions/1").status == 403
