"""Everything twice: workers, beats, and each message of the queue."""

import pytest

from mailer.queue import TaskName, enqueue
from tests.chaos.conftest import MakeStage
from tests.chaos.stage import FULL, many

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


def test_two_workers_two_beats_and_every_task_twice_mail_nobody_twice(make_stage: MakeStage) -> None:
    # Two senders on this host: otherwise the second worker would find no slot and have nothing to do.
    stage = make_stage(late=0.0 if FULL else 0.08, MAILER_SENDERS="2")
    stage.house.subscribe(many(2000))
    mailing = stage.house.mailing()
    stage.watch(mailing)
    for name in (TaskName.DISPATCH_PREPARE, TaskName.DISPATCH_PREPARE, TaskName.DISPATCH_SEND, TaskName.DISPATCH_SEND):
        assert enqueue(name, mailing_id=mailing.id)
    stage.start(workers=2, beats=2)
    for step in range(1, 6):
        stage.wait_taken(step * many(2000) // 8)
        for name in (TaskName.DISPATCH_SWEEP, TaskName.DISPATCH_PREPARE, TaskName.DISPATCH_SEND):
            ids = {} if name == TaskName.DISPATCH_SWEEP else {"mailing_id": mailing.id}
            assert enqueue(name, **ids)
            assert enqueue(name, **ids)
    stage.wait_finished(mailing)
    holders = stage.senders_seen()
    account = stage.account(mailing)
    stage.report("two workers, two beats, the same task twice", account, senders=holders)
    # Both have sent, at the same time.
    assert holders >= 2
    assert account.states == {"accepted": many(2000)}
    assert (account.missed, account.twice) == (set(), set())
