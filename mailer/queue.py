"""The Celery application as a producer: task names, queues, routes, and enqueueing after commit.

A message carries ids only and is a hint: the rows are the truth and `workers.schedule` sweeps for what a lost broker
forgot. Nothing here imports a task; `workers.app` adds them.
"""

from enum import StrEnum
from functools import lru_cache
from typing import Any

from celery import Celery
from kombu import Queue
from kombu.transport import redis as kombu_redis
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import event
from sqlalchemy.orm import Session

from mailer.settings import get_settings


class QueueName(StrEnum):
    """One queue per kind of patience: letters never wait behind a mailing, upkeep behind neither."""

    MAILINGS = "mailings"
    LETTERS = "letters"
    UPKEEP = "upkeep"


class TaskName(StrEnum):
    """Every task there is; `ROUTES` says which queue it waits in."""

    DISPATCH_PREPARE = "dispatch.prepare"
    DISPATCH_SEND = "dispatch.send"
    DISPATCH_SWEEP = "dispatch.sweep"
    LETTERS_SEND = "letters.send"
    AUDIENCE_IMPORT = "audience.import"
    AUDIENCE_DIRECTORIES = "audience.directories"
    AUDIENCE_DOMAINS = "audience.domains"
    AUDIENCE_COUNTS = "audience.counts"
    FEEDBACK_ABSORB = "feedback.absorb"
    PRIVACY_RETENTION = "privacy.retention"
    NEWSROOM_SWEEP = "newsroom.sweep"
    NEWSROOM_CHECK_LINKS = "newsroom.check_links"


ROUTES: dict[TaskName, QueueName] = {
    TaskName.DISPATCH_PREPARE: QueueName.UPKEEP,
    TaskName.DISPATCH_SEND: QueueName.MAILINGS,
    TaskName.DISPATCH_SWEEP: QueueName.UPKEEP,
    TaskName.LETTERS_SEND: QueueName.LETTERS,
    TaskName.AUDIENCE_IMPORT: QueueName.UPKEEP,
    TaskName.AUDIENCE_DIRECTORIES: QueueName.UPKEEP,
    TaskName.AUDIENCE_DOMAINS: QueueName.UPKEEP,
    TaskName.AUDIENCE_COUNTS: QueueName.UPKEEP,
    TaskName.FEEDBACK_ABSORB: QueueName.UPKEEP,
    TaskName.PRIVACY_RETENTION: QueueName.UPKEEP,
    TaskName.NEWSROOM_SWEEP: QueueName.UPKEEP,
    TaskName.NEWSROOM_CHECK_LINKS: QueueName.UPKEEP,
}

# Each sweep leaves PostgreSQL's time here (seconds since 1970): while it moves, beat, broker and a worker all live.
HEARTBEAT_KEY = "mailer:heartbeat"

# Far above the longest task (a batch is seconds; an import's rows are safe to run twice): with Redis a message
# unacknowledged past this is delivered again.
VISIBILITY_TIMEOUT = 3600


class BrokerChannel(kombu_redis.Channel):
    """Once its connection is given up, kombu's own channel fails with an AttributeError when it wants to return or to
    acknowledge a message, and the worker ends of it. As an error of the connection it is what Celery expects, and the
    worker waits for Redis to come back.
    """

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002  (kombu's signature)
        if self.connection is None or self.connection.client is None:
            raise RedisConnectionError("the connection to the broker was given up")
        params: dict[str, Any] = super()._connparams(asynchronous=asynchronous)
        return params


class BrokerTransport(kombu_redis.Transport):
    """Redis, with the channel above."""

    Channel = BrokerChannel


@lru_cache(maxsize=1)
def get_celery() -> Celery:
    """The process's Celery application, with no task in it."""
    app = Celery("mailer", broker=get_settings().redis_url.get_secret_value(), set_as_current=True)
    app.conf.update(
        task_queues=[Queue(name) for name in QueueName],
        task_default_queue=QueueName.UPKEEP,
        task_routes={name: {"queue": queue} for name, queue in ROUTES.items()},
        # The rows tell what became of a task; a result backend would tell the same story a second time.
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        # A killed worker's message comes back; every task checks its row's state first, so twice is harmless.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        broker_transport=BrokerTransport,
        broker_transport_options={
            "visibility_timeout": VISIBILITY_TIMEOUT,
            "socket_timeout": 10,
            "socket_connect_timeout": 5,
            "retry_on_timeout": True,
        },
        broker_connection_retry_on_startup=True,
        # Losing Redis must not end a worker: it comes back, and so does the worker's connection.
        broker_connection_max_retries=None,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        # A request must not hang on a dead broker; the sweep finds what was not enqueued.
        task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5},
        timezone="UTC",
        enable_utc=True,
    )
    return app


def enqueue(name: TaskName, **ids: Any) -> bool:
    """Sends a hint now. Returns whether the broker took it: a broker that is away is no error, the sweep will come."""
    from kombu.exceptions import OperationalError
    from redis.exceptions import RedisError

    try:
        get_celery().send_task(name, kwargs=ids)
    except (OperationalError, RedisError, OSError):
        return False
    return True


def enqueue_after_commit(session: Session, name: TaskName, **ids: Any) -> None:
    """Sends a hint once `session`'s transaction is committed; a rollback sends nothing."""
    if not session.in_transaction():
        session.begin()  # or a rollback before the first statement would go unnoticed
    pending: list[tuple[TaskName, dict[str, Any]]] = session.info.setdefault("mailer.queue", [])
    pending.append((name, ids))


@event.listens_for(Session, "after_commit")
def _send_pending(session: Session) -> None:
    for name, ids in session.info.pop("mailer.queue", ()):
        enqueue(name, **ids)


@event.listens_for(Session, "after_soft_rollback")
def _forget_pending(session: Session, _previous: object) -> None:
    if not session.in_nested_transaction():
        session.info.pop("mailer.queue", None)
