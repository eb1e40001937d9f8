"""One migration path: what it makes is what the models say, from an empty database and back again."""

import os
from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url

from mailer.migrations import alembic_config, get_revisions, upgrade
from tests.conftest import forget_settings


@pytest.fixture
def empty_database(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database of its own on the run's server, named in the settings."""
    name = "mailer_migrations"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    url = make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    monkeypatch.setenv("MAILER_DATABASE_URL", url)
    forget_settings()
    yield url
    forget_settings()
    monkeypatch.undo()
    forget_settings()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_the_path_has_one_end() -> None:
    assert len(ScriptDirectory.from_config(alembic_config()).get_heads()) == 1


def test_what_the_path_makes_is_what_the_models_say(empty_database: str) -> None:
    assert os.environ["MAILER_DATABASE_URL"] == empty_database
    upgrade()
    current, newest = get_revisions()
    assert current == newest
    command.check(alembic_config())


def test_a_second_upgrade_does_nothing(empty_database: str) -> None:
    upgrade()
    before = get_revisions()
    upgrade()
    assert get_revisions() == before


def test_the_path_leads_back_and_forth_again(empty_database: str) -> None:
    upgrade()
    command.downgrade(alembic_config(), "base")
    with psycopg.connect(empty_database) as connection:
        left = connection.execute(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchone()
    assert left == (1,), "only Alembic's own table is left"
    upgrade()
    command.check(alembic_config())


def test_mailings_of_before_have_their_left_out_counted(empty_database: str) -> None:
    command.upgrade(alembic_config(), "0160")
    with psycopg.connect(empty_database) as connection:
        # The mailings' newsletter, issue and edition are of no concern here.
        connection.execute("SET LOCAL session_replication_role = replica")
        for number, prepared in ((1, "now()"), (2, "now()"), (3, "NULL")):
            connection.execute(
                "INSERT INTO mailings (id, newsletter_id, issue_id, edition_id, state, message_key, message_domain, "
                "is_repeat, pause_reason, pause_reply, prepared_at) "
                f"VALUES ({number}, 1, 1, 1, 'draft', 'key{number}', 'example.org', false, '', '', {prepared})"
            )
        connection.execute("INSERT INTO exclusions VALUES (1, 1, 'paused'), (1, 2, 'paused'), (1, 3, 'suppressed')")
    upgrade()
    with psycopg.connect(empty_database) as connection:
        kept = connection.execute("SELECT exclusion_counts FROM mailings ORDER BY id").fetchall()
    assert kept == [({"paused": 2, "suppressed": 1},), ({},), (None,)]
