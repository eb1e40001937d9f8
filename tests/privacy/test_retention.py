import datetime as dt

import pytest
from sqlalchemy import Interval, func, literal, select, text, update
from sqlalchemy.orm import Session

from mailer import newsletters
from mailer.audience import leaving
from mailer.audience.import_models import ImportRun
from mailer.audience.models import Consent, Subscriber, Subscription
from mailer.audience.subscribing import sign_up
from mailer.dispatch.models import Delivery
from mailer.feedback.models import Click, Open
from mailer.letters.models import Letter
from mailer.links import UnsubscribeTarget
from mailer.newsletters.models import List
from mailer.privacy import retention
from mailer.privacy.retention import Forgotten
from tests.privacy.conftest import Known

NOTHING = Forgotten(
    sign_ups=0, returns=0, subscribers=0, letters=0, refusals=0, traces=0, events=0, replies=0, admissions=0
)


@pytest.fixture
def double(session: Session) -> List:
    newsletter = newsletters.create_newsletter(
        session, slug="tech", title="科技参考", sender_name="编辑部", sender_address="editor@example.org"
    )
    made = newsletters.create_list(session, newsletter, slug="weekly", name="周报")
    session.commit()
    return made


def ask(session: Session, double: List) -> Subscriber:
    sign_up(session, email="ann@example.org", list_ids=[double.id], wording="x", ip="192.0.2.1", user_agent="Firefox")
    session.commit()
    return session.scalars(select(Subscriber)).one()


def grow_older(session: Session, days: float) -> None:
    """As if everything had happened `days` earlier."""
    earlier = literal(dt.timedelta(days=days), Interval())
    session.execute(text("ALTER TABLE consents DISABLE TRIGGER append_only"))
    session.execute(update(Consent).values(at=Consent.at - earlier))
    session.execute(text("ALTER TABLE consents ENABLE TRIGGER append_only"))
    for table in (Subscriber, Subscription, Letter, ImportRun):
        session.execute(update(table).values(created_at=table.created_at - earlier))
    session.execute(update(ImportRun).values(finished_at=ImportRun.finished_at - earlier))
    session.commit()
    session.expire_all()


def sweep(session: Session) -> Forgotten:
    found = retention.sweep(session)
    session.commit()
    session.expire_all()
    return found


def test_a_sign_up_that_is_never_confirmed_is_forgotten_after_a_week(session: Session, double: List) -> None:
    ask(session, double)
    grow_older(session, 6.9)
    assert sweep(session) == NOTHING
    grow_older(session, 0.2)
    assert sweep(session) == Forgotten(
        sign_ups=1, returns=0, subscribers=1, letters=0, refusals=0, traces=0, events=0, replies=0, admissions=0
    )
    assert session.scalars(select(Subscriber)).all() == []
    proof = session.scalars(select(Consent)).one()
    assert (proof.act, proof.ip, proof.user_agent) == ("asked", None, "")
    assert sweep(session) == NOTHING


def test_who_asked_again_has_another_week(session: Session, double: List) -> None:
    ask(session, double)
    grow_older(session, 6)
    ask(session, double)
    grow_older(session, 6)
    assert sweep(session) == NOTHING
    grow_older(session, 1.1)
    assert sweep(session).sign_ups == 1


def test_a_leaver_who_never_confirmed_the_return_is_a_leaver_again(session: Session, double: List) -> None:
    ann = ask(session, double)
    leaving.unsubscribe(session, UnsubscribeTarget(ann.id, 0, (double.id,)))
    session.commit()
    ask(session, double)
    grow_older(session, 8)
    assert sweep(session) == Forgotten(
        sign_ups=0, returns=1, subscribers=0, letters=0, refusals=0, traces=0, events=0, replies=0, admissions=0
    )
    assert session.scalars(select(Subscription.state)).one() == "unsubscribed"


def test_readers_stay_and_old_letters_and_refusals_go(session: Session, known: Known) -> None:
    # What the fixture's mailing left is older than all of this.
    sweep(session)
    grow_older(session, 29)
    assert sweep(session) == NOTHING
    grow_older(session, 2)
    session.execute(update(Letter).where(Letter.address_key == "bob@example.org").values(state="accepted"))
    session.commit()
    assert sweep(session) == Forgotten(
        sign_ups=0, returns=0, subscribers=0, letters=1, refusals=4, traces=0, events=0, replies=0, admissions=0
    )
    # Ann's letter still waits to be sent.
    assert [bool(letter.parameters) for letter in session.scalars(select(Letter).order_by(Letter.id))] == [True, False]
    assert session.scalar(select(func.count()).select_from(Subscriber)) == 2
    assert sweep(session) == NOTHING


def test_where_a_consent_came_from_is_forgotten_in_its_time_and_the_proof_stays(session: Session, double: List) -> None:
    for days in (1094, 1096):
        session.add(
            Consent(
                subscriber_id=1, list_id=double.id, act="confirmed", wording="Yes", ip="192.0.2.1",
                user_agent="Firefox", at=session.scalars(select(func.now())).one() - dt.timedelta(days=days),
            )
        )  # fmt: skip
    session.commit()
    assert sweep(session).traces == 1
    session.commit()
    session.expire_all()
    rows = session.execute(select(Consent.wording, Consent.ip, Consent.user_agent).order_by(Consent.at)).all()
    assert [tuple(row) for row in rows] == [("Yes", None, ""), ("Yes", "192.0.2.1", "Firefox")]


def test_opens_lose_where_they_came_from_and_replies_their_words_each_in_its_time(
    session: Session, known: Known
) -> None:
    deliveries = session.scalars(select(Delivery)).all()
    assert all(delivery.reply for delivery in deliveries)
    counts = (
        session.scalar(select(func.count()).select_from(Open)),
        session.scalar(select(func.count()).select_from(Click)),
    )
    session.execute(update(Open).values(at=func.now() - dt.timedelta(days=191)))
    session.execute(update(Click).values(at=func.now() - dt.timedelta(days=189)))
    session.execute(update(Delivery).values(settled_at=func.now() - dt.timedelta(days=401)))
    session.commit()
    forgotten = sweep(session)
    assert (forgotten.events, forgotten.replies) == (counts[0], len(deliveries))
    session.expire_all()
    assert set(session.scalars(select(Open.ip))) == {None}
    assert None not in set(session.scalars(select(Click.ip)))
    assert {(row.reply, row.code) for row in session.scalars(select(Delivery))} == {("", 250)}
    assert counts == (
        session.scalar(select(func.count()).select_from(Open)), session.scalar(select(func.count()).select_from(Click)),
    )  # fmt: skip
    assert sweep(session).events == 0
