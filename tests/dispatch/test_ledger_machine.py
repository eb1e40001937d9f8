"""Any sequence of what people, workers and sweeps do, on the real ledger: no impossible state, and sums that hold."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, text

from mailer.audience.models import Subscriber
from mailer.dispatch import launching, outcomes
from mailer.dispatch.claiming import claim, recheck
from mailer.dispatch.finishing import finish_drained
from mailer.dispatch.models import Delivery, Mailing
from mailer.dispatch.preparing import prepare
from mailer.dispatch.rules import (
    DELIVERY_TRANSITIONS,
    HAS_ISSUE,
    MAILING_TRANSITIONS,
    PENDING,
    DeliveryState,
    MailingState,
    Outcome,
)
from mailer.dispatch.settling import keep, send_again, settle
from mailer.errors import RuleError
from tests.dispatch.conftest import House
from tests.dispatch.test_outcomes import ACCEPTED, DEFERRED, FAULT

RESULTS = {
    "accepted": ACCEPTED,
    "deferred": DEFERRED,
    "fault": FAULT,
    "unknown": replace(ACCEPTED, outcome=Outcome.UNKNOWN, reply_class="lost_reply", code=None),
    "no_such_user": replace(ACCEPTED, outcome=Outcome.REJECTED, reply_class="no_such_user", code=550),
    "content": replace(ACCEPTED, outcome=Outcome.REJECTED, reply_class="content", code=554),
}
EVERY = {"other": 100, "qq.com": 100}
READERS, MAILINGS = 6, 3

# From which state to which a row may have gone between two looks: one event, or an event that changes nothing visible.
DELIVERY_MOVES = {(state, after) for (state, _), after in DELIVERY_TRANSITIONS.items()}
MAILING_MOVES = {(state, after) for (state, _), after in MAILING_TRANSITIONS.items()}


LOOK_AT_DELIVERIES = text("""
SELECT id, mailing_id, subscriber_id, state, lease_until IS NOT NULL AS has_lease,
    (SELECT count(*) FROM attempts a WHERE a.delivery_id = d.id) AS attempts
FROM deliveries d
""")


class Ledger(RuleBasedStateMachine):
    """Readers, mailings of one issue to overlapping lists, and two workers that die, sleep and come late."""

    house: House

    def __init__(self) -> None:
        super().__init__()
        self.session = self.house.session
        self.session.rollback()
        self.session.execute(
            text(
                "TRUNCATE mailings, mailing_lists, exclusions, deliveries, attempts, suspensions, suppressions CASCADE"
            )
        )
        self.session.execute(text("UPDATE subscriptions SET state = 'confirmed'"))
        self.session.commit()
        self.session.expire_all()
        self.mailings: list[Mailing] = []
        # What each worker believes it holds: (delivery, claimed_by); it may be wrong.
        self.held: list[tuple[int, str]] = []
        self.tokens = 0
        self.seen: dict[int, str] = {}
        self.states: dict[int, str] = {}
        # Attempts of a delivery when its reader was suppressed or had left: there must never be more.
        self.barred: dict[int, int] = {}

    @initialize()
    def draft(self) -> None:
        for lists in ((0,), (0, 1), (1,)):
            self.mailings.append(self.house.mailing(*lists, launched=False))
        self.send_now(0)
        self.prepare(0)

    def mailing(self, number: int) -> Mailing:
        mailing = self.mailings[number]
        self.session.refresh(mailing)
        return mailing

    def act(self, call: object, *args: object) -> None:
        try:
            call(*args)  # type: ignore[operator]
            self.session.commit()
        except RuleError:
            self.session.rollback()

    @rule(number=st.integers(0, MAILINGS - 1))
    def send_now(self, number: int) -> None:
        self.act(launching.send_now, self.session, self.mailing(number))

    @rule(number=st.integers(0, MAILINGS - 1))
    def prepare(self, number: int) -> None:
        self.session.rollback()
        prepare(self.mailings[number].id)

    @rule(number=st.integers(1, MAILINGS - 1))
    def send_now_and_prepare(self, number: int) -> None:
        self.send_now(number)
        self.prepare(number)

    # The first mailing runs from the beginning: it is the one that most is done to.
    @rule(number=st.sampled_from([0, 0, 0, 1, 2]), act=st.sampled_from(["pause", "pause", "resume", "cancel"]))
    def command(self, number: int, act: str) -> None:
        self.act(getattr(launching, act), self.session, self.mailing(number))

    @rule(worker=st.sampled_from("ab"), batch=st.integers(1, 4))
    def claim(self, worker: str, batch: int) -> None:
        """Of every mailing, in whatever state it is: only one that is being sent may give anything."""
        self.tokens += 1
        for mailing_id, state in self.session.execute(text("SELECT id, state FROM mailings")).all():
            taken = claim(
                self.session, mailing_id, key=worker, token=str(self.tokens), quotas=EVERY, batch=batch, lease=60
            )
            assert state == MailingState.SENDING or not (taken.claims or taken.skipped)
            self.held += [(each.delivery_id, f"{worker}/{self.tokens}") for each in taken.claims]
        self.session.commit()

    # More of what a worker does most.
    claim_a = rule(batch=st.integers(1, 2))(lambda self, batch: self.claim("a", batch))
    claim_b = rule(batch=st.integers(1, 2))(lambda self, batch: self.claim("b", batch))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), name=st.sampled_from(sorted(RESULTS)), again=st.booleans())
    def outcome(self, data: st.DataObject, name: str, again: bool) -> None:
        """As a worker does: what has waited is looked at again before it goes out. Some come back with it once more."""
        delivery_id, claimed_by = data.draw(st.sampled_from(self.held))
        if not again:
            self.held.remove((delivery_id, claimed_by))
        allowed = recheck(self.session, claimed_by[0], [delivery_id])
        reason = allowed.get(delivery_id)
        if delivery_id not in allowed:
            settlement = outcomes.give_back(delivery_id, claimed_by)
        elif reason is not None:
            settlement = outcomes.skip(delivery_id, claimed_by, reason)
        else:
            settlement = outcomes.decide(
                replace(RESULTS[name], delivery_id=delivery_id),
                claimed_by=claimed_by, provider="other", attempts=0, faults=0, give_up_hours=72,
            )  # fmt: skip
        settle(self.session, [settlement])
        self.session.commit()

    @precondition(lambda self: self.held)
    @rule(data=st.data(), is_in_flight=st.booleans())
    def worker_dies(self, data: st.DataObject, is_in_flight: bool) -> None:
        """The sweep resolves its claims; the journal says whether the content went out."""
        worker = data.draw(st.sampled_from(self.held))[1][0]
        dead = [each for each in self.held if each[1].startswith(worker)]
        lost = replace(RESULTS["unknown"], stage="content")
        settle(
            self.session,
            [
                outcomes.decide(
                    replace(lost, delivery_id=delivery_id),
                    claimed_by=claimed_by, provider="other", attempts=0, faults=0, give_up_hours=72,
                )
                if is_in_flight and delivery_id in recheck(self.session, worker, [delivery_id])
                and recheck(self.session, worker, [delivery_id])[delivery_id] is None
                else outcomes.give_back(delivery_id, claimed_by)
                for delivery_id, claimed_by in dead
            ],
        )  # fmt: skip
        self.session.commit()

    @rule(data=st.data(), act=st.sampled_from([send_again, keep]))
    def person_decides(self, data: st.DataObject, act: object) -> None:
        unknown = self.session.scalars(select(Delivery).where(Delivery.state == "unknown").order_by(Delivery.id)).all()
        if unknown:
            self.act(act, self.session, data.draw(st.sampled_from(unknown)), None)

    @rule(reader=st.integers(0, READERS - 1))
    def leave(self, reader: int) -> None:
        self.house.leave(self.house.readers[reader])
        self.bar(self.house.readers[reader])

    @rule(reader=st.integers(0, READERS - 1))
    def complain(self, reader: int) -> None:
        address = self.session.get_one(Subscriber, self.house.readers[reader]).email_key
        self.session.execute(
            text(
                "INSERT INTO suppressions (email_key, reason, note) VALUES (:key, 'complaint', '') "
                "ON CONFLICT DO NOTHING"
            ),
            {"key": address},
        )
        self.session.commit()
        self.bar(self.house.readers[reader])

    def bar(self, reader: int) -> None:
        for row in self.session.execute(LOOK_AT_DELIVERIES):
            if row.subscriber_id == reader:
                self.barred.setdefault(row.id, row.attempts)
        self.session.commit()

    @rule()
    def time_passes(self) -> None:
        self.session.execute(text("UPDATE deliveries SET next_attempt_at = now() WHERE state = 'queued'"))
        self.session.commit()

    @rule()
    def sweep(self) -> None:
        for mailing in self.session.scalars(select(Mailing.id).where(Mailing.state == "cancelled")).all():
            launching.skip_queued(self.session, mailing)
        finish_drained(self.session)
        self.session.commit()

    @invariant()
    def everything_holds(self) -> None:
        rows = self.session.execute(LOOK_AT_DELIVERIES).all()
        mailings = self.session.execute(text("SELECT id, state, roster_size FROM mailings")).all()
        excluded = {
            tuple(row) for row in self.session.execute(text("SELECT mailing_id, subscriber_id FROM exclusions"))
        }
        self.session.commit()
        self.check_sums(mailings, rows, excluded)
        self.check_moves(mailings, rows)
        holders = [row.subscriber_id for row in rows if row.state in HAS_ISSUE]
        assert len(holders) == len(set(holders)), "somebody has the issue twice"
        for row in rows:
            assert row.attempts <= self.barred.get(row.id, row.attempts), "sent to somebody who had left or complained"

    def check_sums(self, mailings: Sequence[Any], rows: Sequence[Any], excluded: set[Any]) -> None:
        for mailing in mailings:
            own = [row for row in rows if row.mailing_id == mailing.id]
            assert len(own) == (mailing.roster_size or 0)
            assert mailing.state != MailingState.FINISHED or not [row for row in own if row.state in PENDING]
            assert not excluded & {(mailing.id, row.subscriber_id) for row in own}

    def check_moves(self, mailings: Sequence[Any], rows: Sequence[Any]) -> None:
        for mailing in mailings:
            # Launched, prepared and, where nobody is left, finished: three events in one rule.
            self.check_move(self.states, mailing.id, mailing.state, MAILING_MOVES, steps=3)
        for row in rows:
            self.check_move(self.seen, row.id, row.state, DELIVERY_MOVES, steps=1)
            assert (row.state == DeliveryState.CLAIMED) == row.has_lease

    @staticmethod
    def check_move(
        before: dict[int, str], key: int, state: str, moves: set[tuple[object, object]], *, steps: int
    ) -> None:
        """From where it was seen last, in at most so many events."""
        reached: set[object] = {before.get(key, state)}
        for _ in range(steps):
            reached |= {after for start, after in moves if start in reached}
        assert state in reached, (before.get(key), state)
        before[key] = state


@pytest.mark.timeout(300)
def test_no_sequence_of_events_breaks_the_ledger(house: House) -> None:
    house.readers = house.subscribe(3, lists=(0, 1)) + house.subscribe(2) + house.subscribe(1, lists=(1,))  # type: ignore[attr-defined]
    Ledger.house = house
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # Shrinking a failure would take minutes of real transactions; thirty steps can be read.
            phases=[Phase.generate],
        ),
    )
