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
    return SMTP(
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
