"""Real PostgreSQL and Redis for the whole run, empty tables for each test, sockets closed except loopback."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests.wiping import empty_tables

TEST_SETTINGS = {
    "MAILER_RELAY_URL": "smtp://127.0.0.1:2525",
    "MAILER_SECRET_KEY": "a test secret, long enough and never used elsewhere",
    "MAILER_PUBLIC_URL": "http://127.0.0.1:8000",
    "MAILER_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "MAILER_REDIS_URL": "redis://127.0.0.1:1/0",
}


def pytest_configure(config: pytest.Config) -> None:
    """Settings are there before any module of ours is imported; the two services replace their own below."""
    # No test fails for a busy machine: what is timed lives in bench/.
    hypothesis.settings.register_profile("mailer", deadline=None)
    hypothesis.settings.load_profile("mailer")
    for name in [name for name in os.environ if name.startswith("MAILER_") and not name.startswith("MAILER_TEST_")]:
        del os.environ[name]
    os.environ.update(TEST_SETTINGS)
    os.environ["MAILER_DATA_DIR"] = tempfile.mkdtemp(prefix="mailer-tests-")
    # Run by root, the tests' PostgreSQL is another user's and must be able to walk to its data.
    Path(os.environ["MAILER_DATA_DIR"]).chmod(0o711)
    config.add_cleanup(lambda: shutil.rmtree(os.environ["MAILER_DATA_DIR"], ignore_errors=True))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright keeps an event loop running in the main thread until it is closed."""
    items.sort(key=lambda item: "browser" in item.keywords)


def forget_settings() -> None:
    """After a change of MAILER_* in a test: settings, engine and Celery are read anew."""
    from mailer.db import get_engine
    from mailer.queue import get_celery
    from mailer.settings import get_settings

    if get_engine.cache_info().currsize:
        get_engine().dispose()
    get_engine.cache_clear()
    get_settings.cache_clear()
    get_celery.cache_clear()


@pytest.fixture(autouse=True)
def _settings_of_the_environment() -> None:
    """No test sees settings that another one left behind."""
    from mailer.settings import get_settings, load_settings

    if get_settings.cache_info().currsize and get_settings() != load_settings():
        forget_settings()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """An empty database of its own on the server MAILER_TEST_DATABASE_URL names, else on an embedded one."""
    server = os.environ.get("MAILER_TEST_DATABASE_URL")
    if server is None:
        from mailer.embedded.services import Postgres

        with Postgres(Path(os.environ["MAILER_DATA_DIR"]), is_durable=False) as postgres:
            # Emptied tables hand out their rows as they came only while no vacuum makes room between the dead ones.
            with psycopg.connect(postgres.url, autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET autovacuum = off")
                connection.execute("SELECT pg_reload_conf()")
            yield postgres.url
        return
    name = f"mailer_test_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield server.replace("/postgres?", f"/{name}?")
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis of the run's own."""
    from mailer.embedded.services import Redis

    with Redis(Path(os.environ["MAILER_DATA_DIR"])) as redis:
        yield redis.url


@pytest.fixture(scope="session")
def migrated(postgres_url: str) -> str:
    """The database with every migration."""
    from mailer.migrations import upgrade

    os.environ["MAILER_DATABASE_URL"] = postgres_url
    forget_settings()
    upgrade()
    return postgres_url


@pytest.fixture
def database(migrated: str) -> Iterator[str]:
    """Empty tables; real commits are allowed and wiped afterwards."""
    yield migrated
    from mailer.db import get_engine

    with get_engine().begin() as connection:
        empty_tables(connection)


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    """A session on empty tables; the test commits where the code under test would."""
    from mailer.db import new_session

    session = new_session()
    engine = session.get_bind()
    yield session
    session.rollback()
    session.close()
    # Another fixture may have changed the settings meanwhile; then nobody else closes this engine's connections.
    assert isinstance(engine, Engine)
    engine.dispose()


@pytest.fixture
def redis(redis_url: str) -> str:
    """An emptied Redis, named in the settings."""
    from redis import Redis as Client

    os.environ["MAILER_REDIS_URL"] = redis_url
    forget_settings()
    with Client.from_url(redis_url) as client:
        client.flushall()
    return redis_url
