"""What the supervisor refuses, each in one sentence, with nothing left running."""

import dataclasses
import fcntl
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.embedded.running import check_settings, make_plan
from mailer.embedded.service import find_free_port
from mailer.embedded.supervisor import Supervisor
from mailer.embedded.surroundings import Plan
from mailer.errors import ServiceError, SettingsError


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan(
        data_dir=tmp_path / "data",
        web_port=find_free_port(),
        smtp_port=find_free_port(),
        mailbox_dir=tmp_path / "mailbox",
    )


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.mark.parametrize(("which", "option"), [("web_port", "--port"), ("smtp_port", "--smtp-port")])
def test_a_busy_port_is_one_sentence_and_nothing_is_started(
    plan: Plan, listener: socket.socket, which: str, option: str
) -> None:
    port = listener.getsockname()[1]
    supervisor = Supervisor(dataclasses.replace(plan, **{which: port}), pytest.fail)
    with pytest.raises(ServiceError) as refusal:
        supervisor.start()
    assert str(refusal.value) == (
        f"Port {port} cannot be used (Address already in use): end what listens there, or choose another with {option}."
    )
    assert not (plan.data_dir / "postgres").exists()
    assert not (plan.data_dir / "run" / "supervisor.pid").exists()


def test_two_supervisors_on_one_data_directory_are_one_too_many(plan: Plan) -> None:
    (plan.data_dir / "run").mkdir(parents=True)
    (plan.data_dir / "run" / "supervisor.pid").write_text("4711\n")
    with (plan.data_dir / "run" / "lock").open("a") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        with pytest.raises(ServiceError, match=r"already runs on .* \(process 4711\)"):
            Supervisor(plan, pytest.fail).start()
    assert (plan.data_dir / "run" / "supervisor.pid").read_text() == "4711\n"


def test_a_bad_setting_is_named_before_anything_starts(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_BATCH_SIZE", "many")
    monkeypatch.setenv("MAILER_TIME_ZONE", "Mars/Olympus")
    with pytest.raises(SettingsError) as refusal:
        check_settings(plan)
    assert {problem.partition(":")[0] for problem in refusal.value.problems} == {
        "MAILER_BATCH_SIZE",
        "MAILER_TIME_ZONE",
    }


def test_the_operators_own_addresses_and_key_are_respected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_RELAY_URL", "smtps://relay.example.org")
    monkeypatch.setenv("MAILER_PUBLIC_URL", "https://news.example.org")
    monkeypatch.delenv("MAILER_SECRET_KEY")
    plan = make_plan(tmp_path, web_port=8000, smtp_port=2525)
    assert (plan.relay_url, plan.public_url) == ("smtps://relay.example.org", "https://news.example.org")
    assert plan.secret_key is None
    assert not plan.sends_to_mailbox
