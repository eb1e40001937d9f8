"""Relays and providers at their worst, under real workers."""

import pytest
from sqlalchemy import select

from mailer.audience.models import Suppression
from mailer.db import session_scope
from mailer.dispatch.models import Delivery, Mailing
from mailer.dispatch.progress import get_progress
from mailer.dispatch.replies import is_providers_limit
from mailer.embedded.bench_meters import peak_megabytes, tree_of
from tests.chaos.conftest import MakeStage
from tests.chaos.relay import HOSTILE, RATE_REPLIES, is_refused
from tests.chaos.stage import Stage, many

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


def suppressions() -> dict[str, str]:
    with session_scope() as session:
        return {row.email_key: row.reason for row in session.scalars(select(Suppression))}


def outcomes(mailing: Mailing) -> list[tuple[str, str, str, int, int]]:
    """(address, state, reason, attempts, faults) of every delivery."""
    with session_scope() as session:
        rows = session.execute(
            select(Delivery.address, Delivery.state, Delivery.reason, Delivery.attempts, Delivery.faults).where(
                Delivery.mailing_id == mailing.id
            )
        )
        return [tuple(row) for row in rows]  # type: ignore[misc]


def relay_is_said_to_be_away(stage: Stage, mailing: Mailing) -> bool:
    with session_scope() as session:
        progress = get_progress(session, session.get_one(Mailing, mailing.id))
    return [(each.provider, each.reply_class) for each in progress.suspensions] == [("*", "connection")]


def test_a_relay_that_opens_late_gets_everything_and_the_page_says_why_it_waits(make_stage: MakeStage) -> None:
    stage = make_stage(is_open=False)
    stage.house.subscribe(many(500))
    mailing = stage.house.mailing()
    stage.watch(mailing)
    stage.start()
    stage.wait_for(lambda: relay_is_said_to_be_away(stage, mailing), what="a word on the page")
    # Between two tries everybody is back in the queue.
    stage.wait_for(lambda: stage.house.states(mailing) == {"queued": many(500)}, what="everybody in the queue")
    # It is tried again, and again in vain, and that is one outage and not two.
    first = stage.suspensions()[0].until
    stage.wait_for(lambda: stage.suspensions()[0].until > first, what="another try")
    assert len(stage.suspensions()) == 1
    stage.relay.start()
    stage.wait_finished(mailing)
    account = stage.account(mailing)
    stage.report("relay closed at the start, open later", account)
    assert account.states == {"accepted": many(500)}
    assert (account.missed, account.twice) == (set(), set())
    # Nobody's budget has paid for it: what was accepted was accepted at the first attempt.
    assert {row[3:] for row in outcomes(mailing)} == {(1, 0)}


def test_everybody_deferred_at_first_sight_is_accepted_later(make_stage: MakeStage) -> None:
    stage = make_stage("greylist")
    stage.house.subscribe(many(800))
    mailing = stage.house.mailing()
    stage.watch(mailing)
    stage.start()
    stage.wait_for(
        lambda: {row[1:4] for row in outcomes(mailing)} == {("queued", "greylist", 1)}, what="a deferral of everybody"
    )
    assert stage.relay.count() == 0
    stage.wait_finished(mailing, is_hurried=True)
    account = stage.account(mailing)
    stage.report("451 at first sight of each recipient", account)
    assert account.states == {"accepted": many(800)}
    assert (account.missed, account.twice, suppressions()) == (set(), set(), {})


def test_one_dead_address_in_two_hundred_is_rejected_suppressed_and_stops_nobody(make_stage: MakeStage) -> None:
    stage = make_stage("refuse-some")
    stage.house.subscribe(many(2000))
    mailing = stage.house.mailing()
    stage.watch(mailing)
    stage.start()
    stage.wait_finished(mailing)
    account = stage.account(mailing)
    stage.report("0.5 % 550 5.1.1", account)
    dead = many(2000) // 200
    assert account.states == {"accepted": many(2000) - dead, "rejected": dead}
    assert (account.missed, account.twice) == (set(), set())
    refused = {(row[0], row[2]) for row in outcomes(mailing) if row[1] == "rejected"}
    assert all(is_refused(address) and reason == "no_such_user" for address, reason in refused)
    assert suppressions() == {address.lower(): "hard_bounce" for address, _ in refused}


def test_providers_that_say_slow_down_are_suspended_and_all_of_their_readers_are_mailed(make_stage: MakeStage) -> None:
    stage = make_stage("limit-providers")
    # NetEase's readers are few: its own limit of 3,000 an hour lets one through in 1.2 seconds.
    for domain in RATE_REPLIES:
        stage.house.subscribe(6 if domain in {"qq.com", "foxmail.com"} else 3, domain=domain)
    stage.house.subscribe(300)
    mailing = stage.house.mailing()
    stage.watch(mailing)
    stage.start()
    stage.wait_for(
        lambda: {each.provider for each in stage.suspensions()} == {"qq.com", "netease.com"}, what="two suspensions"
    )
    # The others do not wait for them.
    stage.wait_taken(300)
    assert all(is_providers_limit(each.reply_class) for each in stage.suspensions())
    stage.wait_finished(mailing, is_hurried=True)
    account = stage.account(mailing)
    stage.report("QQ and NetEase rate replies", account, suspensions=len(stage.suspensions()))
    assert account.states == {"accepted": 318}
    assert (account.missed, account.twice, suppressions()) == (set(), set(), {})
    # "Slow down" is the provider's fault: it has cost nobody an attempt of their own.
    assert {row[3] for row in outcomes(mailing)} == {1}


def test_a_hostile_relay_ties_nobody_up_and_loses_nothing(make_stage: MakeStage) -> None:
    stage = make_stage(
        "hostile",
        # More than the others' answers take on a crowded machine: whoever is lost after the dot is counted below.
        MAILER_SMTP_CONTENT_SECONDS="8",
        **{f"MAILER_SMTP_{step}_SECONDS": "3" for step in ("MAIL", "RCPT", "DATA", "GREETING", "COMMAND")},
    )
    for name in HOSTILE:
        stage.house.subscribe(3, domain=f"{name}.example.org")
    stage.house.subscribe(400)
    mailing = stage.house.mailing()
    stage.watch(mailing)
    stage.start()
    stage.wait_finished(mailing, is_hurried=True)
    peak = max(peak_megabytes(tree_of(stage.children[0].pid or 0)).values())
    account = stage.account(mailing)
    stage.report("421, drops, silence, a byte a second, garbage, 1 GB", account, worker_peak_mb=round(peak))
    assert (account.missed, account.twice, suppressions()) == (set(), set(), {})
    assert account.states["accepted"] + account.unknown == 400 + 3 * len(HOSTILE)
    # Unknown is only who was lost behind the final dot, and those are.
    lost = {row[0].partition("@")[2].partition(".")[0] for row in outcomes(mailing) if row[1] == "unknown"}
    assert lost == {name for name, (stage_, _) in HOSTILE.items() if stage_ in {"content", "body"}}
    assert account.unknown == 3 * len(lost)
    assert peak < 200
