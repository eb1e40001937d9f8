import json

import pytest
from redis import Redis
from sqlalchemy.orm import Session

from mailer.queue import ROUTES, QueueName, TaskName, enqueue, enqueue_after_commit
from tests.conftest import forget_settings


def waiting(url: str, queue: QueueName) -> list[dict[str, object]]:
    with Redis.from_url(url) as client:
        return [json.loads(message)["headers"] for message in client.lrange(queue, 0, -1)]


def test_a_hint_leaves_after_the_commit_and_not_before(redis: str, session: Session) -> None:
    enqueue_after_commit(session, TaskName.DISPATCH_PREPARE, mailing_id=4)
    assert waiting(redis, QueueName.UPKEEP) == []
    session.commit()
    (headers,) = waiting(redis, QueueName.UPKEEP)
    assert headers["task"] == TaskName.DISPATCH_PREPARE
    assert "'mailing_id': 4" in str(headers["kwargsrepr"])
    session.commit()
    assert len(waiting(redis, QueueName.UPKEEP)) == 1


def test_a_rollback_enqueues_nothing(redis: str, session: Session) -> None:
    enqueue_after_commit(session, TaskName.LETTERS_SEND)
    session.rollback()
    session.commit()
    assert waiting(redis, QueueName.LETTERS) == []


def test_a_broker_that_is_away_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_REDIS_URL", "redis://127.0.0.1:1/0")
    forget_settings()
    assert enqueue(TaskName.DISPATCH_SWEEP) is False
    monkeypatch.undo()
    forget_settings()


def test_every_task_has_a_route() -> None:
    assert set(ROUTES) == set(TaskName)
