"""What the chaos tests play on: PostgreSQL, Redis, workers and beats of their own, all of which may be killed.

A suite's sizes are a few hundred recipients; ``make chaos`` sets `MAILER_TEST_CHAOS_RECIPIENTS` to 100,000.
"""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis as RedisClient
from sqlalchemy import select, text

from mailer.db import get_engine, session_scope
from mailer.dispatch.claiming import split_holder
from mailer.dispatch.models import Delivery, Mailing, Suspension
from mailer.dispatch.settling import list_unknown
from mailer.embedded.bench_meters import tree_of
from mailer.embedded.crew import make_child
from mailer.embedded.processes import Child
from mailer.embedded.service import find_free_port
from mailer.embedded.services import Postgres, Redis
from mailer.embedded.surroundings import Plan, make_environment
from mailer.queue import HEARTBEAT_KEY
from tests.chaos.relay import Relay
from tests.chaos.watcher import Watcher
from tests.dispatch.conftest import House
from tests.wiping import empty_tables

FULL = int(os.environ.get("MAILER_TEST_CHAOS_RECIPIENTS", "0"))
CONNECTIONS = 10
POLL_SECONDS = 0.1


def many(few: int) -> int:
    """How many recipients: `few` in the suite, what `make chaos` says in the full run."""
    return FULL or few


# Only a test that fails waits for so long: a machine that ten others use takes its time to start a worker.
PATIENCE_SECONDS = 180.0


def patience() -> float:
    """How long to wait: a full run takes a while longer."""
    return PATIENCE_SECONDS + FULL / 700


@dataclass
class Services:
    """The two servers, which survive from test to test unless one kills them."""

    folder: Path
    postgres: Postgres
    redis: Redis

    def revive(self) -> None:
        """Starts again what a test that failed has left dead."""
        for service in (self.postgres, self.redis):
            if service.has_ended():
                service.start()

    def kill_redis(self) -> None:
        """SIGKILL, and everything that was in it is lost."""
        assert self.redis.child is not None
        os.kill(self.redis.child.pid or 0, signal.SIGKILL)
        self.redis.bury()
        shutil.rmtree(self.folder / "redis", ignore_errors=True)

    def kill_postgres(self) -> None:
        """SIGKILL for the postmaster and all its children at once."""
        assert self.postgres.child is not None
        os.kill(self.postgres.child.pid or 0, signal.SIGKILL)
        self.postgres.bury()


@dataclass(frozen=True)
class Account:
    """The ledger against the server's own log."""

    states: Mapping[str, int]
    missed: set[str]
    twice: set[str]
    figures: Mapping[str, int]

    @property
    def unknown(self) -> int:
        return self.states.get("unknown", 0)


@dataclass
class Stage:
    """One test's processes and relay. `house` makes readers and mailings."""

    services: Services
    folder: Path
    environment: dict[str, str]
    relay: Relay
    house: House
    children: list[Child] = field(default_factory=list)
    watchers: list[Watcher] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    # --- processes -------------------------------------------------------------------------------------------------

    def start(self, *, workers: int = 1, beats: int = 1, **extra: str) -> None:
        """Real Celery processes; `extra` are environment variables of theirs alone."""
        for _ in range(workers):
            self.start_worker(**extra)
        for _ in range(beats):
            self.start_beat(**extra)

    def start_worker(self, **extra: str) -> Child:
        return self._start(
            f"worker-{len(self.children)}", "worker", "--concurrency", "3", "--queues", "mailings,letters,upkeep",
            "--loglevel", "INFO", "--without-gossip", "--without-mingle", **extra,
        )  # fmt: skip

    def start_beat(self, *, schedule_of: Child | None = None, **extra: str) -> Child:
        """`schedule_of` is an earlier one that has ended, whose notes this one takes over."""
        name = f"beat-{len(self.children)}"
        notes = self.folder / f"{schedule_of.program.name if schedule_of else name}-schedule"
        return self._start(name, "beat", "--loglevel", "INFO", "--schedule", str(notes), **extra)

    def _start(self, name: str, *command: str, **extra: str) -> Child:
        plan = Plan(data_dir=self.folder, web_port=0, smtp_port=0, mailbox_dir=self.folder / "mailbox")
        child = make_child(
            plan, self.environment | extra, name, "celery", "--app", "workers.app", *command, stop_seconds=30
        )
        child.start()
        self.children.append(child)
        return child

    def sender_pid(self) -> int | None:
        """The process of a worker that holds claims now: its number stands in the key of its journal."""
        with session_scope() as session:
            holder = session.scalar(select(Delivery.claimed_by).where(Delivery.state == "claimed").limit(1))
        if holder is None:
            return None
        pid = int(split_holder(holder)[0].split("-")[-2])
        return pid if any(pid in tree_of(child.pid) for child in self.children if child.pid) else None

    def kill_sender(self) -> bool:
        """SIGKILL for the process that sends, whose worker starts another one. Whether there was one."""
        pid = self.sender_pid()
        if pid is None:
            return False
        os.kill(pid, signal.SIGKILL)
        return True

    def kill_worker(self, worker: Child) -> Child:
        """SIGKILL for a worker with its whole pool, and a new one in its place."""
        worker.bury()
        self.children.remove(worker)
        return self.start_worker()

    def orphan_pool(self, worker: Child) -> Child:
        """SIGKILL for a worker's main process alone, as the kernel does it that runs out of memory; and a new one."""
        os.kill(worker.pid or 0, signal.SIGKILL)
        self.wait_for(worker.has_ended, what="the end of a killed worker")
        return self.start_worker()

    def close(self) -> None:
        for watcher in self.watchers:
            watcher.stop()
        for child in reversed(self.children):
            child.bury()
        self.relay.stop()

    # --- waiting ---------------------------------------------------------------------------------------------------

    def wait_for(self, condition: Callable[[], bool], *, what: str = "what was waited for") -> None:
        ends_at = time.monotonic() + patience()
        while not condition():
            assert time.monotonic() < ends_at, f"{what} did not happen: {self.last_words()}"
            time.sleep(POLL_SECONDS)

    def last_words(self) -> str:
        with session_scope() as session:
            counts = session.execute(text("SELECT mailing_id, state, count(*) FROM deliveries GROUP BY 1, 2")).all()
        return f"{counts}; {[child.last_words() for child in self.children]}; log in {self.folder / 'logs'}"

    def wait_taken(self, count: int) -> None:
        """Until the relay has taken so many messages."""
        self.wait_for(lambda: self.relay.count() >= count, what=f"{count} messages at the relay")

    def wait_finished(self, *mailings: Mailing, is_hurried: bool = False) -> None:
        """Until nothing is left of these. `is_hurried`: as if the waits of the deferred were over at once."""

        def are_finished() -> bool:
            if is_hurried:
                self.hurry()
            return all(self.read(mailing).finished_at is not None for mailing in mailings)

        self.wait_for(are_finished, what="the end of the mailing")

    def wait_sweeps(self, count: int = 1) -> None:
        """Until `count` more sweeps have come through beat, broker and worker."""
        with RedisClient.from_url(self.environment["MAILER_REDIS_URL"]) as redis:
            for _ in range(count):
                before = redis.get(HEARTBEAT_KEY)
                self.wait_for(lambda before=before: redis.get(HEARTBEAT_KEY) not in {None, before}, what="a sweep")

    def hurry(self) -> None:
        """As if the waits of what was deferred, and of providers that were suspended, were over."""
        with session_scope() as session:
            session.execute(
                text("UPDATE deliveries SET next_attempt_at = now() WHERE state = 'queued' AND next_attempt_at > now()")
            )
            session.execute(text("UPDATE suspensions SET until = now() WHERE provider <> '*' AND until > now()"))

    # --- the ledger ------------------------------------------------------------------------------------------------

    def read(self, mailing: Mailing) -> Mailing:
        """As it is in the ledger now; a database that has just come back is asked once more."""
        with session_scope() as session:
            return session.get_one(Mailing, mailing.id)

    def mailings(self) -> list[Mailing]:
        with session_scope() as session:
            return list(session.scalars(select(Mailing).order_by(Mailing.id)))

    def watch(self, mailing: Mailing) -> Watcher:
        """Looks at the sums from now on, in a thread of its own."""
        url = self.environment["MAILER_DATABASE_URL"]
        # Counting a hundred thousand rows is work that the send would otherwise have done.
        watcher = Watcher(url, mailing.id, self.relay, pause=0.5 if FULL else 0.05)
        watcher.start()
        self.watchers.append(watcher)
        return watcher

    def senders_seen(self) -> int:
        """How many processes have held claims, by the keys of their journals, as far as the watchers saw them."""
        return len(set().union(*(watcher.senders for watcher in self.watchers)))

    def suspensions(self) -> list[Suspension]:
        with session_scope() as session:
            return list(session.scalars(select(Suspension).order_by(Suspension.id)))

    def account(self, *mailings: Mailing) -> Account:
        """Missed are those said to be accepted of whom the server knows nothing, and those whom nobody settled."""
        ids = [mailing.id for mailing in mailings]
        taken = self.relay.counts()
        with session_scope() as session:
            rows = session.execute(select(Delivery.address, Delivery.state).where(Delivery.mailing_id.in_(ids))).all()
            listed = sum(len(list_unknown(session, mailing_id=each, limit=1_000_000)) for each in ids)
            rosters = sum(session.get_one(Mailing, each).roster_size or 0 for each in ids)
        states: dict[str, int] = {}
        for _, state in rows:
            states[state] = states.get(state, 0) + 1
        pending = {address for address, state in rows if state in {"queued", "claimed"}}
        account = Account(
            states=states,
            missed=pending | {address for address, state in rows if state == "accepted" and address not in taken},
            twice={address for address, count in taken.items() if count > 1},
            figures={"recipients": rosters, **states},
        )
        assert sum(states.values()) == rosters
        # A person hears of each.
        assert listed == account.unknown
        for watcher in self.watchers:
            watcher.check()
        return account

    def report(self, row: str, account: Account, **figures: Any) -> None:
        """A line for the table of ``make chaos``."""
        path = os.environ.get("MAILER_TEST_CHAOS_REPORT")
        if path:
            line = {
                "row": row, **account.figures, "missed": len(account.missed), "twice": len(account.twice), **figures,
                "looks": sum(watcher.looks for watcher in self.watchers),
                "seconds": round(time.monotonic() - self._began, 1),
            }  # fmt: skip
            with Path(path).open("a") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


def environment_of(services: Services, folder: Path, relay_port: int) -> dict[str, str]:
    """What a test's processes are told. Each test has a data directory of its own, with its journals and locks."""
    plan = Plan(
        data_dir=folder,
        web_port=find_free_port(),
        smtp_port=relay_port,
        mailbox_dir=folder / "mailbox",
        relay_url=f"smtp://127.0.0.1:{relay_port}?connections={CONNECTIONS}",
        public_url="http://127.0.0.1:8000",
        secret_key="a test secret, long enough and never used elsewhere",
    )
    return make_environment(plan, services.postgres.url, services.redis.url) | {
        "MAILER_LEASE_SECONDS": "10",
        "MAILER_LOG_LEVEL": "INFO",
    }


def forget_rows() -> None:
    """Empty tables for the next test."""
    with get_engine().begin() as connection:
        empty_tables(connection)
