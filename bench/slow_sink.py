"""An SMTP sink on loopback that answers each segment after a while, as a relay at the end of a long line does.

    python bench/slow_sink.py PORT MILLISECONDS [DOMAIN=MILLISECONDS ...]

A message to an address at DOMAIN is answered after as long as stands behind it, each of its segments. PIPELINING is
offered. Nothing is kept.
"""

import asyncio
import re
import sys
from collections.abc import Mapping

GREETING = b"220 sink.example.org ESMTP\r\n"
RCPT = re.compile(rb"RCPT TO:<[^@>]*@([^>]*)>", re.IGNORECASE)
EHLO = b"250-sink.example.org\r\n250-PIPELINING\r\n250-SIZE 0\r\n250 8BITMIME\r\n"


class Sink(asyncio.Protocol):
    """One connection. `seconds` pass between the arrival of a segment and the replies to all that it completes; other
    ones where a message's recipient is at one of `domains`.
    """

    def __init__(self, seconds: float, domains: Mapping[bytes, float]) -> None:
        self._usual, self._domains = seconds, domains
        self._seconds = seconds
        self._buffer = bytearray()
        self._is_content = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        replies = self._read()
        if not replies:
            return
        if self._seconds:
            asyncio.get_running_loop().call_later(self._seconds, self._answer, replies)
        else:
            self._answer(replies)

    def _answer(self, replies: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(replies)
            if replies.endswith(b"221 Bye\r\n"):
                self._transport.close()

    def _read(self) -> bytes:
        replies = b""
        while True:
            if self._is_content:
                end = self._buffer.find(b"\r\n.\r\n")
                if end < 0:
                    # What has been looked at is not looked at again: only the beginning of an end is kept.
                    del self._buffer[:-4]
                    return replies
                del self._buffer[: end + 5]
                self._is_content = False
                replies += b"250 2.0.0 Ok\r\n"
                continue
            line, found, rest = self._buffer.partition(b"\r\n")
            if not found:
                return replies
            self._buffer = rest
            if self._domains and (recipient := RCPT.match(line)):
                self._seconds = self._domains.get(bytes(recipient[1]).lower(), self._usual)
            replies += self._reply(bytes(line[:4]).upper())

    def _reply(self, verb: bytes) -> bytes:
        if verb == b"EHLO":
            return EHLO
        if verb == b"QUIT":
            return b"221 Bye\r\n"
        if verb == b"DATA":
            self._is_content = True
            return b"354 End data with <CR><LF>.<CR><LF>\r\n"
        return b"250 Ok\r\n"


async def main(port: int, milliseconds: float, domains: Mapping[bytes, float]) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: Sink(milliseconds / 1000, domains), "127.0.0.1", port, backlog=1000
    )
    await server.serve_forever()


if __name__ == "__main__":
    pairs = (argument.partition("=") for argument in sys.argv[3:])
    slow = {domain.encode(): float(value) / 1000 for domain, _, value in pairs}
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), slow))
