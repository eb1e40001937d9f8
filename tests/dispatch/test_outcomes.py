import datetime as dt
from dataclasses import replace

import pytest

from mailer.dispatch.envelopes import Result
from mailer.dispatch.outcomes import Settlement, decide, give_back, is_outage, is_refused_entry, skip
from mailer.dispatch.replies import get_table
from mailer.dispatch.rules import DeliveryEvent, DeliveryState, Outcome, SkipReason

ACCEPTED = Result(
    delivery_id=1,
    outcome=Outcome.ACCEPTED,
    reply_class="accepted",
    stage="content",
    code=250,
    enhanced="2.0.0",
    reply="queued",
    is_tls=True,
    duration_ms=12,
    relay="default",
    is_relay_fault=False,
)
DEFERRED = replace(ACCEPTED, outcome=Outcome.DEFERRED, reply_class="greylist", stage="rcpt", code=451, enhanced="4.7.1")
FAULT = replace(DEFERRED, reply_class="connection", code=None, enhanced=None, is_relay_fault=True)


def settle(result: Result, *, attempts: int = 0, faults: int = 0) -> Settlement:
    return decide(result, claimed_by="k/1", provider="qq.com", attempts=attempts, faults=faults, give_up_hours=72)


def test_accepted_is_accepted_with_the_servers_words() -> None:
    done = settle(ACCEPTED)
    assert (done.state, done.reason, done.attempts, done.faults) == (DeliveryState.ACCEPTED, "", 1, 0)
    assert (done.code, done.enhanced, done.reply) == (250, "2.0.0", "queued")
    assert done.attempt is not None
    assert (done.attempt.relay, done.attempt.is_tls, done.attempt.duration_ms) == ("default", True, 12)


def test_a_deferral_of_the_recipients_own_burns_the_budget_and_climbs_the_ladder() -> None:
    waits = [settle(DEFERRED, attempts=count).wait for count in range(7)]
    assert waits == [dt.timedelta(minutes=minutes) for minutes in (5, 15, 30, 60, 120, 240, 240)]
    once = settle(DEFERRED)
    assert (once.state, once.attempts, once.faults, once.reason) == (DeliveryState.QUEUED, 1, 0, "greylist")


@pytest.mark.parametrize("fault", [FAULT, replace(FAULT, reply_class="rate", code=550, enhanced=None)])
def test_a_fault_of_relay_or_provider_burns_nothing_and_waits_an_hour_at_most(fault: Result) -> None:
    done = settle(fault, attempts=21, faults=10)
    assert (done.state, done.attempts, done.faults, done.wait) == (
        DeliveryState.QUEUED, 0, 1, dt.timedelta(hours=1),
    )  # fmt: skip


def test_a_spent_budget_expires_and_so_do_faults_that_never_end() -> None:
    assert settle(DEFERRED, attempts=22).state is DeliveryState.EXPIRED
    assert settle(DEFERRED, attempts=20, faults=70).state is DeliveryState.QUEUED
    assert settle(FAULT, faults=80).state is DeliveryState.EXPIRED
    assert settle(DEFERRED, attempts=22).reason == "greylist"


@pytest.mark.parametrize("stage", ["connect", "greeting", "ehlo", "starttls", "auth"])
def test_a_relay_that_does_not_let_us_in_gives_the_delivery_back_as_it_was(stage: str) -> None:
    result = replace(FAULT, stage=stage)
    assert is_outage(result)
    assert settle(result, attempts=3) == give_back(1, "k/1")


def test_a_full_disk_under_the_journal_is_an_outage_of_ours() -> None:
    result = replace(FAULT, stage="data", reply_class="journal")
    assert is_outage(result)
    assert settle(result) == give_back(1, "k/1")


def test_what_was_withheld_goes_back_and_is_no_outage() -> None:
    result = replace(FAULT, stage="mail", reply_class="withheld", is_relay_fault=False)
    assert not is_outage(result)
    assert settle(result) == give_back(1, "k/1")


def test_a_sender_refused_for_good_is_an_outage_that_a_person_must_mend() -> None:
    result = replace(FAULT, stage="mail", reply_class="sender", code=550)
    assert is_outage(result)
    assert is_refused_entry(result)
    assert not is_refused_entry(replace(result, code=450))
    assert not is_outage(replace(result, code=450))
    assert not is_refused_entry(replace(result, stage="rcpt"))


def test_only_a_class_about_the_address_makes_it_dead() -> None:
    for name, found in get_table().classes.items():
        rejected = settle(replace(ACCEPTED, outcome=Outcome.REJECTED, reply_class=name, code=550))
        assert rejected.is_address_dead == found.suppresses
        if found.about != "address":
            assert not rejected.is_address_dead
        assert not settle(replace(DEFERRED, reply_class=name), attempts=22).is_address_dead


def test_unknown_stays_unknown_until_a_person_decides() -> None:
    done = settle(replace(ACCEPTED, outcome=Outcome.UNKNOWN, reply_class="lost_reply", code=None))
    assert (done.state, done.wait, done.attempts) == (DeliveryState.UNKNOWN, None, 1)


def test_a_skip_says_why() -> None:
    assert skip(1, "k/1", SkipReason.UNSUBSCRIBED) == Settlement(1, "k/1", DeliveryEvent.SKIP, "unsubscribed")
