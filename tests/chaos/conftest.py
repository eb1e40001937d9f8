"""Servers that may be killed, and for each test a stage on them."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis as RedisClient

from mailer.db import new_session
from mailer.embedded.scene import settings_of
from mailer.embedded.service import find_free_port
from mailer.embedded.services import Postgres, Redis
from mailer.embedded.supervisor import upgrade_database
from tests.chaos.relay import Relay
from tests.chaos.stage import Services, Stage, environment_of, forget_rows
from tests.dispatch.conftest import make_house

MakeStage = Callable[..., Stage]


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    """As durable as in production: what was committed must survive a SIGKILL."""
    with tempfile.TemporaryDirectory(prefix="mailer-chaos-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        # PostgreSQL's own user must be able to walk through it.
        folder.chmod(0o711)
        postgres, redis = Postgres(folder), Redis(folder)
        with postgres, redis:
            upgrade_database(folder, environment_of(Services(folder, postgres, redis), folder, 1))
            yield Services(folder, postgres, redis)


@pytest.fixture
def make_stage(services: Services, tmp_path: Path) -> Iterator[MakeStage]:
    """A stage with an open relay that follows these scripts; its processes are started by the test."""
    services.revive()
    made: list[Stage] = []
    port = find_free_port()
    environment = environment_of(services, tmp_path, port)
    with settings_of(environment), new_session() as session, RedisClient.from_url(services.redis.url) as redis:
        redis.flushall()

        def make(*scripts: str, late: float = 0.0, is_open: bool = True, **extra: str) -> Stage:
            relay = Relay(tmp_path, port, *scripts, late=late)
            stage = Stage(services, tmp_path, environment | extra, relay, make_house(session))
            made.append(stage)
            if is_open:
                relay.start()
            return stage

        try:
            yield make
        finally:
            for stage in made:
                stage.close()
            services.revive()
            session.rollback()
            session.close()
            forget_rows()
