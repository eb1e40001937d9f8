"""A table from a web server, with a key: by HTTPS alone, from where the key may go and nowhere else."""

import http.client
import socket
import ssl
from contextlib import closing
from typing import BinaryIO
from urllib.parse import SplitResult, urljoin

from mailer.audience.directories.deadlines import Deadline, connect, secure
from mailer.audience.directories.places import (
    HTTPS_PORT,
    Resolve,
    find_number,
    read_https,
    request_target,
    tls_context,
)
from mailer.audience.directories.rules import Auth
from mailer.errors import UnreadableError
from mailer.i18n import N_
from mailer.networks import resolve

MOST_REDIRECTS = 3
_MOVED = frozenset({301, 302, 303, 307, 308})
_PIECE = 65_536
_AGENT = "Mailer directory"


def download(
    location: str,
    file: BinaryIO,
    *,
    auth: Auth,
    header: str,
    secret: str,
    most_bytes: int,
    find: Resolve = resolve,
    deadline: Deadline | None = None,
) -> None:
    """Writes what stands at `location` into `file`. Redirects are followed within the same host and port, because the
    key goes along. Raises `UnreadableError`, or `RuleError` for an address that may not be asked; `file` may hold a
    piece then.
    """
    deadline = deadline or Deadline()
    origin = _origin(read_https(location))
    headers = _headers(auth, header, secret)
    try:
        for _ in range(MOST_REDIRECTS + 1):
            moved = _ask(read_https(location), headers, file, most_bytes, find, deadline)
            if moved is None:
                return
            location = urljoin(location, moved)
            if _origin(read_https(location)) != origin:
                raise UnreadableError(N_("The server sends on to another host; the key does not go there."))
    except ssl.SSLCertVerificationError as error:
        raise UnreadableError(
            N_("The server's certificate is not trusted: %(reason)s"), reason=error.verify_message
        ) from None
    except TimeoutError:
        raise UnreadableError(N_("The server took too long.")) from None
    except (OSError, http.client.HTTPException, ValueError):
        raise UnreadableError(N_("The server could not be read to the end.")) from None
    raise UnreadableError(N_("The server sends on again and again."))


def _origin(parts: SplitResult) -> tuple[str, int]:
    return parts.hostname or "", parts.port or HTTPS_PORT


def _headers(auth: Auth, header: str, secret: str) -> dict[str, str]:
    if auth is Auth.BEARER:
        return {"Authorization": f"Bearer {secret}"}
    return {header: secret} if auth is Auth.HEADER else {}


def _ask(
    parts: SplitResult, headers: dict[str, str], file: BinaryIO, most_bytes: int, find: Resolve, deadline: Deadline
) -> str | None:
    """One request. Gives back where the server sends on to, or nothing once the body is in `file`."""
    host, port = _origin(parts)
    number = find_number(host, port, find=find)
    secured = secure(connect(number, port, deadline), tls_context(), host)
    # Connected by the number that was judged; the connection is only asked to write and to read.
    connection = http.client.HTTPConnection(host, port)
    connection.sock = secured
    try:
        named = f"[{host}]" if ":" in host else host.encode("idna").decode("ascii")
        connection.putrequest("GET", request_target(parts), skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", named if port == HTTPS_PORT else f"{named}:{port}")
        connection.putheader("User-Agent", _AGENT)
        connection.putheader("Accept", "text/csv, application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
        connection.putheader("Connection", "close")
        for name, value in headers.items():
            connection.putheader(name, value)
        deadline.arm(secured)
        connection.endheaders()
        # The answer holds the connection open until it is closed itself.
        with closing(connection.getresponse()) as answer:
            if answer.status in _MOVED:
                return answer.getheader("Location") or ""
            if answer.status != http.client.OK:
                raise UnreadableError(N_("The server answered with %(status)s."), status=answer.status)
            _take(answer, secured, file, most_bytes, deadline)
    finally:
        connection.close()
        secured.close()
    return None


def _take(
    answer: http.client.HTTPResponse, connection: socket.socket, file: BinaryIO, most_bytes: int, deadline: Deadline
) -> None:
    """Raises `UnreadableError` for a body that is too large or ends early."""
    file.seek(0)
    file.truncate()
    announced, size = answer.length, 0
    while True:
        deadline.arm(connection)
        piece = answer.read1(_PIECE)
        if not piece:
            break
        size += len(piece)
        if size > most_bytes:
            raise UnreadableError(N_("The table is larger than %(most)s MB."), most=most_bytes // 1024 // 1024)
        file.write(piece)
    # `read1` tells an early end of a body of known length by nothing but silence.
    if announced is not None and size != announced:
        raise UnreadableError(N_("The server could not be read to the end."))
