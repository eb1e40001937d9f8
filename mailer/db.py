"""PostgreSQL: one engine per process, transactions as a context manager, and the base of every table."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, DateTime, Engine, Identity, MetaData, create_engine, event, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.types import TypeDecorator

from mailer.settings import get_settings

# Named constraints, so that a migration can drop what an earlier one made.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[dt.datetime]):
    """`timestamptz` that refuses naive values and always gives back UTC, whatever zone the host or the session has."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: object) -> dt.datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a naive datetime must not reach the database")
        return value

    def process_result_value(self, value: dt.datetime | None, dialect: object) -> dt.datetime | None:
        return None if value is None else value.astimezone(dt.UTC)


class Base(DeclarativeBase):
    """Base of every table. `datetime` means UTC, `dict` and `list` mean JSONB."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {
        dt.datetime: UtcDateTime(),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
        list[dict[str, Any]]: JSONB(),
    }


class HasId:
    """A 64-bit key made by PostgreSQL."""

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False), primary_key=True, sort_order=-10)


class HasCreatedAt:
    """When the row was made, by PostgreSQL's clock."""

    created_at: Mapped[dt.datetime] = mapped_column(server_default=func.now(), sort_order=90)


@lru_cache(maxsize=1)
def get_engine() -> Engine:
    """The process's engine. A worker that forks calls `forget_engine` in the child: sockets must not be shared."""
    url = make_url(get_settings().database_url.get_secret_value()).set(drivername="postgresql+psycopg")
    # An INET column reads as the string it was given, not as an object that JSON and templates must know.
    engine = create_engine(
        url, pool_pre_ping=True, pool_size=5, max_overflow=10, pool_recycle=1800, native_inet_types=False
    )

    @event.listens_for(engine, "connect")
    def _speak_utc(connection: Any, _record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET TIME ZONE 'UTC'")
        connection.commit()

    return engine


def forget_engine() -> None:
    """Drops the engine without closing sockets that belong to the parent process."""
    if get_engine.cache_info().currsize:
        get_engine().dispose(close=False)
    get_engine.cache_clear()


def new_session() -> Session:
    """A session that the caller must close; the web keeps one per request. Elsewhere use `session_scope`."""
    return Session(get_engine(), expire_on_commit=False)


@contextmanager
def session_scope() -> Iterator[Session]:
    """One transaction: committed at the end of the block, rolled back when it raises."""
    session = new_session()
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.close()


def now(session: Session) -> dt.datetime:
    """PostgreSQL's clock (start of the transaction): the only clock for leases, schedules and states."""
    moment: dt.datetime = session.scalar(func.now().select())  # type: ignore[assignment]
    return moment.astimezone(dt.UTC)
