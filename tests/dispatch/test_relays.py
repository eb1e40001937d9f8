import asyncio
import socket
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select

from mailer.accounts.models import AuditEntry
from mailer.dispatch.models import Relay
from mailer.dispatch.relays import registry as relays
from mailer.dispatch.suspending import is_suspended, suspend_relay
from mailer.errors import NotFoundError, RuleError
from mailer.settings import get_settings
from tests.dispatch.conftest import House
from tests.dispatch.sink import Sink

VALUES = {"name": "main", "host": "relay.test", "port": 587, "security": "starttls", "username": "u"}


def create(house: House, **changes: object) -> Relay:
    made = relays.create_relay(house.session, by=None, password="pass word", **(VALUES | changes))
    house.session.commit()
    return made


def test_a_password_is_sealed_at_rest_and_open_on_the_wire(house: House) -> None:
    relay = create(house, rate=12.5, connections=3)
    assert b"pass word" not in relay.sealed_password
    address = relays.active_relay(house.session)
    assert (address.host, address.port, address.security, address.username) == ("relay.test", 587, "starttls", "u")
    assert (address.password, address.connections) == ("pass word", 3)
    assert relays.active_limits(house.session)[1] == 12.5
    entry = house.session.scalars(select(AuditEntry)).one()
    assert "pass word" not in str(entry.details)


def test_a_password_sealed_with_another_secret_says_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    create(house)
    monkeypatch.setenv("MAILER_SECRET_KEY", "another secret key, long enough to be accepted")
    get_settings.cache_clear()
    with pytest.raises(RuleError, match="MAILER_SECRET_KEY has changed"):
        relays.active_relay(house.session)
    monkeypatch.undo()
    get_settings.cache_clear()


def test_no_password_needs_no_seal(house: House) -> None:
    relay = relays.create_relay(house.session, by=None, **VALUES)
    assert relay.sealed_password == b""
    assert relays.address_of(relay).password == ""


def test_a_change_keeps_the_password_and_tries_the_relay_at_once(house: House) -> None:
    relay = create(house)
    suspend_relay(house.session, relay="main", reply_class="connection", reply="")
    relays.change_relay(house.session, relay, by=None, port=2525, name="main")
    assert (relay.port, relays.address_of(relay).password) == (2525, "pass word")
    assert not is_suspended(house.session, "*")
    relays.change_relay(house.session, relay, by=None, password="new")
    assert relays.address_of(relay).password == "new"
    relays.change_relay(house.session, relay, by=None, password="")
    assert relays.address_of(relay).password == ""
    house.session.commit()
    told = house.session.scalars(select(AuditEntry.details).order_by(AuditEntry.id)).all()
    assert told == [{"name": "main"}, {"port": 2525}, {"password": "changed"}, {"password": "changed"}]


def test_the_first_enabled_one_is_used_and_else_the_settings(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = create(house), create(house, name="spare", host="spare.test")
    relays.change_relay(house.session, first, by=None, is_enabled=False)
    assert relays.active_relay(house.session).host == "spare.test"
    relays.remove_relay(house.session, second, by=None)
    assert [relay.name for relay in relays.list_relays(house.session)] == ["main"]
    monkeypatch.setenv("MAILER_RELAY_URL", "smtps://a:b%20c@mx.test?messages=7")
    monkeypatch.setenv("MAILER_CONNECTIONS", "4")
    monkeypatch.setenv("MAILER_EHLO_NAME", "news.example.org")
    get_settings.cache_clear()
    address, rate = relays.active_limits(house.session)
    assert (address.host, address.port, address.security, address.password) == ("mx.test", 465, "tls", "b c")
    assert (address.connections, address.messages_per_connection, rate) == (4, 7, None)
    assert address.ehlo_name == "news.example.org"
    monkeypatch.setenv("MAILER_RELAY_URL", "smtp://mx.test?connections=9&ehlo=other.example.org")
    get_settings.cache_clear()
    address = relays.active_relay(house.session)
    assert (address.connections, address.ehlo_name) == (9, "other.example.org")
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "  "},
        {"name": "x" * 65},
        {"host": ""},
        {"port": 0},
        {"port": 65_536},
        {"security": "ssl"},
        {"connections": 0},
        {"messages_per_connection": 0},
        {"rate": 0.0},
    ],
)
def test_what_makes_no_sense_is_refused(house: House, changes: dict[str, object]) -> None:
    with pytest.raises(RuleError):
        relays.create_relay(house.session, by=None, **(VALUES | changes))
    assert relays.list_relays(house.session) == []


def test_two_relays_cannot_share_a_name(house: House) -> None:
    create(house)
    with pytest.raises(RuleError, match="already"):
        relays.create_relay(house.session, by=None, **VALUES)
    # The session goes on.
    assert len(relays.list_relays(house.session)) == 1


def test_a_field_that_is_none_is_a_programming_error(house: House) -> None:
    with pytest.raises(TypeError, match="sealed_password"):
        relays.create_relay(house.session, by=None, **VALUES, sealed_password=b"x")
    with pytest.raises(NotFoundError):
        relays.get_relay(house.session, 4711)


def test_a_test_mail_arrives_and_the_servers_answer_is_told(house: House) -> None:
    with Sink() as sink:
        create(house, host="127.0.0.1", port=sink.port, security="none", username="")
        sink.answer("content", "250 2.0.0 queued as 1")
        result = asyncio.run(relays.send_test(house.session, "admin@example.org"))
        assert (result.outcome, result.code, result.relay) == ("accepted", 250, "main")
        assert sink.messages[0].recipients == ("admin@example.org",)
        assert b"Auto-Submitted: auto-generated" in sink.messages[0].content
        sink.behave()
        sink.answer("rcpt", "550 5.7.1 Relaying denied")
        assert asyncio.run(relays.send_test(house.session, "admin@example.org")).outcome != "accepted"


def test_a_test_mail_needs_an_address(house: House) -> None:
    with pytest.raises(RuleError):
        asyncio.run(relays.send_test(house.session, "nobody"))


def test_the_settings_say_from_where_and_under_which_name_we_come(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_SOURCE_ADDRESS", "127.0.0.9")
    monkeypatch.setenv("MAILER_EHLO_NAME", "mail.example.org")
    get_settings.cache_clear()
    named = relays.active_relay(house.session)
    assert (named.source_address, named.ehlo_name) == ("127.0.0.9", "mail.example.org")
    relay = create(house)
    assert relays.address_of(relay).source_address == "127.0.0.9"
    relays.remove_relay(house.session, relay, by=None)
    monkeypatch.setenv("MAILER_RELAY_URL", "smtp://relay.test?source=127.0.0.8&ehlo=other.example.org")
    get_settings.cache_clear()
    named = relays.active_relay(house.session)
    assert (named.source_address, named.ehlo_name) == ("127.0.0.8", "other.example.org")
    monkeypatch.undo()
    get_settings.cache_clear()


def test_mail_comes_from_the_address_of_the_settings(
    house: House, relay: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_SOURCE_ADDRESS", "127.0.0.9")
    callers: list[str] = []

    def answer_once(server: socket.socket) -> None:
        connection, (host, _port) = server.accept()
        callers.append(host)
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        relay(f"smtp://127.0.0.1:{server.getsockname()[1]}")
        answering = threading.Thread(target=answer_once, args=(server,))
        answering.start()
        result = asyncio.run(relays.send_test(house.session, "reader@example.org"))
        answering.join()
    assert result.outcome == "deferred"
    assert callers == ["127.0.0.9"]
