"""A subscriber comes into a closed archive by any link of the mail."""

import re

import pytest
from sqlalchemy.orm import Session

from mailer import links
from mailer.dispatch.reading_links import UNCOUNTED, parts_of
from mailer.newsroom.edition_models import Edition
from mailer.press.slots import READER_SLOT
from tests.factories import Sent, make_sent_mailing


@pytest.fixture
def sent(session: Session) -> Sent:
    return make_sent_mailing(session)


def edition_of(sent: Sent) -> Edition:
    web, other = links.issue_url("keji", sent.issue.id), "https://example.org/n/keji/issues/1"
    return Edition(
        id=sent.edition.id,
        html=f'<p>{web}</p><a class="x" href="{web}?a=1&amp;b=2">网页</a><a href="{other}">外</a>'
        f'<a href="{links.newsletter_url("keji")}">往期</a><a href="{links.newsletter_url("keji2")}">他刊</a>',
        text=f"网页版：\n{web}\n[1] {other}\n往期 {links.newsletter_url('keji')}\n",
    )


def targets(text: str) -> list[links.LinkTarget]:
    found = re.findall(re.escape(links.absolute("/c/")) + r"([\w-]+)/" + re.escape(READER_SLOT), text)
    return [links.read_link_token(token) for token in found]


@pytest.mark.parametrize("access", ["public", "accounts"])
def test_elsewhere_the_mail_is_what_was_approved(sent: Sent, access: str) -> None:
    sent.newsletter.archive_access = access
    edition = edition_of(sent)
    assert parts_of(edition, sent.newsletter) == (edition.html, edition.text)


def test_links_into_the_archive_go_through_the_click_and_no_other_does(sent: Sent) -> None:
    sent.newsletter.archive_access = "subscribers"
    web, home = links.issue_url("keji", sent.issue.id), links.newsletter_url("keji")
    html, text = parts_of(edition_of(sent), sent.newsletter)
    assert targets(html) == [
        links.LinkTarget(sent.edition.id, UNCOUNTED, f"{web}?a=1&b=2"),
        links.LinkTarget(sent.edition.id, UNCOUNTED, home),
    ]  # fmt: skip
    assert f"<p>{web}</p>" in html
    assert 'href="https://example.org/n/keji/issues/1"' in html
    assert f'href="{links.newsletter_url("keji2")}"' in html
    assert [target.url for target in targets(text)] == [web, home]
    assert "https://example.org/n/keji/issues/1" in text
