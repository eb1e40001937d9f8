import datetime as dt
import threading
from typing import Any

import pytest
from sqlalchemy import event, select, text

from mailer.audience.models import Subscriber, Suppression
from mailer.db import get_engine, now, session_scope
from mailer.dispatch import launching
from mailer.dispatch.exclusions import count_exclusions, get_exclusions
from mailer.dispatch.forecast import forecast
from mailer.dispatch.models import Delivery, Mailing
from mailer.dispatch.preparing import ISSUE_LOCK, prepare
from mailer.dispatch.rules import ExclusionReason, MailingState
from tests.dispatch.conftest import House


def test_each_confirmed_reader_is_on_the_roster_once_with_the_lists_they_came_by(house: House) -> None:
    both = house.subscribe(2, lists=(0, 1))
    one = house.subscribe(3, lists=(1,))
    house.subscribe(1, lists=(0,), domain="163.com")
    mailing = house.mailing(0, 1)
    prepared = prepare(mailing.id)
    assert prepared is not None
    assert prepared.roster_size == 6
    assert house.states(mailing) == {"queued": 6}
    by_reader = {delivery.subscriber_id: delivery for delivery in house.deliveries(mailing)}
    assert by_reader[both[0]].list_ids == [house.lists[0].id, house.lists[1].id]
    assert by_reader[one[0]].list_ids == [house.lists[1].id]
    assert sorted({delivery.provider for delivery in by_reader.values()}) == ["netease.com", "other"]
    assert by_reader[one[0]].address == house.session.get_one(Subscriber, one[0]).email
    house.session.refresh(mailing)
    assert mailing.state == MailingState.SENDING
    assert mailing.started_at is not None
    house.session.refresh(house.issue)
    assert house.issue.first_sent_at is not None


def test_unconfirmed_leavers_and_other_lists_are_no_candidates(house: House) -> None:
    left, unconfirmed = house.subscribe(2)
    house.subscribe(1, lists=(1,))
    stays = house.subscribe(1)
    house.leave(left)
    house.session.execute(
        text("UPDATE subscriptions SET state = 'unconfirmed' WHERE subscriber_id = :id"), {"id": unconfirmed}
    )
    house.session.commit()
    mailing = house.mailing(0)
    prepare(mailing.id)
    assert [delivery.subscriber_id for delivery in house.deliveries(mailing)] == stays
    assert house.exclusions(mailing) == {}


def test_the_suppressed_are_excluded_everywhere_or_for_this_newsletter_only(house: House) -> None:
    everywhere, here, elsewhere, lifted, expired, free = house.subscribe(6)
    house.suppress(everywhere)
    house.suppress(here, house.newsletter.id)
    other = type(house.newsletter)(slug="b", title="B", sender_name="B", sender_address="b@example.org")
    house.session.add(other)
    house.session.flush()
    house.suppress(elsewhere, other.id)
    for reader, column in ((lifted, "lifted_at"), (expired, "expires_at")):
        house.suppress(reader)
        key = house.session.get_one(Subscriber, reader).email_key
        suppression = house.session.scalars(select(Suppression).where(Suppression.email_key == key)).one()
        setattr(suppression, column, suppression.created_at)
        house.session.commit()
    mailing = house.mailing(0)
    prepare(mailing.id)
    assert house.exclusions(mailing) == {everywhere: "suppressed", here: "suppressed"}
    assert {delivery.subscriber_id for delivery in house.deliveries(mailing)} == {elsewhere, lifted, expired, free}


def test_the_left_out_are_counted_once_and_read_with_the_mailing(house: House) -> None:
    suppressed, twice, paused, _free = house.subscribe(4)
    house.suppress(suppressed)
    house.suppress(twice)
    house.session.get_one(Subscriber, paused).paused_until = now(house.session) + dt.timedelta(days=1)
    house.session.commit()
    mailing = house.mailing(0)
    assert mailing.exclusion_counts is None
    prepare(mailing.id)
    house.session.expire_all()
    assert mailing.exclusion_counts == {"suppressed": 2, "paused": 1} == count_exclusions(house.session, mailing.id)
    house.session.execute(text("DELETE FROM exclusions"))
    assert list(get_exclusions(house.session, mailing).items()) == [
        (ExclusionReason.SUPPRESSED, 2),
        (ExclusionReason.PAUSED, 1),
    ]


def test_a_mailing_that_left_nobody_out_says_so_without_counting(house: House) -> None:
    house.subscribe(1)
    mailing = house.mailing(0)
    prepare(mailing.id)
    house.session.expire_all()
    assert mailing.exclusion_counts == {}
    assert get_exclusions(house.session, mailing) == {}


def test_the_erased_are_neither_on_the_roster_nor_counted(house: House) -> None:
    erased, stays = house.subscribe(2)
    house.session.execute(text("UPDATE subscribers SET erased_at = now() WHERE id = :id"), {"id": erased})
    house.session.commit()
    mailing = house.mailing(0)
    prepare(mailing.id)
    assert [delivery.subscriber_id for delivery in house.deliveries(mailing)] == [stays]
    assert house.exclusions(mailing) == {}


@pytest.mark.parametrize("state", ["queued", "claimed", "accepted", "unknown"])
def test_the_same_issue_mailed_again_leaves_out_who_has_it_or_may_get_it(house: House, state: str) -> None:
    first, second = house.subscribe(2)
    earlier = house.mailing(0)
    prepare(earlier.id)
    lease = "now()" if state == "claimed" else "NULL"
    house.session.execute(
        text(f"UPDATE deliveries SET state = :state, lease_until = {lease} WHERE subscriber_id = :id"),
        {"state": state, "id": first},
    )
    house.session.execute(
        text("UPDATE deliveries SET state = 'rejected', settled_at = now() WHERE subscriber_id = :id"), {"id": second}
    )
    third = house.subscribe(1, lists=(0, 1))[0]
    # Edited and approved again: another edition, the same issue. What was queued would be its own (`test_halting`).
    if state != "queued":
        house.edition = house.new_edition()
    again = house.mailing(0, 1)
    prepare(again.id)
    assert house.exclusions(again) == {first: "already_sent"}
    assert {delivery.subscriber_id for delivery in house.deliveries(again)} == {second, third}
    assert house.states(again) == {"queued": 2}


def test_a_person_may_say_that_the_issue_goes_out_to_the_same_readers_again(house: House) -> None:
    house.subscribe(3)
    prepare(house.mailing(0).id)
    again = house.mailing(0, is_repeat=True)
    prepare(again.id)
    assert house.states(again) == {"queued": 3}


def test_another_issue_goes_to_everybody(house: House) -> None:
    house.subscribe(3)
    prepare(house.mailing(0).id)
    issue = type(house.issue)(newsletter_id=house.newsletter.id, title="第2期", state="approved")
    house.session.add(issue)
    house.session.commit()
    house.edition = house.new_edition(issue)
    following = house.mailing(0)
    prepare(following.id)
    assert house.states(following) == {"queued": 3}


def test_a_mailing_to_nobody_is_finished_at_once_and_publishes_nothing(house: House) -> None:
    only = house.subscribe(1)[0]
    house.suppress(only)
    mailing = house.mailing(0)
    prepared = prepare(mailing.id)
    assert prepared is not None
    assert prepared.state is MailingState.FINISHED
    assert house.states(mailing) == {}
    assert mailing.roster_size == 0
    assert mailing.finished_at is not None
    house.session.refresh(house.issue)
    assert house.issue.first_sent_at is None


def test_a_task_that_runs_twice_prepares_once(house: House) -> None:
    house.subscribe(5)
    mailing = house.mailing(0)
    assert prepare(mailing.id) is not None
    assert prepare(mailing.id) is None
    assert house.states(mailing) == {"queued": 5}


def test_a_preparation_cut_in_half_leaves_nothing_and_is_done_by_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.subscribe(5)
    mailing = house.mailing(0)
    with monkeypatch.context() as patch:
        patch.setattr("mailer.dispatch.preparing.mark_sent", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            prepare(mailing.id)
    assert house.deliveries(mailing) == []
    house.session.refresh(mailing)
    assert mailing.state == MailingState.PREPARING
    assert prepare(mailing.id) is not None
    assert house.states(mailing) == {"queued": 5}


def test_two_mailings_of_an_issue_are_not_prepared_at_once(house: House) -> None:
    house.subscribe(4)
    first, second = house.mailing(0), house.mailing(0)
    with get_engine().connect() as other:
        other.execute(text("SELECT pg_advisory_xact_lock(:a, :b)"), {"a": ISSUE_LOCK, "b": house.issue.id})
        assert prepare(first.id) is None
        other.rollback()
    assert prepare(first.id) is not None
    assert prepare(second.id) is not None
    assert house.states(second) == {}
    assert set(house.exclusions(second).values()) == {"already_sent"}


def test_a_mailing_cancelled_while_its_roster_is_frozen_keeps_nothing_of_it(house: House) -> None:
    house.subscribe(4)
    mailing = house.mailing(0)
    prepared: list[object] = []
    # The roster waits for a row lock on one of its readers' lists; meanwhile the mailing is cancelled.
    with get_engine().connect() as other:
        other.execute(text("LOCK TABLE exclusions IN ACCESS EXCLUSIVE MODE"))
        thread = threading.Thread(target=lambda: prepared.append(prepare(mailing.id)))
        thread.start()
        with session_scope() as session:
            while not session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                pass
            launching.cancel(session, session.get_one(Mailing, mailing.id))
        other.rollback()
    thread.join(30)
    assert prepared == [None]
    house.session.refresh(mailing)
    assert mailing.state == MailingState.CANCELLED
    assert house.session.scalars(select(Delivery.id)).all() == []


@pytest.mark.parametrize("state", ["draft", "scheduled", "sending", "paused", "finished", "cancelled"])
def test_a_mailing_whose_turn_it_is_not_is_left_alone(house: House, state: str) -> None:
    house.subscribe(1)
    mailing = house.mailing(0)
    mailing.state, mailing.scheduled_at = MailingState(state), mailing.created_at
    house.session.commit()
    assert prepare(mailing.id) is None
    assert house.deliveries(mailing) == []


def test_a_mailing_that_is_not_there_is_no_error(house: House) -> None:
    assert prepare(4711) is None


def test_a_list_filled_since_the_last_analyze_is_not_compared_reader_by_reader(house: House) -> None:
    """PostgreSQL then expects one reader of it at most; seen: minutes for 100,000, in nested loops over the others."""
    house.subscribe(3000)
    house.session.execute(text("ANALYZE subscribers, subscriptions"))
    house.subscribe(2000, lists=(1,))
    mailing = house.mailing(1)
    plans: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "candidates AS" in statement and not statement.startswith("EXPLAIN"):
            with connection.connection.cursor() as beside:
                beside.execute(f"EXPLAIN {statement}", parameters)
                plans.append("\n".join(row[0] for row in beside.fetchall()))

    event.listen(get_engine(), "before_cursor_execute", explain)
    try:
        forecast(house.session, house.edition.id, [house.lists[1].id])
        house.session.commit()
        prepared = prepare(mailing.id)
    finally:
        event.remove(get_engine(), "before_cursor_execute", explain)
    assert prepared is not None
    assert prepared.roster_size == 2000
    assert len(plans) == 2
    for plan in plans:
        assert "rows=1 " in plan, "the figures are not as stale as they should be"
        assert "Nested Loop" not in plan, plan
