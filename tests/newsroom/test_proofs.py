import datetime as dt
import email
import email.policy
from email.message import EmailMessage
from typing import cast

import pytest
from lxml.html import fromstring
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.models import AuditEntry
from mailer.audience.models import Subscriber
from mailer.dispatch.letter_messages import LetterClaim, compose
from mailer.errors import CompositionError, RuleError
from mailer.letters.models import Letter
from mailer.newsletters import create_list
from mailer.newsroom import approval, editing
from mailer.newsroom.models import Issue
from mailer.newsroom.proofs import send_proof
from tests.newsroom.making import make_account, make_issue, make_newsletter


@pytest.fixture
def issue(session: Session) -> Issue:
    return make_issue(session, make_newsletter(session))


def arrived(session: Session, letter: Letter) -> EmailMessage:
    """The letter as dispatch would send it."""
    claim = LetterClaim(
        id=letter.id,
        kind=letter.kind,
        locale=letter.locale,
        address=letter.address,
        newsletter_id=letter.newsletter_id,
        parameters=letter.parameters,
        message_id=letter.message_id,
        attempts=0,
    )
    _, content = compose(session, claim)
    return cast("EmailMessage", email.message_from_bytes(content, policy=email.policy.default))


def test_a_test_arrives_as_its_readers_would_see_it_and_is_marked(session: Session, issue: Issue) -> None:
    letter, *rest = send_proof(session, issue, "li@example.org", by=None)
    assert rest == []
    message = arrived(session, letter)
    assert message["Subject"].startswith("【测试】科技情报参考")
    assert message["To"] == "li@example.org"
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    assert html is not None
    assert text is not None
    for part in (html.get_content(), text.get_content()):
        assert "第1篇的正文" in part
        assert "~mailer." not in part
        assert "/c/" not in part
        assert "/o/" not in part
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_addresses_are_parted_by_whatever_people_type_and_written_to_once(session: Session, issue: Issue) -> None:
    typed = "li@example.org，wang@example.org；  LI@example.org\nzhao@example.org、qian@example.org"
    send_proof(session, issue, typed, by=make_account(session, "Anna"))
    session.commit()
    addresses = session.scalars(select(Letter.address).order_by(Letter.id)).all()
    assert len(addresses) == 4
    assert session.scalars(select(AuditEntry.details).where(AuditEntry.action == "issue.proof_sent")).all() == [
        {"count": 4}
    ]


@pytest.mark.parametrize(("typed", "problem"), [(" , ;", "Say where"), ("li@", "valid|address"), ("x", "@")])
def test_what_is_no_address_is_refused_and_nobody_is_written_to(
    session: Session, issue: Issue, typed: str, problem: str
) -> None:
    with pytest.raises(RuleError, match=problem):
        send_proof(session, issue, typed, by=None)
    assert session.scalars(select(Letter)).all() == []


def read_parts(message: EmailMessage) -> list[str]:
    """The words of both parts, blanks folded, without what is hidden in the head of the page."""
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    assert html is not None
    assert text is not None
    body = fromstring(html.get_content()).xpath("//body")[0].text_content()
    return ["".join(part.split()) for part in (body, text.get_content())]


@pytest.mark.parametrize("theme", ["bulletin", "journal", "plain"])
@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_a_test_says_on_top_that_it_is_one_and_nowhere_that_its_reader_has_subscribed(
    session: Session, theme: str, language: str
) -> None:
    newsletter = make_newsletter(session, title="A & B <科技>", theme=theme, language=language)
    issue = make_issue(session, newsletter)
    anna, bao = make_account(session, "Anna", "editor"), make_account(session, "Bao", "approver")
    expected = {
        "zh_CN": ("测试", "草稿", "由Anna发给li@example.org", "不属于任何订阅", "订阅了《", "您收到"),
        "en": (
            "Testof",
            "asadraft",
            "sentbyAnnatoli@example.org",
            "belongstonosubscription",
            "becauseyou",
            "Youreceive",
        ),
    }[language]
    (letter,) = send_proof(session, issue, "li@example.org", by=anna)
    for part in read_parts(arrived(session, letter)):
        head, foot = part[:400], part[-600:]
        assert all(word in head for word in (*expected[:3], "A&B<科技>"))
        assert head.index(expected[0]) < part.index("第1篇的正文")
        assert expected[3] in foot
        assert not any(claim in part for claim in expected[4:])
    approval.submit(session, issue, by=anna)
    approval.sign(session, issue, by=bao)
    (letter,) = send_proof(session, issue, "li@example.org", by=None)
    for part in read_parts(arrived(session, letter)):
        assert {"zh_CN": "已签发", "en": "approved"}[language] in part[:400]
        assert not any(claim in part for claim in expected[4:])


def test_a_test_is_for_colleagues_and_not_for_a_crowd(session: Session, issue: Issue) -> None:
    crowd = " ".join(f"a{number}@example.org" for number in range(11))
    with pytest.raises(RuleError, match="at most 10"):
        send_proof(session, issue, crowd, by=None)


def test_what_cannot_be_compiled_is_not_tested(session: Session) -> None:
    empty = make_issue(session, make_newsletter(session), articles=0)
    with pytest.raises(CompositionError):
        send_proof(session, empty, "li@example.org", by=None)


def test_a_test_shows_what_the_chosen_reader_has_told_and_keeps_nothing_of_it(session: Session) -> None:
    newsletter = make_newsletter(session)
    create_list(
        session, newsletter, slug="all", name="全体", required_attributes=[{"key": "department", "label": "单位"}]
    )
    issue = make_issue(session, newsletter, articles=1)
    body = "<p>{{ department|贵单位 }}的{{ name }}（{{ address }}）{{ name|朋友 }}</p>"
    editing.change_article(session, issue.articles[0], revision=1, by=None, body=body)
    reader = Subscriber(
        email="wang@example.com", email_key="wang@example.com", domain="example.com", name="王<b>",
        attributes={"department": "研究室"},
    )  # fmt: skip
    session.add(reader)
    session.flush()
    (letter,) = send_proof(session, issue, "li@example.org", by=None, reader=reader)
    assert "研究室" not in str(letter.parameters)
    text = arrived(session, letter).get_body(("plain",))
    html = arrived(session, letter).get_body(("html",))
    assert text is not None
    assert html is not None
    assert "研究室的王<b>（wang@example.com）王<b>" in "".join(text.get_content().split())
    assert "研究室的王&lt;b&gt;（wang@example.com）" in html.get_content()
    assert "不计入任何数据。个人字段按刊物的一位订户填写。" in html.get_content()
    # Who is gone meanwhile is nobody: the fallbacks stand.
    reader.erased_at = dt.datetime.now(dt.UTC)
    session.flush()
    text = arrived(session, letter).get_body(("plain",))
    assert text is not None
    assert "贵单位的读者（li@example.org）朋友" in "".join(text.get_content().split())
