"""What the processes are told, and where an operator's commands find it."""

import stat
from pathlib import Path

import pytest

from mailer.db import get_engine
from mailer.embedded.scene import settings_of
from mailer.embedded.service import make_data_dir
from mailer.embedded.surroundings import (
    Plan,
    forget_environment,
    make_environment,
    read_environment,
    write_environment,
)
from mailer.embedded.vault import get_or_make_secret
from mailer.errors import ServiceError
from mailer.settings import get_settings

DATABASE, REDIS = "postgresql://mailer:x@/mailer?host=/tmp/a b", "redis://:y@127.0.0.1:6000/0"


def plan(data_dir: Path, **values: str) -> Plan:
    return Plan(data_dir=data_dir, web_port=8000, smtp_port=2525, mailbox_dir=data_dir / "mailbox", **values)


def test_mail_goes_to_the_mailbox_unless_the_operator_names_a_relay(tmp_path: Path) -> None:
    captured = plan(tmp_path)
    assert captured.sends_to_mailbox
    assert make_environment(captured, DATABASE, REDIS)["MAILER_RELAY_URL"] == "smtp://127.0.0.1:2525"
    relayed = plan(tmp_path, relay_url="smtps://relay.example.org", public_url="https://news.example.org")
    assert not relayed.sends_to_mailbox
    environment = make_environment(relayed, DATABASE, REDIS)
    assert environment["MAILER_RELAY_URL"] == "smtps://relay.example.org"
    assert environment["MAILER_PUBLIC_URL"] == "https://news.example.org"


def test_the_secret_key_is_made_once_and_kept_closed(tmp_path: Path) -> None:
    first = make_environment(plan(tmp_path), DATABASE, REDIS)["MAILER_SECRET_KEY"]
    assert len(first) >= 48
    assert make_environment(plan(tmp_path), DATABASE, REDIS)["MAILER_SECRET_KEY"] == first
    assert stat.S_IMODE((tmp_path / "secrets" / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def test_a_secret_that_was_emptied_is_refused_and_not_replaced(tmp_path: Path) -> None:
    get_or_make_secret(tmp_path, "secret_key")
    (tmp_path / "secrets" / "secret_key").write_text("\n")
    with pytest.raises(ServiceError, match="holds no secret"):
        get_or_make_secret(tmp_path, "secret_key")
    assert (tmp_path / "secrets" / "secret_key").read_text() == "\n"


def test_commands_find_the_running_service_and_nothing_after_it(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    environment = make_environment(plan(tmp_path), DATABASE, REDIS)
    assert read_environment(tmp_path) == {}
    write_environment(tmp_path, environment)
    assert read_environment(tmp_path) == environment
    assert stat.S_IMODE((tmp_path / "run" / "environment").stat().st_mode) == 0o600
    forget_environment(tmp_path)
    assert read_environment(tmp_path) == {}


def test_settings_are_those_of_the_block_only(tmp_path: Path) -> None:
    before = get_settings().public_url
    with settings_of(make_environment(plan(tmp_path, public_url="https://inside.example"), DATABASE, REDIS)):
        assert get_settings().public_url == "https://inside.example"
    assert get_settings().public_url == before


def test_connections_of_the_settings_before_are_closed_and_not_left_to_the_collector(
    database: str, tmp_path: Path
) -> None:
    with get_engine().connect() as connection:
        ours = connection.connection.dbapi_connection
    assert ours is not None
    assert not ours.closed, "the pool keeps it for the next use"
    with settings_of(make_environment(plan(tmp_path), DATABASE, REDIS)):
        assert ours.closed


def test_a_data_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ServiceError, match="cannot be made: Not a directory"):
        make_data_dir(tmp_path / "file" / "data")


def test_a_data_directory_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o750)
    make_data_dir(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750
    make_data_dir(tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o711
