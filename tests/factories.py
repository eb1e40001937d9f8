"""Rows straight into the ledger, for tests of what stands behind a send: the send itself has tests of its own."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from mailer.audience.models import Subscriber, Subscription
from mailer.dispatch.models import Delivery, Mailing, MailingList
from mailer.dispatch.rules import DeliveryState, MailingState
from mailer.newsletters.models import List, Newsletter
from mailer.newsroom.edition_models import Edition, EditionArticle, EditionLink
from mailer.newsroom.models import Article, Issue

SENT_AT = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)


@dataclass
class Sent:
    """A mailing that was accepted everywhere, and all it stands on."""

    newsletter: Newsletter
    readers_list: List
    issue: Issue
    edition: Edition
    mailing: Mailing
    deliveries: list[Delivery]


def make_newsletter(session: Session, **changes: object) -> tuple[Newsletter, List]:
    values = {
        "slug": "keji",
        "title": "澜沧科技参考",
        "sender_name": "澜沧科技参考",
        "sender_address": "keji@example.org",
    }
    newsletter = Newsletter(**{**values, **changes})
    newsletter.lists.append(List(slug="weekly", name="每期速递"))
    session.add(newsletter)
    session.flush()
    return newsletter, newsletter.lists[0]


def make_sent_mailing(session: Session, *, readers: int = 3, **newsletter: object) -> Sent:
    """An issue of two articles, sent to `readers` subscribers at `SENT_AT`; committed."""
    periodical, subscribers_list = make_newsletter(session, **newsletter)
    issue = Issue(newsletter_id=periodical.id, title=periodical.title, year=2026, number="3", state="approved")
    issue.articles = [Article(position=n, title=f"第{n}篇文章", body="<p>正文。</p>") for n in (1, 2)]
    session.add(issue)
    session.flush()
    edition = Edition(
        issue_id=issue.id, ordinal=1, subject="澜沧科技参考 2026年第3期", theme="bulletin", language="zh_CN",
        html="<p></p>", text="", content_hash="0" * 64,
    )  # fmt: skip
    edition.articles = [EditionArticle(article_id=a.id, position=a.position, title=a.title) for a in issue.articles]
    edition.links = [
        EditionLink(ordinal=n, url=f"https://example.org/{n}", article_id=article.id, label=article.title)
        for n, article in enumerate(issue.articles, 1)
    ] + [EditionLink(ordinal=3, url="https://example.org/about", article_id=None, label="")]
    session.add(edition)
    session.flush()
    mailing = Mailing(
        newsletter_id=periodical.id, issue_id=issue.id, edition_id=edition.id, state=MailingState.FINISHED,
        message_key="k", message_domain="example.org", prepared_at=SENT_AT, started_at=SENT_AT, finished_at=SENT_AT,
        roster_size=readers,
    )  # fmt: skip
    mailing.lists = [MailingList(list_id=subscribers_list.id)]
    session.add(mailing)
    session.flush()
    deliveries = [_deliver(session, mailing, subscribers_list, n) for n in range(1, readers + 1)]
    session.commit()
    return Sent(periodical, subscribers_list, issue, edition, mailing, deliveries)


def _deliver(session: Session, mailing: Mailing, subscribers_list: List, number: int) -> Delivery:
    email = f"reader{number}@example.org"
    subscriber = Subscriber(email=email, email_key=email, domain="example.org")
    subscriber.subscriptions = [Subscription(list_id=subscribers_list.id, state="confirmed", source="test")]
    session.add(subscriber)
    session.flush()
    delivery = Delivery(
        mailing_id=mailing.id, subscriber_id=subscriber.id, address=email, provider="other",
        list_ids=[subscribers_list.id], state=DeliveryState.ACCEPTED, attempts=1, queued_at=SENT_AT,
        next_attempt_at=SENT_AT, settled_at=SENT_AT, code=250, enhanced="2.0.0", reply="2.0.0 Ok",
    )  # fmt: skip
    session.add(delivery)
    session.flush()
    return delivery
