"""The counts kept beside the subscriptions say what counting would, whatever was done, and by how many at once."""

import threading

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from mailer.audience.counting import count_by_list, fold_counts
from mailer.audience.models import Subscriber, Subscription, SubscriptionCount
from mailer.audience.rules import SubscriptionState
from mailer.db import session_scope
from mailer.newsletters.models import List

CONFIRMED, UNSUBSCRIBED = SubscriptionState.CONFIRMED, SubscriptionState.UNSUBSCRIBED


def counted(session: Session) -> dict[int, dict[SubscriptionState, int]]:
    counts: dict[int, dict[SubscriptionState, int]] = {}
    query = select(Subscription.list_id, Subscription.state, func.count()).group_by(
        Subscription.list_id, Subscription.state
    )
    for list_id, state, count in session.execute(query):
        counts.setdefault(list_id, dict.fromkeys(SubscriptionState, 0))[SubscriptionState(state)] = count
    return counts


def add_readers(session: Session, count: int, *lists: List, name: str = "r") -> None:
    for number in range(count):
        key = f"{name}{number}@example.org"
        person = Subscriber(email=key, email_key=key, domain="example.org")
        person.subscriptions = [Subscription(list_id=each.id, state=CONFIRMED, source="test") for each in lists]
        session.add(person)
    session.flush()


def test_every_state_of_a_list_is_named(session: Session, double: List, single: List) -> None:
    assert count_by_list(session) == {}
    add_readers(session, 10, double)
    add_readers(session, 5, single, name="s")
    session.execute(update(Subscription).where(Subscription.list_id == single.id).values(state=UNSUBSCRIBED))
    assert count_by_list(session) == {
        double.id: {"unconfirmed": 0, "confirmed": 10, "unsubscribed": 0, "removed": 0},
        single.id: {"unconfirmed": 0, "confirmed": 0, "unsubscribed": 5, "removed": 0},
    }


def test_whatever_statement_changes_subscriptions_the_counts_follow(
    session: Session, double: List, single: List
) -> None:
    add_readers(session, 12, double, single)
    ids = session.scalars(select(Subscriber.id).order_by(Subscriber.id)).all()
    # Two lists change places in one statement; nothing changes at all; a reader goes with all they had.
    session.execute(text("UPDATE subscriptions SET state = 'removed' WHERE subscriber_id <= :id"), {"id": ids[3]})
    assert count_by_list(session) == counted(session)
    session.execute(text("UPDATE subscriptions SET source = 'other'"))
    session.execute(
        text(
            "INSERT INTO subscriptions (subscriber_id, list_id, state, source)"
            " SELECT id, :list_id, 'confirmed', 'import' FROM subscribers"
            " ON CONFLICT (subscriber_id, list_id) DO UPDATE SET state = excluded.state"
        ),
        {"list_id": single.id},
    )
    assert count_by_list(session) == counted(session)
    assert count_by_list(session)[single.id][CONFIRMED] == 12
    session.execute(delete(Subscriber).where(Subscriber.id == ids[5]))
    assert count_by_list(session) == counted(session)
    session.execute(text("DELETE FROM subscriptions WHERE list_id = :list_id"), {"list_id": double.id})
    assert set(count_by_list(session)) == {single.id}
    session.execute(text("TRUNCATE subscriptions"))
    assert count_by_list(session) == {}


def test_what_is_rolled_back_is_not_counted(session: Session, double: List) -> None:
    add_readers(session, 2, double)
    with session.begin_nested() as point:
        add_readers(session, 3, double, name="s")
        point.rollback()
    assert count_by_list(session)[double.id][CONFIRMED] == 2


def test_folding_changes_no_count_and_leaves_few_rows(session: Session, double: List, single: List) -> None:
    for number in range(6):
        add_readers(session, 1, double, single, name=f"r{number}-")
    session.execute(update(Subscription).where(Subscription.list_id == single.id).values(state=UNSUBSCRIBED))
    before = count_by_list(session)
    assert fold_counts(session) == 2
    assert session.scalar(select(func.count()).select_from(SubscriptionCount)) == 2
    assert count_by_list(session) == before == counted(session)


def test_those_who_fold_and_those_who_subscribe_do_not_lose_each_others_counts(session: Session, double: List) -> None:
    session.commit()
    list_id = double.id
    ready = threading.Barrier(4, timeout=20)

    def subscribe(name: str) -> None:
        ready.wait()
        for number in range(20):
            with session_scope() as own:
                key = f"{name}{number}@example.org"
                person = Subscriber(email=key, email_key=key, domain="example.org")
                person.subscriptions = [Subscription(list_id=list_id, state=CONFIRMED, source="test")]
                own.add(person)

    def fold() -> None:
        ready.wait()
        for _ in range(20):
            with session_scope() as own:
                fold_counts(own)

    threads = [
        *[threading.Thread(target=subscribe, args=(name,)) for name in ("a", "b")],
        *[threading.Thread(target=fold) for _ in range(2)],
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert count_by_list(session) == counted(session)
    assert count_by_list(session)[list_id][CONFIRMED] == 40
