import datetime as dt
from collections.abc import Sequence

import pytest
from sqlalchemy import select, text

from mailer.accounts.models import Account, AuditEntry
from mailer.audience.models import Suppression
from mailer.dispatch import launching, outcomes
from mailer.dispatch.claiming import Claim, claim, holder
from mailer.dispatch.finishing import finish_drained, list_due, list_queued_providers, next_due
from mailer.dispatch.models import Attempt, Delivery, Mailing, Suspension
from mailer.dispatch.outcomes import Attempted, Settlement
from mailer.dispatch.preparing import prepare
from mailer.dispatch.rules import DeliveryEvent, MailingState, Outcome
from mailer.dispatch.settling import count_unknown, keep, list_unknown, send_again, settle
from mailer.dispatch.suspending import (
    end_relay_suspension,
    is_suspended,
    list_suspensions,
    suspend_relay,
)
from mailer.errors import RuleError
from tests.dispatch.conftest import House

EVERY = {"other": 1000, "qq.com": 1000, "netease.com": 1000}


@pytest.fixture
def mailing(house: House) -> Mailing:
    house.subscribe(4)
    mailing = house.mailing(0)
    prepare(mailing.id)
    return mailing


def take(house: House, mailing: Mailing, *, token: str = "1") -> tuple[Claim, ...]:
    taken = claim(house.session, mailing.id, key="host-1", token=token, quotas=EVERY, batch=1000, lease=60)
    house.session.commit()
    return taken.claims


def rejected(claimed: Claim, reason: str, *, code: int = 550, reply: str = "no", event: str = "reject") -> Settlement:
    return Settlement(
        delivery_id=claimed.delivery_id,
        claimed_by=holder("host-1", claimed.token),
        event=DeliveryEvent(event),
        reason=reason,
        wait=dt.timedelta(minutes=5) if event == "defer" else None,
        attempts=1,
        code=code,
        enhanced="5.1.1",
        reply=reply,
        provider=claimed.provider,
        attempt=Attempted(Outcome.REJECTED, reason, "rcpt", relay="r", is_tls=False, duration_ms=3),
    )


def accepted(claimed: Claim) -> Settlement:
    return rejected(claimed, "", code=250, reply="ok", event="accept")


def lost(claimed: Claim) -> Settlement:
    return rejected(claimed, "lost_reply", event="lose")


def write(house: House, settlements: Sequence[Settlement]) -> set[int]:
    settled = settle(house.session, settlements)
    house.session.commit()
    return settled


def test_a_settlement_is_written_with_its_attempt(house: House, mailing: Mailing) -> None:
    first, second, third, fourth = take(house, mailing)
    settled = write(
        house,
        [
            accepted(first),
            rejected(second, "greylist", code=451, event="defer"),
            outcomes.give_back(third.delivery_id, "host-1/1"),
            lost(fourth),
        ],
    )
    assert len(settled) == 4
    assert house.states(mailing) == {"accepted": 1, "queued": 2, "unknown": 1}
    rows = house.deliveries(mailing)
    assert [(row.attempts, row.code, row.claimed_by) for row in rows] == [
        (1, 250, "host-1/1"), (1, 451, None), (0, None, None), (1, 550, "host-1/1"),
    ]  # fmt: skip
    assert rows[1].next_attempt_at > rows[2].next_attempt_at
    assert rows[2].settled_at is None
    attempts = house.session.scalars(select(Attempt).order_by(Attempt.id)).all()
    assert [attempt.delivery_id for attempt in attempts] == [first.delivery_id, second.delivery_id, fourth.delivery_id]
    house.session.refresh(mailing)
    assert mailing.progressed_at is not None


def test_whoever_comes_second_changes_nothing(house: House, mailing: Mailing) -> None:
    first = take(house, mailing)[0]
    assert write(house, [accepted(first)]) == {first.delivery_id}
    assert write(house, [rejected(first, "no_such_user")]) == set()
    assert house.states(mailing)["accepted"] == 1
    assert len(house.session.scalars(select(Attempt)).all()) == 1
    assert house.session.scalars(select(Suppression)).all() == []


def test_an_earlier_claim_of_the_same_process_settles_nothing(house: House, mailing: Mailing) -> None:
    old = take(house, mailing)
    write(house, [outcomes.give_back(each.delivery_id, "host-1/1") for each in old])
    new = take(house, mailing, token="2")
    assert write(house, [accepted(old[0])]) == set()
    assert write(house, [accepted(new[0])]) == {new[0].delivery_id}


def test_a_dead_address_is_suppressed_everywhere_once(house: House, mailing: Mailing) -> None:
    first, second = take(house, mailing)[:2]
    house.suppress(first.subscriber_id)
    write(house, [rejected(first, "no_such_user", reply="gone\0away"), rejected(second, "content")])
    rows = house.session.scalars(select(Suppression).where(Suppression.lifted_at.is_(None))).all()
    assert [row.email_key for row in rows] == ["r1@example.org"]
    assert house.states(mailing)["rejected"] == 2


def test_a_reply_with_a_nul_in_it_is_stored_without(house: House, mailing: Mailing) -> None:
    first = take(house, mailing)[0]
    write(house, [rejected(first, "unknown", reply="a\0b")])
    assert house.deliveries(mailing)[0].reply == "ab"


def test_nothing_to_settle_is_no_statement(house: House) -> None:
    assert settle(house.session, []) == set()


def test_rate_replies_suspend_their_provider_only_and_only_when_they_are_too_many(house: House) -> None:
    house.subscribe(10, domain="qq.com")
    mailing = house.mailing(0)
    prepare(mailing.id)
    claims = take(house, mailing)
    write(house, [rejected(each, "rate", event="defer") for each in claims[:4]])
    assert not is_suspended(house.session, "qq.com")
    write(house, [rejected(claims[4], "rate", event="defer")])
    (suspension,) = list_suspensions(house.session)
    assert (suspension.provider, suspension.reply_class) == ("qq.com", "rate")
    write(house, [rejected(each, "rate", event="defer") for each in claims[5:]])
    assert len(list_suspensions(house.session)) == 1


def test_old_rate_replies_are_forgotten_after_an_hour(house: House) -> None:
    house.subscribe(5, domain="qq.com")
    mailing = house.mailing(0)
    prepare(mailing.id)
    claims = take(house, mailing)
    write(house, [rejected(each, "rate", event="defer") for each in claims[:4]])
    house.session.execute(text("UPDATE attempts SET at = at - interval '61 minutes'"))
    write(house, [rejected(claims[4], "rate", event="defer")])
    assert list_suspensions(house.session) == []


def test_a_daily_quota_suspends_until_the_providers_midnight(house: House) -> None:
    house.subscribe(1, domain="163.com")
    mailing = house.mailing(0)
    prepare(mailing.id)
    write(house, [rejected(take(house, mailing)[0], "quota", event="defer")])
    (suspension,) = list_suspensions(house.session)
    local = suspension.until.astimezone(dt.timezone(dt.timedelta(hours=8)))
    assert (local.hour, local.minute, local.second) == (0, 0, 0)
    assert dt.timedelta() < suspension.until - suspension.created_at <= dt.timedelta(days=1)


def test_thousands_of_unrelated_servers_are_never_suspended_together(house: House, mailing: Mailing) -> None:
    write(house, [rejected(each, "rate", event="defer") for each in take(house, mailing)])
    assert list_suspensions(house.session) == []


def test_an_outage_is_one_row_whose_waits_grow_and_stay_below_a_minute(house: House) -> None:
    session = house.session
    assert suspend_relay(session, reply_class="connection", reply="refused") == dt.timedelta()
    seconds = text("SELECT extract(epoch FROM until - now()) FROM suspensions")
    assert 4 < float(session.scalar(seconds) or 0) <= 5
    for minutes, wait in ((1, 15), (10, 60), (600, 60)):
        session.execute(
            text("UPDATE suspensions SET created_at = now() - make_interval(mins => :m), until = now()"), {"m": minutes}
        )
        session.expire_all()
        lasted = suspend_relay(session, reply_class="connection", reply="refused again")
        assert lasted == dt.timedelta(minutes=minutes)
        assert wait - 1 < float(session.scalar(seconds) or 0) <= wait
    (outage,) = session.scalars(select(Suspension)).all()
    assert outage.reply == "refused again"
    assert is_suspended(session, "*")
    end_relay_suspension(session)
    assert not is_suspended(session, "*")
    assert suspend_relay(session, reply_class="tls", reply="") == dt.timedelta()
    assert len(session.scalars(select(Suspension)).all()) == 2
    session.rollback()


def test_a_mailing_is_finished_when_nothing_is_queued_or_claimed(house: House, mailing: Mailing) -> None:
    claims = take(house, mailing)
    assert finish_drained(house.session) == []
    write(house, [accepted(each) for each in claims[:-1]])
    assert finish_drained(house.session) == []
    write(house, [lost(claims[-1])])
    assert finish_drained(house.session, [mailing.id + 1]) == []
    assert finish_drained(house.session, [mailing.id]) == [mailing.id]
    house.session.commit()
    house.session.refresh(mailing)
    assert (mailing.state, mailing.finished_at is not None) == ("finished", True)
    assert finish_drained(house.session) == []


def test_a_paused_mailing_whose_last_deliveries_drained_is_finished(house: House, mailing: Mailing) -> None:
    claims = take(house, mailing)
    launching.pause(house.session, mailing, "")
    house.session.commit()
    write(house, [accepted(each) for each in claims])
    assert finish_drained(house.session) == [mailing.id]


def test_a_cancelled_mailing_stays_cancelled_when_it_has_drained(house: House, mailing: Mailing) -> None:
    claims = take(house, mailing)
    launching.cancel(house.session, mailing)
    house.session.commit()
    assert finish_drained(house.session) == []
    write(house, [accepted(each) for each in claims])
    assert finish_drained(house.session) == [mailing.id]
    house.session.commit()
    house.session.refresh(mailing)
    assert (mailing.state, mailing.finished_at is not None) == ("cancelled", True)


def test_sending_an_unknown_one_again_reopens_its_mailing_and_is_audited(house: House, mailing: Mailing) -> None:
    account = Account(email="a@example.org", email_key="a@example.org", name="管理员", roles=["admin"])
    house.session.add(account)
    house.session.commit()
    claims = take(house, mailing)
    write(house, [accepted(each) for each in claims[1:]] + [lost(claims[0])])
    finish_drained(house.session)
    house.session.commit()
    assert count_unknown(house.session) == 1
    (delivery,) = list_unknown(house.session)
    keep(house.session, delivery, account)
    house.session.commit()
    assert list_unknown(house.session) == []
    assert delivery.state == "unknown"
    send_again(house.session, delivery, account)
    house.session.commit()
    house.session.refresh(mailing)
    assert (mailing.state, mailing.finished_at) == ("sending", None)
    assert (delivery.state, delivery.attempts, delivery.claimed_by, delivery.kept_at) == ("queued", 0, None, None)
    assert take(house, mailing, token="2")[0].delivery_id == delivery.id
    acts = house.session.scalars(select(AuditEntry.action).where(AuditEntry.subject_type == "delivery")).all()
    assert acts == ["delivery.kept_unknown", "delivery.sent_again"]
    with pytest.raises(RuleError):
        send_again(house.session, delivery, account)
    house.session.rollback()


def test_a_cancelled_mailing_sends_no_unknown_one_again(house: House, mailing: Mailing) -> None:
    claims = take(house, mailing)
    write(house, [lost(claims[0])])
    launching.cancel(house.session, mailing)
    house.session.commit()
    (delivery,) = list_unknown(house.session, mailing_id=mailing.id)
    with pytest.raises(RuleError, match="cancelled"):
        send_again(house.session, delivery, None)
    house.session.rollback()
    keep(house.session, delivery, None)
    assert list_unknown(house.session) == []


def test_only_an_unknown_delivery_can_be_decided_on(house: House, mailing: Mailing) -> None:
    delivery = house.session.get_one(Delivery, house.deliveries(mailing)[0].id)
    for act in (send_again, keep):
        with pytest.raises(RuleError):
            act(house.session, delivery, None)
        house.session.rollback()


def test_due_mailings_take_turns(house: House) -> None:
    house.subscribe(2)
    house.subscribe(2, domain="qq.com")
    mailings = [house.mailing(0, is_repeat=True) for _ in range(3)]
    for each in mailings:
        prepare(each.id)
    first, second, third = (each.id for each in mailings)
    session = house.session
    assert list_queued_providers(session, first) == ["other", "qq.com"]
    assert list_due(session) == [first, second, third]
    assert [next_due(session, after) for after in (first, second, third)] == [second, third, first]
    session.execute(
        text("UPDATE deliveries SET next_attempt_at = now() + interval '1 minute' WHERE mailing_id = :id"),
        {"id": second},
    )
    launching.pause(session, mailings[2], "")
    assert list_due(session) == [first]
    session.execute(
        text("UPDATE deliveries SET next_attempt_at = now() + interval '1 minute' WHERE provider = 'other'")
    )
    session.add(Suspension(provider="qq.com", until=mailings[0].created_at.replace(year=2099), reply_class="rate"))
    session.flush()
    assert list_due(session) == []
    assert next_due(session, 0) is None
    session.rollback()
    assert mailings[2].state == MailingState.SENDING


def test_while_the_relay_is_left_alone_nothing_is_due(house: House, mailing: Mailing) -> None:
    suspend_relay(house.session, reply_class="connection", reply="")
    assert list_due(house.session) == []
    house.session.rollback()
    assert list_due(house.session) == [mailing.id]
