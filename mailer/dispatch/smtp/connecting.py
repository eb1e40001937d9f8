"""A connection to a relay opened, and secured by TLS with its certificate checked; and why that failed, in words."""

import asyncio
import os
import socket
import ssl

from mailer.dispatch.smtp.connection import SILENT, Connection
from mailer.dispatch.smtp.relay import RelayAddress, Timeouts
from mailer.errors import DeferredError, SettingsError
from mailer.i18n import N_

LEFTOVER = N_("The server sent something unasked before TLS began.")


def tls_reason(error: OSError) -> str:
    """Why TLS failed, in the library's words; a wrong certificate says what is wrong with it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The relay's certificate is not accepted: {error.verify_message}"
    return SILENT if isinstance(error, TimeoutError) else f"TLS failed: {error.strerror or error}"


def tls_context(relay: RelayAddress) -> ssl.SSLContext:
    """The relay's context. Raises `DeferredError` where its authorities cannot be read: no recipient is at fault."""
    try:
        return relay.tls_context()
    except SettingsError as error:
        raise DeferredError(str(error), stage="starttls") from None


def _network_reason(error: OSError) -> str:
    if error.errno is None or isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    return os.strerror(error.errno)


async def connect(relay: RelayAddress, timeouts: Timeouts) -> Connection:
    """Opens a connection, with TLS from the first byte where the relay wants it. Raises `DeferredError`."""
    loop = asyncio.get_running_loop()
    context = tls_context(relay) if relay.security == "tls" else None
    try:
        async with asyncio.timeout(timeouts.connect + (timeouts.tls if context else 0)):
            _, connection = await loop.create_connection(
                lambda: Connection(loop),
                relay.host,
                relay.port,
                ssl=context,
                server_hostname=relay.host if context else None,
                ssl_handshake_timeout=timeouts.tls if context else None,
                local_addr=(relay.source_address, 0) if relay.source_address else None,
            )
    except TimeoutError:
        raise DeferredError(SILENT, stage="connect") from None
    except ssl.SSLError as error:
        raise DeferredError(tls_reason(error), stage="starttls") from None
    except OSError as error:
        raise DeferredError(f"Cannot connect: {_network_reason(error)}", stage="connect") from None
    connection.is_tls = context is not None
    return connection


async def secure(connection: Connection, relay: RelayAddress, timeouts: Timeouts) -> None:
    """Turns to TLS after a 220 to STARTTLS. Raises `DeferredError` where it fails or the certificate is wrong."""
    # Whatever was slipped in before TLS would be taken for an answer within it (RFC 3207 section 6).
    if not connection.is_quiet:
        raise DeferredError(connection.fault or LEFTOVER, stage="starttls")
    try:
        await connection.start_tls(tls_context(relay), relay.host, timeouts.tls)
    except OSError as error:
        connection.abort()
        raise DeferredError(tls_reason(error), stage="starttls") from None
