"""The entries of an LDAP server as a table: bound, searched page by page, to its end or not at all.

RFC 4511 (LDAP), RFC 4513 (StartTLS, simple bind), RFC 2696 (paging), RFC 4515 (filters). sansldap reads and writes the
messages; connection, time and size are ours. References to other servers are not followed.
"""

import csv
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Self

from sansldap import (
    BindResponse,
    ExtendedOperations,
    ExtendedResponse,
    FilterPresent,
    LDAPClient,
    LDAPError,
    LDAPFilter,
    LDAPMessage,
    LDAPResult,
    LDAPResultCode,
    PagedResultControl,
    SearchResultDone,
    SearchResultEntry,
    SearchScope,
)

from mailer.audience.directories.deadlines import Deadline, connect, secure
from mailer.audience.directories.places import (
    LDAP_PORT,
    LDAPS_PORT,
    Resolve,
    check_ldap_host,
    find_number,
    read_server,
    tls_context,
)
from mailer.audience.directories.rules import Scope, Security
from mailer.errors import RuleError, UnreadableError
from mailer.i18n import N_
from mailer.networks import resolve

# Servers commonly give at most a thousand entries at once.
PAGE = 500
_PIECE = 65_536
_SCOPES = {Scope.SUBTREE: SearchScope.SUBTREE, Scope.ONE: SearchScope.ONE_LEVEL}
_ENCODING = "utf-8"


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked of whom. `server` is host or host:port."""

    server: str
    security: Security
    bind_dn: str
    password: str
    base: str
    scope: Scope
    filter: str


def parse_filter(text: str) -> LDAPFilter:
    """A filter as RFC 4515 writes it; nothing is everything. Raises `RuleError`."""
    if not text.strip():
        return FilterPresent("objectClass")
    try:
        return LDAPFilter.from_string(text)
    except (ValueError, LDAPError):
        raise RuleError(N_("This is not an LDAP filter, such as (&(objectClass=person)(mail=*)).")) from None


def write_entries(
    search: Search,
    attributes: Sequence[str],
    file: BinaryIO,
    *,
    most_bytes: int,
    find: Resolve = resolve,
    deadline: Deadline | None = None,
) -> None:
    """Writes a CSV (UTF-8, comma) into `file`: a heading, then one line for each entry with the first value of each
    attribute, nothing where it has none. Raises `UnreadableError`, or `RuleError` for a server that may not be asked.
    """
    deadline = deadline or Deadline()
    wanted = parse_filter(search.filter)
    try:
        with _Conversation(search, find, deadline, most_bytes) as conversation:
            conversation.bind(search.bind_dn, search.password)
            rows = conversation.search(search, wanted, attributes)
            _write(file, attributes, rows)
    except ssl.SSLCertVerificationError as error:
        raise UnreadableError(
            N_("The server's certificate is not trusted: %(reason)s"), reason=error.verify_message
        ) from None
    except TimeoutError:
        raise UnreadableError(N_("The server took too long.")) from None
    # The library tells a foreign answer by the last two: a hostile server chooses which.
    except (OSError, LDAPError, ValueError, NotImplementedError):
        raise UnreadableError(N_("The server could not be read to the end.")) from None


def _write(file: BinaryIO, attributes: Sequence[str], rows: Iterator[list[str]]) -> None:
    class Lines:
        """What the csv module writes to."""

        def write(self, line: str) -> None:
            file.write(line.encode(_ENCODING, errors="replace"))

    file.seek(0)
    file.truncate()
    writer = csv.writer(Lines())
    writer.writerow(attributes)
    writer.writerows(rows)


class _Conversation:
    """A secured connection to the server, one request at a time."""

    def __init__(self, search: Search, find: Resolve, deadline: Deadline, most_bytes: int) -> None:
        is_tls = search.security is Security.TLS
        self._host, port = read_server(search.server, LDAPS_PORT if is_tls else LDAP_PORT)
        check_ldap_host(self._host, port)
        self._context = tls_context()
        self._client = LDAPClient()
        self._deadline = deadline
        self._left = self._most = most_bytes
        self._socket: socket.socket = connect(find_number(self._host, port, find=find), port, deadline)
        try:
            if is_tls:
                self._secure()
            else:
                self._start_tls()
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        # Without an unbind, which sansldap 0.1 writes with a tag that is not RFC 4511's; hanging up says the same.
        self._socket.close()

    def _secure(self) -> None:
        self._deadline.arm(self._socket)
        self._socket = secure(self._socket, self._context, self._host)

    def _start_tls(self) -> None:
        """Nothing that came before the handshake is believed afterwards (RFC 4513 section 3.1.1)."""
        self._client.extended_request(ExtendedOperations.LDAP_START_TLS.value)
        (answer, *more) = list(self._messages(1))
        if not isinstance(answer, ExtendedResponse) or more:
            raise LDAPError("an unexpected answer to StartTLS")
        _check(answer.result, N_("The server does not offer StartTLS: %(reason)s"))
        self._client = LDAPClient()
        self._secure()

    def bind(self, dn: str, password: str) -> None:
        """Raises `UnreadableError` where the server does not know them."""
        self._client.bind_simple(dn, password)
        (answer,) = self._messages(1)
        if not isinstance(answer, BindResponse):
            raise LDAPError("an unexpected answer to a bind")
        _check(answer.result, N_("The server does not let us in: %(reason)s"))

    def search(self, search: Search, wanted: LDAPFilter, attributes: Sequence[str]) -> Iterator[list[str]]:
        """One row for each entry, all pages. Raises `UnreadableError` unless the server says that this was all."""
        cookie = b""
        while True:
            self._client.search_request(
                search.base,
                scope=_SCOPES[search.scope],
                filter=wanted,
                attributes=list(attributes),
                # A server that knows no pages gives everything at once, and says itself where that is too much.
                controls=[PagedResultControl(critical=False, size=PAGE, cookie=cookie)],
            )
            done: SearchResultDone | None = None
            while done is None:
                for message in self._messages():
                    if isinstance(message, SearchResultEntry):
                        yield _row(message, attributes)
                    elif isinstance(message, SearchResultDone):
                        done = message
            _check(done.result, N_("The server did not give all entries: %(reason)s"))
            cookie = next((each.cookie for each in done.controls if isinstance(each, PagedResultControl)), b"")
            if not cookie:
                return

    def _messages(self, least: int = 0) -> Iterator[LDAPMessage]:
        """Sends what waits, then gives what one answer of the network holds, and at least so many messages."""
        self._send()
        seen = 0
        while True:
            self._deadline.arm(self._socket)
            piece = self._socket.recv(_PIECE)
            if not piece:
                raise ConnectionError("the server hung up")
            self._left -= len(piece)
            if self._left < 0:
                raise UnreadableError(N_("The table is larger than %(most)s MB."), most=self._most // 1024 // 1024)
            for message in self._client.receive(piece):
                seen += 1
                yield message
            if seen >= least:
                return

    def _send(self) -> None:
        data = self._client.data_to_send()
        if data:
            self._deadline.arm(self._socket)
            self._socket.sendall(data)


def _check(result: LDAPResult, refused: str) -> None:
    if result.result_code is not LDAPResultCode.SUCCESS:
        said = result.diagnostics_message.strip()
        name = result.result_code.name.lower().replace("_", " ")
        raise UnreadableError(refused, reason=f"{name}: {said}" if said else name)


def _row(entry: SearchResultEntry, attributes: Sequence[str]) -> list[str]:
    """Names of attributes are compared without case (RFC 4512 section 2.5); options such as ``;lang-zh`` are not asked
    for. Bytes that are no UTF-8 are marked, so that the address or name is seen to be none.
    """
    values = {each.name.lower(): each.values for each in entry.attributes if each.values}
    return [
        " ".join(values[name.lower()][0].decode(_ENCODING, errors="replace").split()) if name.lower() in values else ""
        for name in attributes
    ]
