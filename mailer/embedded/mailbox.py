"""The capturing mailbox: an SMTP server on loopback that takes everything and keeps it in a Maildir.

It stands where a relay would, so that whatever Mailer sends on this machine can be read and nothing leaves it. As a
delivery agent does, it writes one copy for each recipient and puts ``Return-Path``, ``Delivered-To`` and ``Received``
on top (RFC 5321 section 4.4): the envelope is gone otherwise.
"""

import argparse
import asyncio
import signal
import socket
import sys
from email.utils import formatdate
from pathlib import Path

import uvloop
from aiosmtpd.smtp import SMTP, Envelope, Session

from mailer.embedded.service import LOOPBACK
from mailer.errors import ServiceError
from mailer.maildir import Maildir

MOST_BYTES = 64 * 1024 * 1024
# RFC 5321 section 4.5.3.2: a server waits five minutes for the next command.
IDLE_SECONDS = 300
MOST_RECIPIENTS = 1000
FINAL_DOT = b"\r\n.\r\n"
CHUNK_BYTES = 1024 * 1024


class Keeper:
    """What aiosmtpd calls: `handle_*` of one server."""

    def __init__(self, maildir: Maildir) -> None:
        self.maildir = maildir
        self.host = socket.gethostname()

    async def handle_EHLO(  # noqa: N802  (the library's name)
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Commands are read one after the other from a buffer, so a client may send them without waiting."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes), "the server was told not to decode"
        key = ""
        try:
            for recipient in envelope.rcpt_tos:
                key = self.maildir.keep(self._trace(session, envelope, recipient) + content)
        except OSError as error:
            return f"452 4.3.1 The mailbox cannot be written: {error.strerror}"
        return f"250 2.0.0 OK: kept as {key}"

    def _trace(self, session: Session, envelope: Envelope, recipient: str) -> bytes:
        peer = session.peer[0] if session.peer else "local"
        lines = (
            # The library calls the null sender "<>" and any other by its bare address.
            f"Return-Path: <{(envelope.mail_from or '').strip('<>')}>",
            f"Delivered-To: {recipient}",
            f"Received: from {session.host_name} ([{peer}])",
            f"\tby {self.host} (Mailer's mailbox) with ESMTP",
            f"\tfor <{recipient}>; {formatdate(localtime=False)}",
        )
        return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")


class BulkSMTP(SMTP):
    """aiosmtpd takes a message line by line, 2 kB at a time, which for a bulletin of a thousand lines is nearly all its
    work. Here the content is taken as it comes; however long its lines are, a mailbox that captures is to show it.
    """

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if await self.check_helo_needed():
            return
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 Error: need RCPT command")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        content = await self._read_content()
        status = "552 5.3.4 Too large a message"
        if content is not None:
            self.envelope.content = self.envelope.original_content = content
            status = await self.event_handler.handle_DATA(self, self.session, self.envelope)
        self._set_post_data_state()
        await self.push(status)

    async def _read_content(self) -> bytes | None:
        """To the final dot (RFC 5321 section 4.1.1.4), dots unstuffed (section 4.5.2); `None` when it was too large."""
        # The line end of the DATA command: a message may begin with its final dot.
        taken, looked, is_too_large = bytearray(b"\r\n"), 0, False
        while (end := taken.find(FINAL_DOT, looked)) < 0:
            looked = max(0, len(taken) - len(FINAL_DOT))
            if len(taken) > MOST_BYTES:
                is_too_large = True
                taken, looked = taken[looked:], 0
            chunk = await self._reader.read(CHUNK_BYTES)
            if not chunk:
                raise ConnectionResetError
            taken += chunk
        rest = taken[end + len(FINAL_DOT) :]
        if rest:
            # Commands sent without waiting. What was read emptied the buffer, so they are its beginning again.
            self._reader.feed_data(rest)
        return None if is_too_large else bytes(taken[: end + 2].replace(b"\r\n.", b"\r\n")[2:])


async def serve(folder: Path, port: int) -> None:
    """Serves until SIGTERM or SIGINT. Raises `ServiceError` when the port is taken."""
    loop = asyncio.get_running_loop()
    keeper = Keeper(Maildir(folder))
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    try:
        server = await loop.create_server(lambda: _session(keeper), LOOPBACK, port, backlog=512)
    except OSError:
        raise ServiceError("Port %(port)s, where the mailbox would listen, is in use.", port=port) from None
    await stopping.wait()
    server.close()


def _session(keeper: Keeper) -> SMTP:
    return BulkSMTP(
        keeper,
        data_size_limit=MOST_BYTES,
        enable_SMTPUTF8=True,
        decode_data=False,
        hostname=keeper.host,
        ident="Mailer's mailbox",
        timeout=IDLE_SECONDS,
    )


def main(arguments: list[str] | None = None) -> None:
    """The process `mailbox` of `mailer run`: ``python -m mailer.embedded.mailbox FOLDER PORT``."""
    parser = argparse.ArgumentParser(prog="mailbox", description="Keeps what it gets by SMTP in a Maildir.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    chosen = parser.parse_args(arguments)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(serve(chosen.folder, chosen.port))
        except ServiceError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
