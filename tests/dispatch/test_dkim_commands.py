import re

import pytest
from click.testing import CliRunner, Result
from sqlalchemy.orm import Session

from mailer.cli import program
from mailer.dispatch.dkim import keys as dkim_keys
from mailer.dispatch.dkim.rules import KeyState, record_name, record_value
from mailer.errors import MailerError, NotFoundError, RuleError
from mailer.settings import get_settings
from tests.dispatch.name_server import NameServer


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(program, ["dkim", *arguments])
    if isinstance(result.exception, MailerError):
        raise result.exception
    return result


def states(session: Session) -> dict[str, KeyState]:
    session.rollback()
    session.expire_all()
    return {key.selector: dkim_keys.get_state(session, key) for key in dkim_keys.list_keys(session)}


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch):
    """`named(records)`: a DNS with these, named in the settings."""
    servers: list[NameServer] = []

    def start(records: dict[str, list[str]]) -> None:
        servers.append(NameServer(records).__enter__())
        monkeypatch.setenv("MAILER_DNS_SERVER", servers[-1].address)
        get_settings.cache_clear()

    yield start
    for server in servers:
        server.__exit__(None, None, None)
    monkeypatch.undo()
    get_settings.cache_clear()


def test_create_prints_records_that_can_be_pasted(session: Session) -> None:
    result = run("create", "example.org", "--selector", "spring")
    assert result.exit_code == 0
    for key in dkim_keys.list_keys(session, "example.org"):
        assert f"name   {record_name(key.domain, key.selector)}\n" in result.output
        assert f"value  {record_value(key.algorithm, key.public_key)}\n" in result.output
    zone = [line for line in result.output.splitlines() if line.startswith("  zone ")]
    assert len(zone) == 2
    assert max(len(part) for line in zone for part in re.findall(r'"([^"]*)"', line)) == 255
    assert "mailer dkim check example.org" in result.output
    assert set(states(session).values()) == {KeyState.WAITING}


def test_one_algorithm_alone_takes_the_selector_as_it_is(session: Session) -> None:
    run("create", "example.org", "--selector", "solo", "--algorithm", "ed25519")
    assert states(session) == {"solo": KeyState.WAITING}


def test_a_rotation_from_the_shell(session: Session) -> None:
    run("create", "example.org", "--selector", "old")
    assert run("activate", "example.org").exit_code == 0
    run("create", "example.org", "--selector", "new")
    told = run("activate", "example.org").output
    assert states(session) == {
        "old-rsa": "retired", "old-ed25519": "retired", "new-rsa": "active", "new-ed25519": "active",
    }  # fmt: skip
    assert re.search(r"old-rsa rsa-sha256: retired, keep its record in the DNS until \d{4}-\d\d-\d\d", told)
    # And back again, by name.
    run("activate", "example.org", "old-rsa")
    assert states(session)["old-rsa"] == KeyState.ACTIVE
    run("retire", "example.org", "old-rsa", "new-ed25519")
    assert KeyState.ACTIVE not in states(session).values()


def test_of_several_that_wait_the_newest_is_activated(session: Session) -> None:
    for selector in ("a", "b"):
        run("create", "example.org", "--selector", selector)
    run("activate", "example.org")
    assert states(session) == {"a-rsa": "waiting", "a-ed25519": "waiting", "b-rsa": "active", "b-ed25519": "active"}


def test_what_is_not_there_is_said(session: Session) -> None:
    assert "mailer dkim create" in run("show").output
    with pytest.raises(NotFoundError, match="no DKIM key"):
        run("check", "example.org")
    with pytest.raises(NotFoundError):
        run("activate", "example.org", "nothing")
    with pytest.raises(RuleError, match="waits"):
        run("activate", "example.org")


def test_an_unused_key_is_removed_from_the_shell(session: Session) -> None:
    run("create", "example.org", "--selector", "spring")
    assert run("remove", "example.org", "spring-rsa").output == "spring-rsa: removed\n"
    assert list(states(session)) == ["spring-ed25519"]


def test_check_compares_what_the_dns_publishes(session: Session, named) -> None:
    run("create", "example.org", "--selector", "spring")
    keys = dkim_keys.list_keys(session, "example.org")
    records = {record_name(k.domain, k.selector): [record_value(k.algorithm, k.public_key)] for k in keys}
    named(records)
    good = run("check", "example.org")
    assert (good.exit_code, good.output.count("publishes this key")) == (0, 2)
    named(dict([next(iter(records.items()))]))
    bad = run("check", "example.org")
    assert bad.exit_code == 1
    assert "spring-rsa (waiting): The DNS does not publish this key yet." in bad.output


def test_check_without_an_answer_is_no_failure(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    run("create", "example.org", "--selector", "spring", "--algorithm", "ed25519")
    monkeypatch.setattr("mailer.dispatch.dkim.dns.PATIENCE", 0.2)
    # Nobody listens on the discard port of this address.
    monkeypatch.setenv("MAILER_DNS_SERVER", "127.0.0.1:9")
    get_settings.cache_clear()
    result = run("check", "example.org")
    monkeypatch.undo()
    get_settings.cache_clear()
    assert (result.exit_code, "could not be asked" in result.output) == (0, True)
