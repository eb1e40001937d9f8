"""An LDAP server on a socket: TLS or StartTLS, simple bind, search in pages; and what goes wrong with real ones.

Speaks by sansldap's server half; `test_ldap_source` holds its bytes against RFC 4511 written by hand, so that the two
halves of one library cannot agree on a mistake.
"""

import socket
import ssl
import threading
from types import TracebackType
from typing import Self

from sansldap import (
    BindRequest,
    ExtendedOperations,
    ExtendedRequest,
    LDAPError,
    LDAPMessage,
    LDAPResultCode,
    LDAPServer,
    PagedResultControl,
    PartialAttribute,
    SearchRequest,
    SimpleCredential,
)

Entry = dict[str, list[bytes]]
DN, PASSWORD = "cn=mailer,dc=example,dc=org", "s3cret"


class Directory:
    """`entries` are given to every search that is bound. Each `fault` makes it misbehave in one way."""

    def __init__(self, context: ssl.SSLContext, entries: list[Entry], *, is_tls: bool = True, fault: str = "") -> None:
        self.context, self.entries, self.is_tls, self.fault = context, entries, is_tls, fault
        self.searches: list[SearchRequest] = []
        self.binds: list[tuple[str, str, bool]] = []
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._accepting = threading.Thread(target=self._accept)

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        self._accepting.join()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._stop.is_set():
                connection.close()
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        try:
            if self.is_tls:
                connection = self.context.wrap_socket(connection, server_side=True)
            _Session(self, connection, is_secured=self.is_tls).run()
        except (OSError, LDAPError):
            pass  # The client hung up: some tests are about that.
        finally:
            connection.close()

    def wait(self) -> None:
        """Until the test is over."""
        self._stop.wait(30)


class _Session:
    def __init__(self, directory: Directory, connection: socket.socket, *, is_secured: bool) -> None:
        self.directory, self.connection, self.is_secured = directory, connection, is_secured
        self.server = LDAPServer()
        self.is_bound = False

    def run(self) -> None:
        try:
            while data := self.connection.recv(65_536):
                for message in self.server.receive(data):
                    self.answer(message)
                    self.flush()
        finally:
            # Wrapped by StartTLS: another object than the caller's.
            self.connection.close()

    def flush(self) -> None:
        self.connection.sendall(self.server.data_to_send())

    def answer(self, message: LDAPMessage) -> None:
        if isinstance(message, ExtendedRequest):
            self.start_tls(message)
        elif isinstance(message, BindRequest):
            self.bind(message)
        elif isinstance(message, SearchRequest):
            self.search(message)

    def start_tls(self, message: ExtendedRequest) -> None:
        assert message.name == ExtendedOperations.LDAP_START_TLS.value
        if self.directory.fault == "no StartTLS":
            self.server.extended_response(
                message.message_id, result_code=LDAPResultCode.PROTOCOL_ERROR, diagnostics_message="unsupported"
            )
            return
        self.server.extended_response(message.message_id, name=message.name)
        self.flush()
        self.connection = self.directory.context.wrap_socket(self.connection, server_side=True)
        self.server, self.is_secured = LDAPServer(), True

    def bind(self, message: BindRequest) -> None:
        assert isinstance(message.authentication, SimpleCredential)
        told = (message.name, message.authentication.password)
        self.directory.binds.append((*told, self.is_secured))
        self.is_bound = told in {(DN, PASSWORD), ("", "")}
        code = LDAPResultCode.SUCCESS if self.is_bound else LDAPResultCode.INVALID_CREDENTIALS
        self.server.bind_response(message.message_id, result_code=code)

    def search(self, message: SearchRequest) -> None:
        directory = self.directory
        directory.searches.append(message)
        (paging,) = [each for each in message.controls if isinstance(each, PagedResultControl)]
        start = int(paging.cookie or b"0")
        size = len(directory.entries) if directory.fault == "no paging" else paging.size
        for number, entry in enumerate(directory.entries[start : start + size], start):
            if directory.fault == "hangs up" and number == 3:
                raise ConnectionError
            if directory.fault == "falls silent" and number == 3:
                self.flush()
                directory.wait()
            self.server.search_result_entry(
                message.message_id,
                f"uid={number},dc=example,dc=org",
                [PartialAttribute(name, values) for name, values in entry.items()],
            )
        if directory.fault == "refers elsewhere":
            self.server.search_result_reference(message.message_id, ["ldap://other.example.org/"])
        end = start + size
        is_all = end >= len(directory.entries)
        code = LDAPResultCode.SUCCESS
        if directory.fault == "size limit":
            code = LDAPResultCode.SIZE_LIMIT_EXCEEDED
        controls = [] if directory.fault == "no paging" else [
            PagedResultControl(critical=False, size=0, cookie=b"" if is_all else str(end).encode())
        ]  # fmt: skip
        self.server.search_result_done(message.message_id, result_code=code, controls=controls)
