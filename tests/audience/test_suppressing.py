import datetime as dt
import threading

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import newsletters
from mailer.audience import suppressing
from mailer.audience.models import Subscriber, Suppression
from mailer.audience.rules import SuppressionReason
from mailer.db import now, session_scope
from mailer.newsletters.models import Newsletter


@pytest.fixture
def newsletter(session: Session) -> Newsletter:
    made = newsletters.create_newsletter(
        session, slug="tech", title="科技参考", sender_name="编辑部", sender_address="editor@example.org"
    )
    session.commit()
    return made


def suppress(session: Session, reason: SuppressionReason = SuppressionReason.MANUAL, **values: object) -> Suppression:
    return suppressing.suppress(session, email_key="ann@example.org", reason=reason, **values)  # type: ignore[arg-type]


def is_in_sql(session: Session, newsletter_id: int | None) -> bool:
    """Whether the set-based condition finds Ann's row."""
    if session.scalar(select(Subscriber)) is None:
        session.add(Subscriber(email="Ann@example.org", email_key="ann@example.org", domain="example.org"))
        session.flush()
    return session.scalar(select(Subscriber).where(suppressing.active_suppression(newsletter_id))) is not None


def test_a_suppression_everywhere_holds_for_every_newsletter(session: Session, newsletter: Newsletter) -> None:
    assert not suppressing.is_suppressed(session, "ann@example.org")
    suppress(session)
    assert suppressing.is_suppressed(session, "ann@example.org")
    assert suppressing.is_suppressed(session, "ann@example.org", newsletter.id)
    assert not suppressing.is_suppressed(session, "bob@example.org", newsletter.id)
    assert is_in_sql(session, newsletter.id)
    assert is_in_sql(session, None)


def test_a_suppression_for_one_newsletter_leaves_the_others_alone(session: Session, newsletter: Newsletter) -> None:
    suppress(session, newsletter_id=newsletter.id)
    assert suppressing.is_suppressed(session, "ann@example.org", newsletter.id)
    assert not suppressing.is_suppressed(session, "ann@example.org", newsletter.id + 1)
    assert not suppressing.is_suppressed(session, "ann@example.org")
    assert is_in_sql(session, newsletter.id)
    assert not is_in_sql(session, newsletter.id + 1)


def test_suppressing_twice_keeps_one_row(session: Session) -> None:
    first = suppress(session, SuppressionReason.HARD_BOUNCE, note="550 5.1.1")
    second = suppress(session, SuppressionReason.HARD_BOUNCE, note="again")
    assert (first.id, second.note) == (second.id, "550 5.1.1")


def test_a_stronger_reason_takes_the_place_of_a_weaker_one_and_never_the_other_way(session: Session) -> None:
    weak = suppress(session, SuppressionReason.UNSUBSCRIBED_ALL)
    strong = suppress(session, SuppressionReason.COMPLAINT)
    assert weak.lifted_at is not None
    assert strong.lifted_at is None
    assert suppress(session, SuppressionReason.MANUAL).id == strong.id
    assert suppressing.find_suppressions(session, "ann@example.org") == [strong]


def test_lifted_it_no_longer_holds_and_can_be_made_again(session: Session) -> None:
    first = suppress(session, note="asked by phone")
    suppressing.lift(session, first, note="mailbox works again")
    assert not suppressing.is_suppressed(session, "ann@example.org")
    assert not is_in_sql(session, None)
    assert first.note == "asked by phone\nmailbox works again"
    moment = first.lifted_at
    suppressing.lift(session, first)
    assert first.lifted_at == moment
    assert suppress(session).id != first.id
    assert suppressing.is_suppressed(session, "ann@example.org")


def test_an_expired_one_no_longer_holds_and_makes_room_for_a_new_one(session: Session) -> None:
    moment = now(session)
    old = suppress(session, SuppressionReason.COMPLAINT, expires_at=moment - dt.timedelta(seconds=1))
    assert not suppressing.is_suppressed(session, "ann@example.org")
    assert not is_in_sql(session, None)
    new = suppress(session, SuppressionReason.MANUAL, expires_at=moment + dt.timedelta(days=1))
    assert old.lifted_at is not None
    assert new.id != old.id
    assert is_in_sql(session, None)


def test_an_erased_address_is_recognised_by_its_keyed_hash_alone(session: Session) -> None:
    key = suppressing.erased_key("ann@example.org")
    assert "ann" not in key
    assert key != suppressing.erased_key("bob@example.org")
    suppressing.suppress(session, email_key=key, reason=SuppressionReason.ERASED)
    assert suppressing.is_suppressed(session, "ann@example.org")
    assert not suppressing.is_suppressed(session, "bob@example.org")


def test_two_transactions_that_suppress_at_once_make_one_row(session: Session) -> None:
    barrier = threading.Barrier(2)
    ids: list[int] = []

    def run() -> None:
        with session_scope() as own:
            barrier.wait(10)
            ids.append(suppress(own).id)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(set(ids)) == 1
    assert len(session.scalars(select(Suppression)).all()) == 1


def test_only_the_wanted_reasons_count_where_letters_ask(session: Session) -> None:
    suppress(session, SuppressionReason.UNSUBSCRIBED_ALL)
    session.add(Subscriber(email="ann@example.org", email_key="ann@example.org", domain="example.org"))
    session.flush()
    blockers = [SuppressionReason.HARD_BOUNCE, SuppressionReason.COMPLAINT]
    query = select(Subscriber).where(suppressing.active_suppression(None, reasons=blockers))
    assert session.scalar(query) is None
    suppress(session, SuppressionReason.HARD_BOUNCE)
    assert session.scalar(query) is not None


def test_the_list_pages_by_id_and_finds_a_part_of_an_address_literally(session: Session) -> None:
    for number in range(5):
        suppressing.suppress(session, email_key=f"r_{number}@example.org", reason=SuppressionReason.MANUAL)
    first = suppressing.list_suppressions(session, limit=3)
    rest = suppressing.list_suppressions(session, limit=3, before_id=first[-1].id)
    assert [row.email_key for row in first + rest] == [f"r_{number}@example.org" for number in range(4, -1, -1)]
    assert [row.email_key for row in suppressing.list_suppressions(session, email_key="R_3")] == ["r_3@example.org"]
    assert suppressing.list_suppressions(session, email_key="r%3") == []
