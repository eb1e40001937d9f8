"""A mailing of an issue as the ledger has it, with every outcome in it."""

import datetime as dt
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from mailer import newsletters
from mailer.audience.models import Subscriber, Subscription
from mailer.db import now
from mailer.dispatch.models import Delivery, Mailing
from mailer.dispatch.rules import DeliveryState, MailingState
from mailer.newsletters.models import List
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.models import Issue

SAID: Mapping[str, tuple[int | None, str | None, str]] = {
    "accepted": (250, "2.0.0", "OK, queued as 8F2A1"),
    "rejected": (550, "5.1.1", "User unknown"),
    "unknown": (None, None, "The connection was lost after the content was sent."),
}


def make_list(session: Session) -> List:
    """A newsletter with a list."""
    newsletter = newsletters.create_newsletter(
        session, slug="tech", title="科技参考", sender_name="Tech", sender_address="tech@example.org"
    )
    made = newsletters.create_list(session, newsletter, slug="weekly", name="Weekly")
    session.commit()
    return made


def make_readers(session: Session, target: List, count: int) -> list[Subscriber]:
    """Confirmed readers ``reader0@example.org`` and on."""
    readers = []
    for number in range(count):
        email = f"reader{number}@example.org"
        reader = Subscriber(email=email, email_key=email, domain="example.org", name=f"Reader {number}")
        reader.subscriptions.append(Subscription(list_id=target.id, state="confirmed", source="form"))
        readers.append(reader)
    session.add_all(readers)
    session.commit()
    return readers


def make_mailing(
    session: Session,
    target: List,
    readers: Sequence[Subscriber],
    states: Sequence[str],
    *,
    number: str = "9",
    state: MailingState = MailingState.FINISHED,
) -> Mailing:
    """A mailing whose delivery to each reader is in the state of the same place."""
    issue = Issue(newsletter_id=target.newsletter_id, title="科技参考", year=2026, number=number, state="approved")
    session.add(issue)
    session.flush()
    edition = Edition(
        issue_id=issue.id, ordinal=1, subject="x", theme="bulletin", language="zh_CN", html="", text="",
        content_hash="0" * 64, masthead={},
    )  # fmt: skip
    session.add(edition)
    session.flush()
    moment = now(session)
    mailing = Mailing(
        newsletter_id=target.newsletter_id, issue_id=issue.id, edition_id=edition.id, state=state, message_key="key",
        message_domain="example.org", roster_size=len(readers), progressed_at=moment,
        finished_at=moment if state == MailingState.FINISHED else None,
        paused_at=moment if state == MailingState.PAUSED else None,
    )  # fmt: skip
    session.add(mailing)
    session.flush()
    for reader, outcome in zip(readers, states, strict=True):
        code, enhanced, reply = SAID.get(outcome, (None, None, ""))
        session.add(
            Delivery(
                mailing_id=mailing.id,
                subscriber_id=reader.id,
                address=reader.email,
                provider="other",
                list_ids=[target.id],
                state=DeliveryState(outcome),
                attempts=1,
                queued_at=moment,
                next_attempt_at=moment,
                code=code,
                enhanced=enhanced,
                reply=reply,
                settled_at=None if outcome in {"queued", "claimed"} else moment,
                lease_until=moment + dt.timedelta(minutes=2) if outcome == "claimed" else None,
            )
        )
    session.commit()
    return mailing
