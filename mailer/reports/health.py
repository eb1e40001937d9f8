"""Whether the service is well: settings, database, Redis, queue, relay, signatures, each with what to do about it.

`mailer doctor` prints it and the admin's system page shows it.
"""

import asyncio
import datetime as dt
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from mailer.addresses import parse_address
from mailer.db import get_engine, session_scope
from mailer.dispatch.dkim.senders import list_unreadable, list_unsigned_domains
from mailer.dispatch.relays.probing import probe
from mailer.dispatch.relays.registry import active_relay
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.queue import HEARTBEAT_KEY, QueueName
from mailer.resources import MIGRATIONS
from mailer.settings import get_settings

# Beat writes one every few seconds; three missed ones are a stopped beat or a stopped worker.
HEARTBEAT_TOLERANCE = 30.0
BACKLOG = 10_000


class Verdict(StrEnum):
    """How bad it is."""

    WELL = "well"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: `name` and `message` are gettext ids, `advice` says what to do (empty when all is well)."""

    name: str
    verdict: Verdict
    message: str
    advice: str = ""
    params: dict[str, Any] = field(default_factory=dict)


def check_everything() -> list[Check]:
    """Every check, in the order in which one failure explains the next. Never raises for what it looks at."""
    return [check() for check in (_settings, _data_dir, _database, _migrations, _redis, _worker, _relay, _dkim)]


def _settings() -> Check:
    name = N_("Settings")
    settings = get_settings()
    try:
        parse_address(settings.sender_address)
    except RuleError:
        return Check(
            name,
            Verdict.WARNING,
            N_("Letters go out under %(address)s, which no server will take."),
            N_("Set MAILER_SENDER_ADDRESS to an address of your own domain."),
            {"address": settings.sender_address},
        )
    if not settings.is_https and not settings.public_url.startswith(("http://127.", "http://localhost")):
        return Check(
            name,
            Verdict.WARNING,
            N_("%(url)s is not HTTPS: one-click unsubscribing will be ignored by mail providers (RFC 8058)."),
            N_("Put the web server behind TLS and set MAILER_PUBLIC_URL to the https address."),
            {"url": settings.public_url},
        )
    return Check(name, Verdict.WELL, N_("Complete; links begin with %(url)s."), params={"url": settings.public_url})


def _data_dir() -> Check:
    name = N_("Data directory")
    folder = get_settings().data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
        free = os.statvfs(folder)
    except OSError as error:
        return Check(
            name,
            Verdict.FAILED,
            N_("%(folder)s cannot be written: %(reason)s."),
            N_("Workers keep their journals there. Give them a folder they may write, or set MAILER_DATA_DIR."),
            {"folder": str(folder), "reason": error.strerror or ""},
        )
    gigabytes = free.f_bavail * free.f_frsize / 1e9
    if gigabytes < 1:
        return Check(
            name,
            Verdict.WARNING,
            N_("Only %(free)s GB are free in %(folder)s."),
            N_("A full disk stops the sending. Make room."),
            {"folder": str(folder), "free": f"{gigabytes:.1f}"},
        )
    return Check(name, Verdict.WELL, N_("%(folder)s can be written."), params={"folder": str(folder)})


def _database() -> Check:
    name = N_("Database")
    try:
        with get_engine().connect() as connection:
            version = connection.scalar(text("SHOW server_version"))
    except SQLAlchemyError as error:
        return Check(
            name,
            Verdict.FAILED,
            N_("PostgreSQL does not answer: %(reason)s."),
            N_("Check MAILER_DATABASE_URL, and that the server runs."),
            {"reason": str(getattr(error, "orig", error)).splitlines()[0]},
        )
    return Check(name, Verdict.WELL, N_("PostgreSQL %(version)s answers."), params={"version": version})


def _migrations() -> Check:
    name = N_("Migrations")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    newest = ScriptDirectory.from_config(config).get_current_head()
    try:
        with get_engine().connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError:
        return Check(name, Verdict.FAILED, N_("Unknown, since the database does not answer."))
    if current != newest:
        return Check(
            name,
            Verdict.FAILED,
            N_("The database is at %(current)s, this version needs %(newest)s."),
            N_("Run: mailer db upgrade"),
            {"current": current or "-", "newest": newest},
        )
    return Check(name, Verdict.WELL, N_("Up to date (%(newest)s)."), params={"newest": newest})


def _with_redis(name: str, look: Callable[["Redis"], Check]) -> Check:
    try:
        with Redis.from_url(get_settings().redis_url.get_secret_value(), socket_timeout=3) as client:
            return look(client)
    except (RedisError, OSError) as error:
        return Check(
            name,
            Verdict.FAILED,
            N_("Redis does not answer: %(reason)s."),
            N_("Check MAILER_REDIS_URL. Nothing is lost meanwhile, but nothing is sent either."),
            {"reason": str(error).splitlines()[0]},
        )


def _redis() -> Check:
    name = N_("Redis")

    def look(client: "Redis") -> Check:
        version = client.info("server")["redis_version"]
        waiting = sum(client.llen(queue) for queue in QueueName)
        if waiting > BACKLOG:
            return Check(
                name,
                Verdict.WARNING,
                N_("Tasks that wait: %(count)s."),
                N_("Start more workers, or see in their log why they stand still."),
                {"count": waiting},
            )
        return Check(name, Verdict.WELL, N_("Redis %(version)s answers."), params={"version": version})

    return _with_redis(name, look)


def _worker() -> Check:
    name = N_("Worker and beat")

    def look(client: "Redis") -> Check:
        beat = client.get(HEARTBEAT_KEY)
        if beat is None:
            return Check(
                name,
                Verdict.FAILED,
                N_("No sweep has run lately: the worker or beat does not run."),
                N_("Start both: celery -A workers.app worker, celery -A workers.app beat"),
            )
        seconds = max(0.0, dt.datetime.now(dt.UTC).timestamp() - float(beat))
        if seconds > HEARTBEAT_TOLERANCE:
            return Check(
                name,
                Verdict.FAILED,
                N_("The last sweep ran %(seconds)s seconds ago."),
                N_("See the logs of worker and beat."),
                {"seconds": round(seconds)},
            )
        return Check(name, Verdict.WELL, N_("Both run."))

    return _with_redis(name, look)


def _relay() -> Check:
    name = N_("Relay")
    try:
        with session_scope() as session:
            relay = active_relay(session)
    except SQLAlchemyError:
        return Check(name, Verdict.FAILED, N_("Unknown, since the database does not answer."))
    found = asyncio.run(probe(relay))
    verdict = Verdict.WELL if found.is_ok else Verdict.FAILED
    return Check(name, verdict, found.verdict, found.advice, dict(found.params))


def _dkim() -> Check:
    name = N_("DKIM")
    try:
        with session_scope() as session:
            unreadable = sorted({key.domain for key in list_unreadable(session)})
            unsigned = list_unsigned_domains(session)
    except SQLAlchemyError:
        return Check(name, Verdict.FAILED, N_("Unknown, since the database does not answer."))
    if unreadable:
        return Check(
            name,
            Verdict.FAILED,
            N_("Keys of %(domains)s cannot be read: MAILER_SECRET_KEY has changed. Their mailings stand still."),
            N_("Retire them and make new ones: mailer dkim retire, mailer dkim create."),
            {"domains": ", ".join(unreadable)},
        )
    if unsigned:
        return Check(
            name,
            Verdict.WARNING,
            N_("Mail from %(domains)s goes out unsigned; large providers refuse it or take it for spam."),
            N_("Make keys, publish them and activate them: mailer dkim create DOMAIN"),
            {"domains": ", ".join(unsigned)},
        )
    return Check(name, Verdict.WELL, N_("Mail of every sender's domain is signed."))
