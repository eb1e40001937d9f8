"""A sent issue is corrected in the open, and exactly those who had the wrong one get the right one."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailer.audience.models import Subscriber, Subscription
from mailer.db import now
from mailer.dispatch import launching
from mailer.dispatch.forecast import forecast
from mailer.dispatch.models import Delivery, Exclusion, Mailing
from mailer.dispatch.preparing import prepare
from mailer.errors import RuleError
from mailer.newsletters import create_list
from mailer.newsletters.models import List
from mailer.newsroom import approval, archiving, correcting, editing, editions
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.models import Issue
from mailer.newsroom.rules import IssueState
from tests.newsroom.making import make_issue, make_newsletter


class Bulletin:
    """An issue and its list of six readers."""

    def __init__(self, session: Session) -> None:
        self.session = session
        newsletter = make_newsletter(session)
        self.list: List = create_list(session, newsletter, slug="all", name="全体")
        self.readers = [self.add_reader(number) for number in range(4)]
        self.issue: Issue = make_issue(session, newsletter)
        self.wrong = self.approve()

    def add_reader(self, number: int) -> int:
        address = f"r{number}@example.com"
        reader = Subscriber(email=address, email_key=address, domain="example.com")
        reader.subscriptions.append(Subscription(list_id=self.list.id, state="confirmed", source="test"))
        self.session.add(reader)
        self.session.flush()
        return reader.id

    def approve(self) -> Edition:
        approval.submit(self.session, self.issue, by=None)
        edition = approval.approve(self.session, self.issue, by=None)
        self.session.commit()
        return edition

    def send(self, edition: Edition, *, is_correction: bool = False) -> Mailing:
        mailing = launching.create_mailing(
            self.session, edition_id=edition.id, list_ids=[self.list.id], by=None, is_correction=is_correction
        )
        launching.send_now(self.session, mailing)
        self.session.commit()
        prepare(mailing.id)
        self.session.expire_all()
        return mailing

    def roster(self, mailing: Mailing) -> list[int]:
        query = select(Delivery.subscriber_id).where(Delivery.mailing_id == mailing.id)
        return sorted(self.session.scalars(query))

    def settle(self, mailing: Mailing, states: dict[int, str]) -> None:
        for reader, state in states.items():
            self.session.execute(
                update(Delivery)
                .where(Delivery.mailing_id == mailing.id, Delivery.subscriber_id == reader)
                .values(state=state)
            )
        self.session.commit()


@pytest.fixture
def bulletin(session: Session) -> Bulletin:
    return Bulletin(session)


def sent_wrongly(bulletin: Bulletin) -> Edition:
    """The wrong edition reached some; then two more readers signed up, and it was corrected."""
    a, b, c, d = bulletin.readers
    bulletin.settle(bulletin.send(bulletin.wrong), {a: "accepted", b: "unknown", c: "rejected", d: "skipped"})
    bulletin.add_reader(4)
    correcting.begin(bulletin.session, bulletin.issue, "第2篇的数字有误，应为 3.2 万亩。", by=None)
    article = bulletin.issue.articles[1]
    editing.change_article(bulletin.session, article, revision=1, by=None, body="<p>3.2 万亩。</p>")
    return bulletin.approve()


def test_a_correction_goes_to_exactly_those_who_had_the_wrong_one(bulletin: Bulletin, session: Session) -> None:
    right = sent_wrongly(bulletin)
    expected = forecast(session, right.id, [bulletin.list.id], is_correction=True)
    mailing = bulletin.send(right, is_correction=True)
    assert bulletin.roster(mailing) == bulletin.readers[:2]
    assert expected.recipients == 2
    reasons = set(session.scalars(select(Exclusion.reason).where(Exclusion.mailing_id == mailing.id)))
    assert reasons == {"not_received"}
    # Sent once more, it reaches nobody twice; and the others still get the issue in the usual way.
    bulletin.settle(mailing, dict.fromkeys(bulletin.readers[:2], "accepted"))
    assert bulletin.roster(bulletin.send(right, is_correction=True)) == []
    usual = bulletin.send(right)
    assert not set(bulletin.roster(usual)) & set(bulletin.readers[:2])
    assert len(bulletin.roster(usual)) == 3


def test_who_has_left_meanwhile_is_not_written_to_again(bulletin: Bulletin, session: Session) -> None:
    right = sent_wrongly(bulletin)
    session.execute(
        update(Subscription)
        .where(Subscription.subscriber_id == bulletin.readers[0])
        .values(state="unsubscribed", unsubscribed_at=now(session))
    )
    session.commit()
    assert bulletin.roster(bulletin.send(right, is_correction=True)) == [bulletin.readers[1]]


def test_there_is_nobody_to_correct_where_nothing_was_sent(bulletin: Bulletin, session: Session) -> None:
    with pytest.raises(RuleError, match="nobody to correct"):
        launching.create_mailing(
            session, edition_id=bulletin.wrong.id, list_ids=[bulletin.list.id], by=None, is_correction=True
        )
    with pytest.raises(RuleError, match="not been sent yet"):
        correcting.begin(session, bulletin.issue, "x", by=None)


def test_the_mail_says_what_was_wrong_and_the_wrong_edition_stays(bulletin: Bulletin, session: Session) -> None:
    right = sent_wrongly(bulletin)
    assert right.subject.startswith("更正：")
    assert "更正：第2篇的数字有误" in right.html
    assert "更正：第2篇的数字有误" in right.text
    assert right.masthead["correction"] == "第2篇的数字有误，应为 3.2 万亩。"
    assert "correction" not in bulletin.wrong.masthead
    assert "第2篇的正文" in bulletin.wrong.html
    assert [edition.id for edition in editions.list_editions(session, bulletin.issue.id)] == [
        bulletin.wrong.id, right.id,
    ]  # fmt: skip
    acts = [(review.act, review.note) for review, *_ in approval.list_reviews(session, bulletin.issue.id)]
    assert ("withdrawn", "第2篇的数字有误，应为 3.2 万亩。") in acts


def test_a_correction_needs_words_and_makes_a_draft(bulletin: Bulletin, session: Session) -> None:
    archiving.mark_sent(session, bulletin.wrong.id, now(session))
    with pytest.raises(RuleError, match="what was wrong"):
        correcting.begin(session, bulletin.issue, " \n", by=None)
    correcting.begin(session, bulletin.issue, "署名有误。", by=None)
    assert bulletin.issue.state == IssueState.DRAFT
    # Found not wrong after all: the note is taken back, and the issue is as it was.
    editing.change_issue(session, bulletin.issue, revision=bulletin.issue.masthead_revision, by=None, correction="")
    assert bulletin.approve().content_hash == bulletin.wrong.content_hash
