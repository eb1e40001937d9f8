import threading

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from mailer.db import new_session
from mailer.dispatch import launching
from mailer.dispatch.claiming import Batch, claim, list_suspended, recheck, renew, split_holder
from mailer.dispatch.models import Mailing, Suspension
from mailer.dispatch.preparing import prepare
from tests.dispatch.conftest import House

EVERY = {"other": 1000, "qq.com": 1000, "netease.com": 1000}


def take(
    session: Session, mailing: Mailing, *, key: str = "host-1", token: str = "1", batch: int = 1000, **quotas: int
) -> Batch:
    taken = claim(session, mailing.id, key=key, token=token, quotas=quotas or EVERY, batch=batch, lease=60)
    session.commit()
    return taken


@pytest.fixture
def mailing(house: House) -> Mailing:
    house.subscribe(4, lists=(0, 1))
    house.subscribe(3, domain="qq.com")
    mailing = house.mailing(0, 1)
    prepare(mailing.id)
    return mailing


def test_a_claim_gives_what_sending_needs_and_is_leased(house: House, mailing: Mailing) -> None:
    taken = take(house.session, mailing)
    assert len(taken.claims) == 7
    assert taken.skipped == 0
    first = taken.claims[0]
    assert (first.address, first.name, first.provider) == ("R1@example.org", "读者1", "other")
    assert first.list_ids == (house.lists[0].id, house.lists[1].id)
    assert (first.attempts, first.faults, first.token) == (0, 0, "1")
    row = house.deliveries(mailing)[0]
    assert (row.state, row.claimed_by) == ("claimed", "host-1/1")
    assert split_holder(row.claimed_by) == ("host-1", "1")
    seconds = house.session.scalar(
        text("SELECT extract(epoch FROM lease_until - now()) FROM deliveries WHERE id = :id"), {"id": row.id}
    )
    assert 50 < float(seconds) <= 60


def test_batch_and_quotas_bound_a_claim(house: House, mailing: Mailing) -> None:
    assert len(take(house.session, mailing, batch=2).claims) == 2
    taken = take(house.session, mailing, **{"qq.com": 1, "other": 0})
    assert [found.provider for found in taken.claims] == ["qq.com"]
    assert take(house.session, mailing, batch=0).claims == ()
    assert house.states(mailing) == {"claimed": 3, "queued": 4}


def test_what_is_claimed_is_not_claimed_again(house: House, mailing: Mailing) -> None:
    assert len(take(house.session, mailing).claims) == 7
    assert take(house.session, mailing, key="host-2") == Batch((), 0)


def test_workers_that_claim_at_once_never_get_the_same_delivery(house: House, mailing: Mailing) -> None:
    house.session.commit()
    found: list[int] = []
    barrier = threading.Barrier(4)

    def worker(number: int) -> None:
        session = new_session()
        barrier.wait()
        while (taken := take(session, mailing, key=f"host-{number}", batch=1)).claims:
            found.extend(claimed.delivery_id for claimed in taken.claims)
        session.close()

    threads = [threading.Thread(target=worker, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(found) == [delivery.id for delivery in house.deliveries(mailing)]


def test_a_row_that_another_worker_has_locked_is_passed_over_without_waiting(house: House, mailing: Mailing) -> None:
    locked = house.deliveries(mailing)[0].id
    house.session.execute(text("SELECT 1 FROM deliveries WHERE id = :id FOR UPDATE"), {"id": locked})
    other = new_session()
    assert locked not in [claimed.delivery_id for claimed in take(other, mailing).claims]
    other.close()


def test_what_is_not_due_yet_is_left_alone(house: House, mailing: Mailing) -> None:
    house.session.execute(text("UPDATE deliveries SET next_attempt_at = now() + interval '1 hour'"))
    house.session.commit()
    assert take(house.session, mailing) == Batch((), 0)


@pytest.mark.parametrize("act", [lambda s, m: launching.pause(s, m, ""), launching.cancel])
def test_a_mailing_that_is_paused_or_cancelled_is_not_claimed_from(house: House, mailing: Mailing, act) -> None:  # type: ignore[no-untyped-def]
    act(house.session, mailing)
    house.session.commit()
    assert take(house.session, mailing) == Batch((), 0)


def test_a_suppressed_reader_is_skipped_in_the_claim(house: House, mailing: Mailing) -> None:
    rows = house.deliveries(mailing)
    house.suppress(rows[0].subscriber_id)
    house.suppress(rows[1].subscriber_id, house.newsletter.id)
    taken = take(house.session, mailing)
    assert (len(taken.claims), taken.skipped) == (5, 2)
    rows = house.deliveries(mailing)
    assert [(row.state, row.reason, row.claimed_by) for row in rows[:2]] == [("skipped", "suppressed", None)] * 2
    assert rows[0].settled_at is not None
    assert house.states(mailing) == {"claimed": 5, "skipped": 2}


def test_a_reader_who_left_every_list_they_came_by_is_skipped(house: House, mailing: Mailing) -> None:
    left_one, left_all = (delivery.subscriber_id for delivery in house.deliveries(mailing)[:2])
    house.leave(left_all)
    house.session.execute(
        text("UPDATE subscriptions SET state = 'unsubscribed' WHERE subscriber_id = :reader AND list_id = :list"),
        {"reader": left_one, "list": house.lists[0].id},
    )
    house.session.commit()
    taken = take(house.session, mailing)
    assert left_one in [claimed.subscriber_id for claimed in taken.claims]
    skipped = [row for row in house.deliveries(mailing) if row.state == "skipped"]
    assert [(row.subscriber_id, row.reason) for row in skipped] == [(left_all, "unsubscribed")]


def test_a_reader_erased_since_is_skipped(house: House, mailing: Mailing) -> None:
    gone = house.deliveries(mailing)[0].subscriber_id
    house.session.execute(text("DELETE FROM subscribers WHERE id = :id"), {"id": gone})
    house.session.commit()
    taken = take(house.session, mailing)
    assert taken.skipped == 1
    assert gone not in [claimed.subscriber_id for claimed in taken.claims]


def test_an_unsubscription_committed_after_the_claim_is_seen_by_the_second_look(house: House, mailing: Mailing) -> None:
    taken = take(house.session, mailing)
    left, suppressed, lost = (claimed for claimed in taken.claims[:3])
    house.leave(left.subscriber_id)
    house.suppress(suppressed.subscriber_id)
    house.session.execute(
        text("UPDATE deliveries SET claimed_by = 'host-2/9' WHERE id = :id"), {"id": lost.delivery_id}
    )
    house.session.commit()
    ids = [claimed.delivery_id for claimed in taken.claims]
    allowed = recheck(house.session, "host-1", ids)
    assert allowed == {
        left.delivery_id: "unsubscribed",
        suppressed.delivery_id: "suppressed",
        **dict.fromkeys(ids[3:]),
    }
    launching.pause(house.session, mailing, "")
    assert recheck(house.session, "host-1", ids) == {}
    launching.cancel(house.session, mailing)
    assert set(recheck(house.session, "host-1", ids).values()) == {"cancelled"}


def test_a_lease_is_lengthened_for_its_holder_only(house: House, mailing: Mailing) -> None:
    ids = [claimed.delivery_id for claimed in take(house.session, mailing).claims]
    renew(house.session, "host-2", ids, 3600)
    left = text("SELECT max(extract(epoch FROM lease_until - now())) FROM deliveries")
    assert float(house.session.scalar(left) or 0) < 61
    renew(house.session, "host-1", ids[:1], 3600)
    assert float(house.session.scalar(left) or 0) > 3500
    house.session.commit()


def test_suspended_providers_are_named_while_it_lasts(house: House) -> None:
    house.session.add_all(
        [
            Suspension(provider="qq.com", until=house.issue.created_at.replace(year=2099), reply_class="rate"),
            Suspension(provider="netease.com", until=house.issue.created_at, reply_class="rate"),
        ]
    )
    house.session.commit()
    assert list_suspended(house.session) == {"qq.com"}


def test_a_claim_reads_only_as_many_rows_as_it_takes(house: House) -> None:
    """However long the roster and however many of them wait for a suspended provider."""
    house.subscribe(3000, domain="qq.com")
    house.subscribe(3000)
    mailing = house.mailing(0)
    prepare(mailing.id)
    house.session.execute(text("ANALYZE deliveries"))
    house.session.commit()
    read = text("SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'deliveries'")
    before = house.session.scalar(read) or 0
    claim(house.session, mailing.id, key="k", token="1", quotas={"other": 50}, batch=50, lease=60)
    after = house.session.scalar(read) or 0
    house.session.commit()
    assert after - before <= 4 * 50
