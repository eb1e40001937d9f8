"""From an address to a session that takes messages: connect, greeting, EHLO, STARTTLS, AUTH; and what was offered."""

import asyncio
import ipaddress
import re
import socket
from dataclasses import dataclass, field

from mailer.dispatch.smtp.auth import authenticate
from mailer.dispatch.smtp.connecting import connect, secure
from mailer.dispatch.smtp.connection import Connection
from mailer.dispatch.smtp.relay import RelayAddress, Timeouts
from mailer.dispatch.smtp.reply import Reply
from mailer.errors import DeferredError
from mailer.i18n import N_

NO_TLS = N_("The relay does not offer STARTTLS.")


@dataclass(frozen=True, slots=True)
class Offers:
    """What a server's EHLO reply offers (RFC 5321 section 4.1.1.1). `size` 0 is a server that names no limit."""

    keywords: frozenset[str] = frozenset()
    size: int = 0
    mechanisms: frozenset[str] = frozenset()

    @classmethod
    def read(cls, reply: Reply) -> "Offers":
        keywords: set[str] = set()
        mechanisms: set[str] = set()
        size = 0
        for line in reply.lines[1:]:
            keyword, *values = line.decode("ascii", "replace").upper().split() or [""]
            # Old Microsoft servers write AUTH=LOGIN.
            if keyword.startswith("AUTH="):
                values.append(keyword[5:])
                keyword = "AUTH"
            if keyword == "AUTH":
                mechanisms.update(values)
            elif keyword == "SIZE" and values and values[0].isdigit() and len(values[0]) < 19:
                size = int(values[0])
            keywords.add(keyword)
        return cls(frozenset(keywords), size, frozenset(mechanisms))

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.keywords


@dataclass(slots=True, eq=False)
class Session:
    """A connection ready for MAIL. `needs_reset` after a refused transaction: RSET before the next."""

    connection: Connection
    offers: Offers
    opened_at: float
    greeting: str = ""
    used_at: float = field(default=0.0)
    messages: int = 0
    needs_reset: bool = False

    @property
    def is_tls(self) -> bool:
        return self.connection.is_tls

    async def ask(self, command: bytes, seconds: float, stage: str) -> Reply:
        """A command and its positive reply. Raises `DeferredError` where there is none."""
        self.connection.write(command + b"\r\n")
        reply = await self.connection.reply(seconds, stage)
        _expect(reply, stage)
        return reply

    def is_fresh(self, relay: RelayAddress, now: float, *, beyond: int = 0) -> bool:
        """Whether it may take another message, `beyond` those on their way, by the relay's limits."""
        return (
            self.connection.is_usable
            and self.messages + beyond < relay.messages_per_connection
            and now - self.opened_at < relay.connection_seconds
            and now - self.used_at < relay.idle_seconds
        )


async def open_session(relay: RelayAddress, timeouts: Timeouts) -> Session:
    """Raises `DeferredError`, with the stage and the server's words, where the relay does not let us in."""
    connection = await connect(relay, timeouts)
    try:
        greeting = await connection.reply(timeouts.greeting, "greeting")
        _expect(greeting, "greeting")
        name = _ehlo_name(relay, connection)
        offers = await _hello(connection, name, timeouts, may_fall_back=relay.security == "none")
        if relay.security == "starttls":
            await _start_tls(connection, offers, relay, timeouts)
            # What was offered before TLS may have been anyone's word (RFC 3207 section 4.2).
            offers = await _hello(connection, name, timeouts, may_fall_back=False)
        if relay.username:
            await _sign_in(connection, offers, relay, timeouts)
    except BaseException:
        connection.abort()
        raise
    now = asyncio.get_running_loop().time()
    return Session(connection, offers, opened_at=now, greeting=greeting.text, used_at=now)


async def _hello(connection: Connection, name: bytes, timeouts: Timeouts, *, may_fall_back: bool) -> Offers:
    connection.write(b"EHLO " + name + b"\r\n")
    reply = await connection.reply(timeouts.command, "ehlo")
    if reply.code in {500, 502, 504} and may_fall_back:
        connection.write(b"HELO " + name + b"\r\n")
        _expect(await connection.reply(timeouts.command, "ehlo"), "ehlo")
        return Offers()
    _expect(reply, "ehlo")
    return Offers.read(reply)


async def _start_tls(connection: Connection, offers: Offers, relay: RelayAddress, timeouts: Timeouts) -> None:
    if "STARTTLS" not in offers:
        raise DeferredError(NO_TLS, stage="starttls")
    connection.write(b"STARTTLS\r\n")
    _expect(await connection.reply(timeouts.command, "starttls"), "starttls")
    await secure(connection, relay, timeouts)


async def _sign_in(connection: Connection, offers: Offers, relay: RelayAddress, timeouts: Timeouts) -> None:
    async def exchange(line: bytes) -> Reply:
        connection.write(line + b"\r\n")
        return await connection.reply(timeouts.command, "auth")

    await authenticate(exchange, offers.mechanisms, relay.username, relay.password, is_tls=connection.is_tls)


def _expect(reply: Reply, stage: str) -> None:
    if not reply.is_positive:
        raise DeferredError(reply.text, code=reply.code, enhanced=reply.enhanced, stage=stage)


def _ehlo_name(relay: RelayAddress, connection: Connection) -> bytes:
    name = relay.ehlo_name or socket.gethostname()
    if "." in name and re.fullmatch(r"[A-Za-z0-9.-]+|\[[A-Za-z0-9.:]+\]", name):
        return name.encode()
    # RFC 5321 section 4.1.3: who has no name gives an address literal.
    address = ipaddress.ip_address(connection.local_host)
    return f"[IPv6:{address}]".encode() if address.version == 6 else f"[{address}]".encode()
