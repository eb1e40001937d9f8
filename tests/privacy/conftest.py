"""A reader about whom we know all that can be known, and another about whom nothing must change."""

from dataclasses import dataclass

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.audience import engagement, suppressing
from mailer.audience.importing import run_import, start_import
from mailer.audience.models import Subscriber
from mailer.audience.rules import SuppressionReason
from mailer.audience.subscribing import sign_up
from mailer.dispatch.models import Attempt, Delivery
from mailer.dispatch.rules import Outcome
from mailer.feedback.models import Click, Open
from mailer.feedback.rules import Verdict
from mailer.newsletters import change_list
from tests.factories import SENT_AT, Sent, make_sent_mailing


@dataclass
class Known:
    """Ann, of whom everything is known, and Bob beside her."""

    ann: Subscriber
    bob: Subscriber
    sent: Sent


@pytest.fixture
def known(session: Session) -> Known:
    sent = make_sent_mailing(session, readers=0)
    change_list(session, sent.readers_list, opt_in="single")
    session.commit()
    people = [_make(session, sent, name) for name in ("Ann", "Bob")]
    run = start_import(
        session, list_id=sent.readers_list.id, filename="x.csv",
        content=b"ann@example.org\nANN@example.org\nbob@example.org\nbob@example.org", basis="consent", by=None,
    )  # fmt: skip
    session.commit()
    run_import(run.id)
    session.expire_all()
    return Known(*people, sent)


def _make(session: Session, sent: Sent, name: str) -> Subscriber:
    email = f"{name.lower()}@example.org"
    sign_up(
        session, email=email, list_ids=[sent.readers_list.id], name=name, wording="我同意。", ip="192.0.2.1",
        user_agent="Firefox",
    )  # fmt: skip
    person = session.scalars(select(Subscriber).where(Subscriber.email_key == email)).one()
    delivery = Delivery(
        mailing_id=sent.mailing.id, subscriber_id=person.id, address=email, provider="other", state="accepted",
        list_ids=[sent.readers_list.id], queued_at=SENT_AT, next_attempt_at=SENT_AT, settled_at=SENT_AT, code=250,
        reply=f"2.0.0 <{email}> queued",
    )  # fmt: skip
    session.add(delivery)
    session.flush()
    session.add(
        Attempt(
            delivery_id=delivery.id, at=SENT_AT, relay="main", outcome=Outcome.ACCEPTED, code=250,
            reply=f"2.0.0 <{email}> queued",
        )
    )  # fmt: skip
    common = {
        "at": SENT_AT, "mailing_id": sent.mailing.id, "delivery_id": delivery.id, "user_agent": "Firefox",
        "ip": "192.0.2.2", "verdict": Verdict.HUMAN,
    }  # fmt: skip
    session.add(Open(event_key=f"open-{delivery.id}", **common))
    session.add(Click(event_key=f"click-{delivery.id}", edition_id=sent.edition.id, link_ordinal=1, **common))
    engagement.note_open(session, person.id, sent.newsletter.id, SENT_AT)
    suppressing.suppress(
        session, email_key=email, reason=SuppressionReason.MANUAL, note=f"{email} phoned",
        newsletter_id=sent.newsletter.id,
    )  # fmt: skip
    session.commit()
    return person
