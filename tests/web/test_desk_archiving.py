"""At the desk: which edition readers find, a correction released, a sent issue retracted and brought back."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.accounts.rules import Role
from mailer.dispatch import launching
from mailer.newsroom import correcting, editing, house_writing
from mailer.newsroom.chain import SigningStep
from tests.newsroom.test_correcting import Bulletin
from tests.web.conftest import Visitor

MakeAccount = Callable[..., Account]


@pytest.fixture
def bulletin(session: Session) -> Bulletin:
    """Sent to its four readers."""
    bulletin = Bulletin(session)
    bulletin.settle(bulletin.send(bulletin.wrong), dict.fromkeys(bulletin.readers, "accepted"))
    return bulletin


@pytest.fixture
def editor(app: Flask, make_account: MakeAccount) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in(make_account("anna", Role.EDITOR))
    return visitor


def correct(session: Session, bulletin: Bulletin) -> None:
    correcting.begin(session, bulletin.issue, "数字有误。", by=None)
    article = bulletin.issue.articles[0]
    editing.change_article(session, article, revision=article.revision, by=None, body="<p>改正后的内容。</p>")
    bulletin.approve()


def test_the_desk_says_that_a_correction_waits_and_shows_it(
    session: Session, visitor: Visitor, editor: Visitor, bulletin: Bulletin
) -> None:
    at, web = f"/desk/issues/{bulletin.issue.id}", f"/n/keji/issues/{bulletin.issue.id}"
    assert "In the archive: edition 1" in editor.get(at).text
    correct(session, bulletin)
    assert "Readers of the archive still find edition 1" in editor.get(at).text
    assert "改正后的内容" not in visitor.get(web).text
    page = editor.submit(f"{at}/archive", action=f"{at}/archive/release")
    assert "The archive shows the corrected edition now." in page.text
    assert "Shown without a mailing" in page.text
    assert "Anna" in page.text
    assert "改正后的内容" in visitor.get(web).text
    assert "In the archive: edition 2" in editor.get(at).text


def test_a_sent_issue_is_retracted_with_a_reason_and_brought_back(
    session: Session, visitor: Visitor, editor: Visitor, bulletin: Bulletin
) -> None:
    planned = launching.create_mailing(
        session, edition_id=bulletin.wrong.id, list_ids=[bulletin.list.id], by=None, is_repeat=True
    )
    session.commit()
    at, web = f"/desk/issues/{bulletin.issue.id}", f"/n/keji/issues/{bulletin.issue.id}"
    # The one that was sent has still to be wound up.
    assert "2 mailings of it are planned or under way" in editor.get(f"{at}/archive").text
    # Not without saying that it is meant, nor without a reason.
    for data, words in (({"note": "来源不实。"}, "Confirm that"), ({"note": " ", "sure": "1"}, "Say why")):
        page = editor.submit(f"{at}/archive", data, action=f"{at}/archive/retract")
        assert words in page.text
        assert visitor.get(web).status == 200
    page = editor.submit(f"{at}/archive", {"note": "来源不实。", "sure": "1"}, action=f"{at}/archive/retract")
    assert "The issue is retracted." in page.text
    assert "2 mailings were cancelled." in page.text
    session.refresh(planned)
    assert planned.state == "cancelled"
    assert visitor.get(web).status == 410
    assert "Retracted on" in editor.get(at).text
    assert "来源不实。" in editor.get(at).text
    page = editor.submit(f"{at}/archive", action=f"{at}/archive/reinstate")
    assert "The retraction is lifted" in page.text
    assert visitor.get(web).status == 200
    acts = [" ".join(item.split()) for item in page.tree.xpath("//section[@aria-labelledby='acts']//li//span/text()")]
    assert [word for word in acts if word in {"Retracted", "Retraction lifted", "Shown with its first mailing"}] == [
        "Retraction lifted",
        "Retracted",
        "Shown with its first mailing",
    ]


def test_who_may_not_send_sees_and_does_nothing_of_it(
    session: Session, editor: Visitor, bulletin: Bulletin, make_account: MakeAccount
) -> None:
    other = bulletin.issue.newsletter_id
    boss = make_account("bao", Role.APPROVER)
    house_writing.change_house_rules(
        session, other, by=None, steps=[SigningStep()], approval_days=None, sender_ids=[boss.id], sensitive_words="",
        proofreaders="",
    )  # fmt: skip
    session.commit()
    at = f"/desk/issues/{bulletin.issue.id}"
    page = editor.get(f"{at}/archive")
    assert "Retract this issue" not in page.text
    assert page.tree.xpath("//main//form") == []


def test_what_was_never_sent_has_no_such_page(session: Session, editor: Visitor) -> None:
    bulletin = Bulletin(session)
    assert editor.get(f"/desk/issues/{bulletin.issue.id}/archive").status == 404
    assert "In the archive" not in editor.get(f"/desk/issues/{bulletin.issue.id}").text
