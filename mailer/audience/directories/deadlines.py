"""A conversation that ends in time, however slowly the other side speaks."""

import socket
import ssl
import time

from mailer.errors import UnreadableError
from mailer.i18n import N_

# Seconds for a connection, for each answer, and for a whole table.
CONNECT_SECONDS, ANSWER_SECONDS, WHOLE_SECONDS = 15.0, 60.0, 600.0


class Deadline:
    """The end of a conversation, by the monotonic clock."""

    def __init__(self, seconds: float = WHOLE_SECONDS) -> None:
        self._end = time.monotonic() + seconds

    def arm(self, connection: socket.socket, seconds: float = ANSWER_SECONDS) -> None:
        """The next step may take `seconds`, or what is left. Raises `TimeoutError` where nothing is."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(min(seconds, left))


def connect(number: str, port: int, deadline: Deadline) -> socket.socket:
    """Raises `UnreadableError` where nobody answers."""
    try:
        connection = socket.create_connection((number, port), timeout=CONNECT_SECONDS)
    except OSError:
        raise UnreadableError(N_("The server cannot be reached.")) from None
    deadline.arm(connection)
    return connection


def secure(connection: socket.socket, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    """Raises `OSError`, of which `ssl.SSLError` is one; the connection is closed then. An end that the other side did
    not announce is an error later, too: half a table must not pass for a whole one.
    """
    name = host.encode("idna").decode("ascii")
    try:
        return context.wrap_socket(connection, server_hostname=name, suppress_ragged_eofs=False)
    except BaseException:
        connection.close()
        raise
