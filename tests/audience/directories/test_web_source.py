"""A table by HTTPS: with its key, from the host that was judged, whole, in time, and nowhere else."""

import io
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from mailer.audience.directories import registry
from mailer.audience.directories.deadlines import Deadline
from mailer.audience.directories.rules import Auth
from mailer.audience.directories.web_source import download
from mailer.errors import MailerError, RuleError, UnreadableError
from mailer.newsletters.models import List
from mailer.settings import get_settings
from tests.audience.directories.conftest import VALUES, counted, on_list, sync
from tests.dispatch.wire import Certificate, make_certificate

TABLE = b"mail,name,unit\nann@example.org,Ann,Physics\n"


class Office:
    """An HTTPS server on loopback that keeps what it was asked."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        office = self
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.stop = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                office.asked.append((self.path, dict(self.headers.items())))
                office.answer(self)
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = False

            def handle_error(self, *_: object) -> None:
                pass  # Clients that hang up are what some of these tests are about.

        self.server = Quiet(("127.0.0.1", 0), Handler)
        if context is not None:
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self.server.server_address[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self.stop.set()
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.partition("?")[0]
        if path.startswith("/status/"):
            request.send_response(int(path.removeprefix("/status/")))
            request.end_headers()
        elif path in MOVES:
            request.send_response(302)
            request.send_header("Location", MOVES[path].format(port=self.port))
            request.send_header("Content-Length", "0")
            request.end_headers()
        elif path == "/short":
            self._send(request, TABLE, length=len(TABLE) + 100)
        elif path == "/chunks-cut":
            request.send_response(200)
            request.send_header("Transfer-Encoding", "chunked")
            request.end_headers()
            request.wfile.write(b"%x\r\n%s\r\n" % (len(TABLE), TABLE))
        elif path == "/no-length-cut":
            request.send_response(200)
            request.end_headers()
            request.wfile.write(TABLE)
            request.wfile.flush()
            # The connection ends without TLS's farewell: who can cut the wire can do the same.
            request.connection.shutdown(socket.SHUT_RDWR)
        elif path == "/slow":
            request.send_response(200)
            request.end_headers()
            while not self.stop.wait(0.05):
                request.wfile.write(b"a")
                request.wfile.flush()
        elif path == "/large":
            self._send(request, b"x" * 3_000_000)
        else:
            self._send(request, TABLE)

    def _send(self, request: BaseHTTPRequestHandler, body: bytes, *, length: int | None = None) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(body) if length is None else length))
        request.end_headers()
        request.wfile.write(body)


MOVES = {
    "/moved": "/staff.csv",
    "/moved-whole": "https://127.0.0.1:{port}/staff.csv",
    "/elsewhere": "https://localhost:{port}/staff.csv",
    "/other-port": "https://127.0.0.1:1/staff.csv",
    "/plain": "http://127.0.0.1:{port}/staff.csv",
    "/round": "/round",
    "/nowhere": "//",
}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def trust(monkeypatch: pytest.MonkeyPatch, certificate: Certificate, hosts: str = "127.0.0.1") -> None:
    monkeypatch.setenv("MAILER_DIRECTORY_CA_FILE", str(certificate.ca_file))
    monkeypatch.setenv("MAILER_DIRECTORY_HOSTS", hosts)
    get_settings.cache_clear()


@pytest.fixture
def office(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    trust(monkeypatch, certificate)
    office = Office(certificate.context)
    yield office
    office.close()


def get(url: str, *, auth: Auth = Auth.BEARER, seconds: float = 10, most: int = 1_000_000, **options: object) -> bytes:
    with io.BytesIO() as file:
        download(
            url, file, auth=auth, header="X-Api-Key", secret="s3cret", most_bytes=most, deadline=Deadline(seconds),
            **options,  # type: ignore[arg-type]
        )  # fmt: skip
        return file.getvalue()


def test_a_table_is_fetched_with_its_key(office: Office) -> None:
    assert get(f"{office.url}/staff.csv?since=2026-01-01&dept=物理") == TABLE
    ((path, headers),) = office.asked
    assert path == "/staff.csv?since=2026-01-01&dept=%E7%89%A9%E7%90%86"
    assert headers["Authorization"] == "Bearer s3cret"
    assert headers["Host"] == f"127.0.0.1:{office.port}"


@pytest.mark.parametrize(("auth", "sent"), [(Auth.HEADER, {"X-Api-Key": "s3cret"}), (Auth.NONE, {})])
def test_the_key_goes_into_the_header_that_was_named_or_nowhere(
    office: Office, auth: Auth, sent: dict[str, str]
) -> None:
    get(f"{office.url}/", auth=auth)
    headers = office.asked[0][1]
    assert {name: value for name, value in headers.items() if "s3cret" in value} == sent


@pytest.mark.parametrize("path", ["/moved", "/moved-whole"])
def test_a_redirect_within_the_host_is_followed(office: Office, path: str) -> None:
    assert get(office.url + path) == TABLE
    assert [asked for asked, _ in office.asked] == [path, "/staff.csv"]


@pytest.mark.parametrize("path", ["/elsewhere", "/other-port", "/plain", "/round", "/nowhere"])
def test_no_redirect_takes_the_key_to_another_host_port_or_scheme(office: Office, path: str) -> None:
    with pytest.raises(MailerError):
        get(office.url + path)
    assert {asked for asked, _ in office.asked} == {path}
    assert len(office.asked) <= 4


@pytest.mark.parametrize("path", ["/short", "/chunks-cut", "/no-length-cut"])
def test_a_body_that_ends_early_is_no_table(office: Office, path: str) -> None:
    with pytest.raises(UnreadableError):
        get(office.url + path)


@pytest.mark.parametrize("status", [204, 206, 304, 401, 403, 404, 500, 503])
def test_only_a_200_is_a_table(office: Office, status: int) -> None:
    with pytest.raises(UnreadableError) as raised:
        get(f"{office.url}/status/{status}")
    assert str(status) in str(raised.value)


def test_a_table_that_is_too_large_is_given_up(office: Office) -> None:
    with pytest.raises(UnreadableError) as raised:
        get(f"{office.url}/large", most=1024 * 1024)
    assert str(raised.value) == "The table is larger than 1 MB."


def test_a_server_that_trickles_is_not_waited_for(office: Office) -> None:
    began = time.monotonic()
    with pytest.raises(UnreadableError) as raised:
        get(f"{office.url}/slow", seconds=0.5)
    assert str(raised.value) == "The server took too long."
    assert time.monotonic() - began < 10


def test_a_certificate_is_checked_for_its_authority_name_and_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, certificate: Certificate
) -> None:
    strange = make_certificate(tmp_path / "strange")
    others = make_certificate(tmp_path / "others", name="192.0.2.1")
    expired = make_certificate(tmp_path / "expired", days=-1)
    for presented, trusted in ((strange, certificate), (others, others), (expired, expired)):
        trust(monkeypatch, trusted)
        office = Office(presented.context)
        try:
            with pytest.raises(UnreadableError) as raised:
                get(f"{office.url}/staff.csv")
        finally:
            office.close()
        assert str(raised.value).startswith("The server's certificate is not trusted:")
        assert office.asked == []


@pytest.mark.parametrize(
    ("url", "numbers"),
    [
        ("https://intranet.example/x", ["10.0.0.1"]),
        ("https://intranet.example/x", ["203.0.113.5", "127.0.0.1"]),
        ("https://metadata.example/x", ["169.254.169.254"]),
        ("https://mapped.example/x", ["::ffff:10.0.0.1"]),
        ("https://localhost/x", ["127.0.0.1"]),
        ("https://public.example:25/x", ["8.8.8.8"]),
    ],
)
def test_what_is_not_public_is_not_asked_unless_the_operator_named_it(
    monkeypatch: pytest.MonkeyPatch, certificate: Certificate, url: str, numbers: list[str]
) -> None:
    trust(monkeypatch, certificate, hosts="hr.example,127.0.0.1:1")
    with pytest.raises(RuleError) as raised:
        get(url, find=lambda _host, _port: numbers)
    assert "MAILER_DIRECTORY_HOSTS" in str(raised.value)


def test_a_name_is_resolved_once_and_connected_to_by_that_number(
    office: Office, certificate: Certificate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What it answers the second time gains nothing."""
    named = make_certificate(tmp_path / "named", name="hr.example")
    trust(monkeypatch, named, hosts="hr.example")
    server, asked = Office(named.context), []

    def find(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    try:
        assert get(f"https://hr.example:{server.port}/staff.csv", find=find) == TABLE
    finally:
        server.close()
    assert asked == ["hr.example"]


@pytest.mark.parametrize(
    "url", ["http://hr.example/", "https://user:pass@hr.example/", "https://", "ftp://hr.example/", "https://a b/", "x"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(RuleError):
        get(url)


def test_a_list_follows_a_table_on_the_web(session: Session, double: List, office: Office) -> None:
    values = {
        **VALUES,
        "list_id": double.id,
        "kind": "https",
        "location": f"{office.url}/staff.csv",
        "options": {"auth": "header", "header": "X-Api-Key"},
    }
    made = registry.create_directory(session, by=None, secret="k3y", **values)
    session.commit()
    assert b"k3y" not in made.sealed_secret
    assert counted(sync(session, made, is_dry=True)) == {"new": 1}
    assert office.asked[0][1]["X-Api-Key"] == "k3y"
    registry.switch_on(session, made, by=None)
    sync(session, made)
    assert on_list(session, double) == {"ann@example.org": "confirmed"}
    made.location = f"{office.url}/short"
    session.commit()
    assert sync(session, made).state == "failed"
    assert on_list(session, double) == {"ann@example.org": "confirmed"}
