import datetime as dt
import threading

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailer import newsletters
from mailer.audience import leaving, suppressing
from mailer.audience.confirming import confirm
from mailer.audience.models import Consent, Subscriber, Subscription
from mailer.db import now, session_scope
from mailer.links import UnsubscribeTarget
from mailer.newsletters.models import List
from tests.audience.conftest import SignUp, confirm_token, consents, reader, states


@pytest.fixture
def ann(session: Session, double: List, single: List, fill_in: SignUp) -> Subscriber:
    """A confirmed reader of both lists."""
    fill_in(double, single)
    confirm(session, confirm_token(session))
    session.commit()
    assert set(states(session).values()) == {"confirmed"}
    return reader(session)


def test_one_click_leaves_every_list_it_came_by(session: Session, ann: Subscriber, double: List, single: List) -> None:
    done = leaving.unsubscribe(
        session, UnsubscribeTarget(ann.id, 12, (double.id, single.id)), wording="one-click", ip="192.0.2.9"
    )
    session.commit()
    assert done.list_ids == (double.id, single.id)
    assert states(session) == {double.id: "unsubscribed", single.id: "unsubscribed"}
    withdrawn = session.scalars(select(Consent).where(Consent.act == "withdrawn").order_by(Consent.id)).all()
    assert [(row.list_id, row.wording, str(row.ip)) for row in withdrawn] == [
        (double.id, "one-click", "192.0.2.9"),
        (single.id, "one-click", "192.0.2.9"),
    ]
    assert not suppressing.is_suppressed(session, "ann@example.org")


def test_the_other_lists_stay(session: Session, ann: Subscriber, double: List, single: List) -> None:
    leaving.unsubscribe(session, UnsubscribeTarget(ann.id, 0, (double.id,)))
    assert states(session) == {double.id: "unsubscribed", single.id: "confirmed"}


def test_a_second_unsubscribe_is_accepted_quietly(session: Session, ann: Subscriber, double: List) -> None:
    target = UnsubscribeTarget(ann.id, 0, (double.id,))
    leaving.unsubscribe(session, target)
    session.commit()
    moment = session.scalars(select(Subscription).where(Subscription.list_id == double.id)).one().unsubscribed_at
    before = len(consents(session))
    assert leaving.unsubscribe(session, target).list_ids == ()
    session.commit()
    session.expire_all()
    again = session.scalars(select(Subscription).where(Subscription.list_id == double.id)).one()
    assert again.unsubscribed_at == moment
    assert len(consents(session)) == before


def test_unknown_readers_and_lists_are_left_quietly(session: Session, ann: Subscriber, double: List) -> None:
    assert leaving.unsubscribe(session, UnsubscribeTarget(99_999, 0, (double.id,))).list_ids == ()
    assert leaving.unsubscribe(session, UnsubscribeTarget(ann.id, 0, (99_999,))).list_ids == ()
    assert leaving.leave_all(session, 99_999).list_ids == ()
    assert leaving.resubscribe(session, 99_999) == ()
    ann.erased_at = now(session)
    session.flush()
    assert leaving.unsubscribe(session, UnsubscribeTarget(ann.id, 0, (double.id,))).list_ids == ()


def test_many_clicks_at_once_leave_once(session: Session, ann: Subscriber, double: List) -> None:
    barrier = threading.Barrier(4)
    left: list[tuple[int, ...]] = []

    def run() -> None:
        with session_scope() as own:
            barrier.wait(10)
            left.append(leaving.unsubscribe(own, UnsubscribeTarget(ann.id, 0, (double.id,))).list_ids)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(left) == [(), (), (), (double.id,)]
    assert [act for _, act in consents(session)].count("withdrawn") == 1


def test_leaving_everything_also_keeps_the_address_from_imports(
    session: Session, ann: Subscriber, double: List, single: List
) -> None:
    assert leaving.leave_all(session, ann.id).list_ids == (double.id, single.id)
    [suppression] = suppressing.find_suppressions(session, ann.email_key)
    assert suppression.reason == "unsubscribed_all"
    leaving.leave_all(session, ann.id)
    assert len(suppressing.find_suppressions(session, ann.email_key)) == 1


def test_the_undo_brings_back_what_was_left_last_and_nothing_else(
    session: Session, ann: Subscriber, double: List, single: List
) -> None:
    leaving.unsubscribe(session, UnsubscribeTarget(ann.id, 0, (double.id,)))
    session.commit()
    leaving.unsubscribe(session, UnsubscribeTarget(ann.id, 0, (single.id,)))
    session.commit()
    assert leaving.resubscribe(session, ann.id, wording="撤销") == (single.id,)
    session.commit()
    assert states(session) == {double.id: "unsubscribed", single.id: "confirmed"}
    assert consents(session)[-1] == (single.id, "confirmed")


def test_the_undo_of_leaving_everything_restores_all_of_it(
    session: Session, ann: Subscriber, double: List, single: List
) -> None:
    leaving.leave_all(session, ann.id)
    session.commit()
    assert leaving.resubscribe(session, ann.id) == (double.id, single.id)
    session.commit()
    assert not suppressing.is_suppressed(session, ann.email_key)
    assert leaving.resubscribe(session, ann.id) == ()


def test_a_day_later_there_is_no_undo(session: Session, ann: Subscriber, double: List) -> None:
    leaving.unsubscribe(session, UnsubscribeTarget(ann.id, 0, (double.id,)))
    a_day_ago = now(session) - dt.timedelta(hours=leaving.UNDO_HOURS, seconds=1)
    session.execute(update(Subscription).where(Subscription.list_id == double.id).values(unsubscribed_at=a_day_ago))
    session.commit()
    assert leaving.find_undoable(session, ann.id) == ()
    assert leaving.resubscribe(session, ann.id) == ()
    assert states(session)[double.id] == "unsubscribed"


def test_an_archived_list_cannot_be_undone_into(session: Session, ann: Subscriber, double: List) -> None:
    leaving.unsubscribe(session, UnsubscribeTarget(ann.id, 0, (double.id,)))
    newsletters.archive_list(session, double, at=now(session))
    session.commit()
    assert leaving.resubscribe(session, ann.id) == ()
