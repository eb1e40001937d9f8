"""People from LDAP, in a real conversation over TCP and TLS."""

import csv
import io
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from mailer.audience.directories import registry
from mailer.audience.directories.deadlines import Deadline
from mailer.audience.directories.ldap_source import PAGE, Search, parse_filter, write_entries
from mailer.audience.directories.rules import Mapping, Scope, Security
from mailer.errors import RuleError, UnreadableError
from mailer.newsletters.models import List
from mailer.settings import get_settings
from tests.audience.conftest import reader
from tests.audience.directories.conftest import VALUES, counted, on_list, sync
from tests.audience.directories.ldap_server import DN, PASSWORD, Directory, Entry
from tests.dispatch.wire import Certificate, make_certificate

ANN: Entry = {"mail": [b"ann@example.org", b"second@example.org"], "CN": ["安娜".encode()], "ou": [b"Physics"]}
BOB: Entry = {"mail": [b"bob@example.org"]}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
def _trusted(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    trust(monkeypatch, certificate)


def trust(monkeypatch: pytest.MonkeyPatch, certificate: Certificate, hosts: str = "127.0.0.1") -> None:
    monkeypatch.setenv("MAILER_DIRECTORY_CA_FILE", str(certificate.ca_file))
    monkeypatch.setenv("MAILER_DIRECTORY_HOSTS", hosts)
    get_settings.cache_clear()


def search(
    server: str, *, security: Security = Security.TLS, bind_dn: str = DN, password: str = PASSWORD, seconds: float = 10,
    most: int = 1_000_000, filter_: str = "(&(objectClass=person)(mail=*))",
) -> list[list[str]]:  # fmt: skip
    """The rows below the heading."""
    asked = Search(server, security, bind_dn, password, "dc=example,dc=org", Scope.SUBTREE, filter_)
    with io.BytesIO() as file:
        write_entries(asked, ["mail", "cn", "ou"], file, most_bytes=most, deadline=Deadline(seconds))
        heading, *rows = csv.reader(io.StringIO(file.getvalue().decode()))
    assert heading == ["mail", "cn", "ou"]
    return rows


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_entries_become_a_table(certificate: Certificate, security: Security) -> None:
    with Directory(certificate.context, [ANN, BOB], is_tls=security is Security.TLS) as server:
        assert search(server.address, security=security) == [
            ["ann@example.org", "安娜", "Physics"], ["bob@example.org", "", ""],
        ]  # fmt: skip
    # The password was told once, over a secured connection.
    assert server.binds == [(DN, PASSWORD, True)]
    (asked,) = server.searches
    assert (asked.base_object, asked.attributes, asked.scope.name) == (
        "dc=example,dc=org", ["mail", "cn", "ou"], "SUBTREE",
    )  # fmt: skip
    assert str(asked.filter) == "(&(objectClass=person)(mail=*))"


@pytest.mark.parametrize("fault", ["", "no paging", "refers elsewhere"])
def test_all_pages_are_read(certificate: Certificate, fault: str) -> None:
    people = [{"mail": [f"r{number}@example.org".encode()]} for number in range(2 * PAGE + 1)]
    with Directory(certificate.context, people, fault=fault) as server:
        rows = search(server.address)
    assert [row[0] for row in rows] == [f"r{number}@example.org" for number in range(2 * PAGE + 1)]
    assert len(server.searches) == (1 if fault == "no paging" else 3)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("size limit", "The server did not give all entries: size limit exceeded"),
        ("hangs up", "The server could not be read to the end."),
        ("falls silent", "The server took too long."),
    ],
)
def test_half_a_directory_is_none(certificate: Certificate, fault: str, said: str) -> None:
    people = [{"mail": [f"r{number}@example.org".encode()]} for number in range(10)]
    with Directory(certificate.context, people, fault=fault) as server, pytest.raises(UnreadableError) as raised:
        search(server.address, seconds=1 if fault == "falls silent" else 10)
    assert str(raised.value) == said


def test_a_wrong_password_is_told(certificate: Certificate) -> None:
    with Directory(certificate.context, [ANN]) as server, pytest.raises(UnreadableError) as raised:
        search(server.address, password="guess")
    assert str(raised.value) == "The server does not let us in: invalid credentials"
    assert server.searches == []


def test_no_password_goes_where_starttls_is_refused(certificate: Certificate) -> None:
    with (
        Directory(certificate.context, [ANN], is_tls=False, fault="no StartTLS") as server,
        pytest.raises(UnreadableError) as raised,
    ):
        search(server.address, security=Security.STARTTLS)
    assert str(raised.value) == "The server does not offer StartTLS: protocol error: unsupported"
    assert server.binds == []


def test_a_certificate_of_somebody_else_gets_no_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, certificate: Certificate
) -> None:
    strange = make_certificate(tmp_path / "strange")
    others = make_certificate(tmp_path / "others", name="192.0.2.1")
    for presented, trusted in ((strange, certificate), (others, others)):
        trust(monkeypatch, trusted)
        for security in Security:
            with (
                Directory(presented.context, [ANN], is_tls=security is Security.TLS) as server,
                pytest.raises(UnreadableError) as raised,
            ):
                search(server.address, security=security)
            assert str(raised.value).startswith("The server's certificate is not trusted:")
            assert server.binds == []


def test_a_directory_that_is_too_large_is_given_up(certificate: Certificate) -> None:
    people: list[Entry] = [{"mail": [b"x" * 1000]} for _ in range(1200)]
    with Directory(certificate.context, people) as server, pytest.raises(UnreadableError) as raised:
        search(server.address, most=1024 * 1024)
    assert str(raised.value) == "The table is larger than 1 MB."


def test_only_a_server_that_the_operator_named_is_asked(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Directory(certificate.context, [ANN]) as server:
        trust(monkeypatch, certificate, hosts=f"ldap.example.org,127.0.0.1:{server.port + 1}")
        with pytest.raises(RuleError) as raised:
            search(server.address)
    assert "MAILER_DIRECTORY_HOSTS" in str(raised.value)
    assert server.binds == []


@pytest.mark.parametrize("filter_", ["(mail=*", "mail=*)", "(&)x", "(((", "(=)"])
def test_a_filter_that_is_none_is_refused(filter_: str) -> None:
    with pytest.raises(RuleError):
        parse_filter(filter_)


def _tlv(tag: int, *parts: bytes) -> bytes:
    """BER, short lengths: X.690 section 8.1."""
    body = b"".join(parts)
    assert len(body) < 128
    return bytes([tag, len(body)]) + body


def test_the_bytes_are_those_of_the_rfc(certificate: Certificate) -> None:
    """A server of hand-written bytes (RFC 4511 section 4; RFC 2696), so that no library is on both sides."""
    integer = lambda number: _tlv(0x02, bytes([number]))  # noqa: E731
    octets = lambda value: _tlv(0x04, value)  # noqa: E731
    success = _tlv(0x0A, b"\0") + octets(b"") + octets(b"")
    bind_request = _tlv(0x30, integer(1), _tlv(0x60, integer(3), octets(b"cn=m"), _tlv(0x80, b"pw")))
    bind_response = _tlv(0x30, integer(1), _tlv(0x61, success))
    attribute = _tlv(0x30, octets(b"mail"), _tlv(0x31, octets(b"ann@example.org")))
    entry = _tlv(0x30, integer(2), _tlv(0x64, octets(b"uid=1"), _tlv(0x30, attribute)))
    paged = _tlv(0x30, octets(b"1.2.840.113556.1.4.319"), octets(_tlv(0x30, integer(0), octets(b""))))
    done = _tlv(0x30, integer(2), _tlv(0x65, success), _tlv(0xA0, paged))
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            plain, _ = listener.accept()
            with certificate.context.wrap_socket(plain, server_side=True) as connection:
                connection.settimeout(10)
                seen.append(connection.recv(4096))
                connection.sendall(bind_response)
                seen.append(connection.recv(4096))
                # In two pieces: an answer need not come as one.
                connection.sendall(entry[:9])
                connection.sendall(entry[9:] + done)
                seen.append(connection.recv(4096))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            rows = search(f"127.0.0.1:{listener.getsockname()[1]}", bind_dn="cn=m", password="pw", filter_="(mail=*)")
        finally:
            thread.join()
    assert rows == [["ann@example.org", "", ""]]
    assert seen[0] == bind_request
    # baseObject, wholeSubtree, neverDerefAliases, no limits, typesOnly FALSE, present (7) "mail".
    begin = octets(b"dc=example,dc=org") + bytes.fromhex("0a01020a010002010002010001 0100".replace(" ", ""))
    assert begin + _tlv(0x87, b"mail") in seen[1]
    assert octets(b"mail") + octets(b"cn") + octets(b"ou") in seen[1]
    assert seen[2] == b""


def test_a_server_that_says_nothing_is_not_waited_for(certificate: Certificate) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(UnreadableError) as raised:
            search(f"127.0.0.1:{silent.getsockname()[1]}", seconds=0.5)
    assert str(raised.value) == "The server took too long."
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "noise", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x30\x84\x7f\xff\xff\xff", b"\x30\x03\x02\x01\x07"]
)
def test_what_is_no_ldap_is_told_as_such(certificate: Certificate, noise: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            plain, _ = listener.accept()
            try:
                with certificate.context.wrap_socket(plain, server_side=True) as connection:
                    connection.settimeout(10)
                    connection.recv(4096)
                    connection.sendall(noise)
            except (OSError, ssl.SSLError):
                pass  # It may hang up at once.

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with pytest.raises(UnreadableError):
                search(f"127.0.0.1:{listener.getsockname()[1]}", seconds=5)
        finally:
            thread.join()


def test_a_list_follows_ldap(session: Session, double: List, certificate: Certificate) -> None:
    with Directory(certificate.context, [ANN, BOB, {"ou": [b"Nobody"]}]) as server:
        values = {
            **VALUES,
            "list_id": double.id,
            "kind": "ldap",
            "location": server.address,
            "options": {
                "security": "tls", "bind_dn": DN, "base": "dc=example,dc=org", "scope": "subtree", "filter": "",
            },
            "mapping": Mapping("mail", "cn", "", {"department": "ou"}),
        }  # fmt: skip
        made = registry.create_directory(session, by=None, secret=PASSWORD, **values)
        session.commit()
        assert counted(sync(session, made, is_dry=True)) == {"new": 2, "invalid": 1}
        registry.switch_on(session, made, by=None)
        sync(session, made)
        assert on_list(session, double) == {"ann@example.org": "confirmed", "bob@example.org": "confirmed"}
        ann = reader(session)
        assert (ann.name, ann.attributes) == ("安娜", {"department": "Physics"})
        server.entries = [ANN, {"mail": [b"kim@example.org"]}]
        assert counted(sync(session, made)) == {"new": 1, "removed": 1, "unchanged": 1}
        # Its search finds nobody, or it is away: nobody is taken off.
        server.entries = []
        assert sync(session, made).state == "failed"
    assert sync(session, made).state == "failed"
    assert on_list(session, double) == {
        "ann@example.org": "confirmed", "bob@example.org": "removed", "kim@example.org": "confirmed",
    }  # fmt: skip
