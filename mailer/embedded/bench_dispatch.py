"""`mailer bench dispatch`: a mailing on the real path (PostgreSQL, Redis, a Celery worker, SMTP), and what it cost.

The services are this command's own, in a temporary data directory, as durable as in production; they end with it.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mailer.db import session_scope
from mailer.dispatch.dkim.signing import Algorithm
from mailer.dispatch.launching import create_mailing, get_mailing, send_now
from mailer.dispatch.pace.buckets import connect
from mailer.dispatch.rules import MailingState
from mailer.embedded import bench_figures
from mailer.embedded.bench_meters import Usage, peak_megabytes, tree_of, usage_of
from mailer.embedded.bench_scene import measure_message, set_scene
from mailer.embedded.crew import make_crew
from mailer.embedded.processes import Child, wait_until
from mailer.embedded.running import check_settings, interruptible, uninterrupted
from mailer.embedded.scene import settings_of, temporary_folder
from mailer.embedded.service import Service, find_free_port
from mailer.embedded.services import Postgres, Redis
from mailer.embedded.supervisor import upgrade_database
from mailer.embedded.surroundings import Plan, make_environment
from mailer.errors import ServiceError
from mailer.queue import HEARTBEAT_KEY
from mailer.settings import get_settings

LOOK_SECONDS = 0.1
# A worker and its beat answer within a second or two; a loaded machine may take longer.
READY_SECONDS = 60.0
# Preparing five million readers takes less; so does any pause between two tries of a relay.
STALL_SECONDS = 180.0
# One for upkeep and one for letters, beside those that send.
OTHER_PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent and how. Without `file` messages are made up, `message_bytes` long. `rate` is in messages a second.

    `also` are further readers: how many at which domain, to see one provider beside another. `algorithms` sign.
    `has_reference` measures a bare ``INSERT … SELECT`` of the roster as well.
    """

    recipients: int
    relay: str
    processes: int = 1
    connections: int = 10
    message_bytes: int | None = None
    file: Path | None = None
    rate: float | None = None
    also: Mapping[str, int] = field(default_factory=dict)
    algorithms: tuple[Algorithm, ...] = ()
    has_reference: bool = False


@dataclass(slots=True)
class BenchReport:
    """The contract of `docs/commands.md`. CPU is of the whole mailing, from its launch to its end."""

    messages_per_second: float
    prepare_seconds: float
    send_seconds: float
    cpu_seconds_per_1000: dict[str, float]
    worker_peak_mb: float
    latency_ms: dict[str, float]
    mailing: dict[str, int]
    message_bytes: int
    rate_by_tenth: list[float]
    providers: dict[str, dict[str, float]]
    reference: dict[str, float] = field(default_factory=dict)
    stopped: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether everyone on the roster was accepted for."""
        return not self.stopped and self.mailing["accepted"] == self.mailing["roster"]

    def as_json(self) -> dict[str, Any]:
        """Figures rounded to what they are worth."""
        return {
            "messages_per_second": round(self.messages_per_second, 1),
            "prepare_seconds": round(self.prepare_seconds, 3),
            "send_seconds": round(self.send_seconds, 3),
            "cpu_seconds_per_1000": {name: round(value, 4) for name, value in self.cpu_seconds_per_1000.items()},
            "worker_peak_mb": round(self.worker_peak_mb, 1),
            "latency_ms": self.latency_ms,
            "mailing": self.mailing,
            "message_bytes": self.message_bytes,
            "rate_by_tenth": [round(rate, 1) for rate in self.rate_by_tenth],
            "providers": self.providers,
            **({"reference": self.reference} if self.reference else {}),
            **({"stopped": self.stopped} if self.stopped else {}),
        }

    def as_text(self) -> str:
        """The same for a person."""
        cpu = ", ".join(f"{name} {1000 * value:.0f}" for name, value in self.cpu_seconds_per_1000.items())
        latency = ", ".join(f"{name} {value:.0f}" for name, value in self.latency_ms.items())
        lines = [
            f"{self.mailing['accepted']:,} of {self.mailing['roster']:,} accepted, {self.message_bytes:,} bytes each",
            f"  {self.messages_per_second:,.0f} messages a second",
            f"  prepared in {self.prepare_seconds:.2f} s, sent in {self.send_seconds:.2f} s",
            f"  microseconds of CPU a message: {cpu}",
            f"  peak memory of a sending process: {self.worker_peak_mb:.0f} MB",
            f"  milliseconds a transaction: {latency}",
            "  messages a second by tenths: " + " ".join(f"{rate:.0f}" for rate in self.rate_by_tenth),
        ]
        lines += [
            f"  {name}: {found['accepted']:,} accepted, {found['messages_per_second']:,.1f} messages a second, "
            f"{found['first_seconds']:.2f} to {found['last_seconds']:.2f} s after the roster was frozen"
            for name, found in self.providers.items()
        ]
        if self.reference:
            lines.append(f"  bare INSERT … SELECT of the roster: {self.reference['insert_seconds']:.2f} s")
        if self.stopped:
            lines.append(f"  stopped: {self.stopped}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Trees:
    """The roots of the process trees that are watched."""

    worker: int
    postgres: int
    redis: int

    def usage(self) -> dict[str, Usage]:
        return {name: usage_of(getattr(self, name)) for name in ("worker", "postgres", "redis")}

    def sending_peak(self) -> float:
        """Of the worker's children: whoever sends has the most."""
        return max(peak_megabytes(tree_of(self.worker)[1:]).values(), default=0.0)


def run_bench(load: Load) -> BenchReport:
    """Starts everything, sends, ends everything. Raises `RuleError`, `ServiceError`, `UnreadableError`."""
    with temporary_folder("mailer-bench-") as folder, interruptible(), ExitStack() as stack:
        plan = Plan(
            data_dir=folder,
            web_port=find_free_port(),
            smtp_port=find_free_port(),
            mailbox_dir=folder / "mailbox",
            relay_url=load.relay,
            public_url="https://news.example.org",
            worker_processes=load.processes + OTHER_PROCESSES,
        )
        check_settings(plan)
        postgres, redis = Postgres(folder), Redis(folder)
        for service in (postgres, redis):
            stack.enter_context(_serving(service))
        environment = make_environment(plan, postgres.url, redis.url) | {
            "MAILER_SENDERS": str(load.processes),
            "MAILER_CONNECTIONS": str(load.connections),
            "MAILER_LOG_LEVEL": os.environ.get("MAILER_LOG_LEVEL", "WARNING"),
        }
        upgrade_database(folder, environment)
        stack.enter_context(settings_of(environment))
        edition_id, list_id = set_scene(
            recipients=load.recipients,
            also=load.also,
            message_bytes=load.message_bytes,
            file=load.file,
            algorithms=load.algorithms,
        )
        worker = stack.enter_context(_working(plan, environment))
        assert postgres.child is not None
        assert redis.child is not None
        trees = _Trees(*(child.pid or 0 for child in (worker, postgres.child, redis.child)))
        return _measure(load, edition_id, list_id, trees)


@contextmanager
def _serving(service: Service) -> Iterator[None]:
    service.start()
    try:
        yield
    finally:
        with uninterrupted():
            service.stop()


@contextmanager
def _working(plan: Plan, environment: Mapping[str, str]) -> Iterator[Child]:
    """A worker and its beat, once a first sweep has come through both; neither web server nor mailbox."""
    crew = {member.child.program.name: member.child for member in make_crew(plan, environment)}
    worker, beat = crew["worker"], crew["beat"]
    try:
        worker.start()
        beat.start()
        with connect(get_settings().redis_url.get_secret_value()) as redis:
            if not wait_until(lambda: bool(redis.exists(HEARTBEAT_KEY)), READY_SECONDS):
                raise ServiceError(
                    "The worker did not begin: %(reason)s.", reason=worker.last_words() or "it is silent"
                )
        yield worker
    finally:
        with uninterrupted():
            beat.stop()
            worker.stop()


def _measure(load: Load, edition_id: int, list_id: int, trees: _Trees) -> BenchReport:
    before = trees.usage()
    with session_scope() as session:
        mailing = create_mailing(session, edition_id=edition_id, list_ids=[list_id], by=None, rate=load.rate)
        send_now(session, mailing)
    stopped = _wait(mailing.id)
    after, peak = trees.usage(), trees.sending_peak()
    with session_scope() as session:
        mailing = get_mailing(session, mailing.id)
        times = bench_figures.times(mailing)
        states = bench_figures.states(session, mailing)
        sent = max(1, states["accepted"])
        return BenchReport(
            messages_per_second=states["accepted"] / times.send if times.send else 0.0,
            prepare_seconds=times.prepare,
            send_seconds=times.send,
            cpu_seconds_per_1000={name: 1000 * after[name].since(before[name]) / sent for name in before},
            worker_peak_mb=peak,
            latency_ms=bench_figures.latencies(session),
            mailing=states,
            message_bytes=measure_message(edition_id, list_id),
            rate_by_tenth=bench_figures.rate_by_tenth(session, mailing.id),
            providers=bench_figures.by_provider(session, mailing),
            reference=bench_figures.reference(session, mailing.id) if load.has_reference else {},
            stopped=stopped,
        )


def _wait(mailing_id: int) -> str:
    """Until nothing is left to send; why it stopped before, if it did. One row is looked at: looking costs nothing."""
    seen, since = None, time.monotonic()
    while True:
        time.sleep(LOOK_SECONDS)
        with session_scope() as session:
            mailing = get_mailing(session, mailing_id)
            if mailing.finished_at is not None:
                return ""
            if mailing.state in {MailingState.PAUSED, MailingState.DRAFT}:
                return f"{mailing.pause_reason} {mailing.pause_reply}".strip() or mailing.state
            news = (mailing.state, mailing.progressed_at)
        if news != seen:
            seen, since = news, time.monotonic()
        elif time.monotonic() - since > STALL_SECONDS:
            return f"{mailing.state}, and nothing has moved for {STALL_SECONDS:.0f} seconds"
