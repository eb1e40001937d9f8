"""SMTP replies read from bytes as they come (RFC 5321 section 4.2), within bounds that a hostile server cannot move."""

import re
from dataclasses import dataclass

from mailer.dispatch.envelopes import REPLY_LIMIT
from mailer.i18n import N_

# RFC 5321 section 4.5.3.1.5 allows 512 bytes a line; real servers write more, hostile ones do not stop.
LINE_LIMIT = 8 * 1024
TOTAL_LIMIT = 64 * 1024

GARBAGE = N_("The server's answer is not an SMTP reply.")
ENDLESS = N_("The server's answer is longer than any honest one.")

# RFC 3463 section 2; some servers set it in brackets or behind a number sign.
_ENHANCED = re.compile(r"[<(\[#]{0,2}([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


# There are four replies to a message: reading each code and mark is a look into these.
_CODES = {b"%d" % code: code for code in range(200, 600)}
# What nearly every message is answered with.
_USUAL = {code.encode() + b" ": code for code in ("2.0.0", "2.1.0", "2.1.5", "2.6.0")}
# A server says the same to every MAIL, RCPT and DATA: so many of its lines, each no longer than this, are read once.
_KNOWN_LINES = 64
_KNOWN_LENGTH = 80
_MARKS = frozenset((b" ", b"-", b"\r", b""))


@dataclass(slots=True)
class Reply:
    """One whole reply: its code, and the text of its lines as bytes. Never changed, but not frozen: that costs."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def text(self) -> str:
        """The lines joined by a newline, without control characters, at most `REPLY_LIMIT` characters."""
        return readable(b"\n".join(self.lines))

    @property
    def enhanced(self) -> str | None:
        """The enhanced status code (RFC 2034: at the beginning of the text, of the same class as the code)."""
        usual = _USUAL.get(self.lines[0][:6])
        if usual is not None and 200 <= self.code < 300:
            return usual
        match = _ENHANCED.match(self.lines[0][:24].decode("ascii", "replace"))
        if match is None or int(match[1][0]) != self.code // 100:
            return None
        return match[1]

    @property
    def is_positive(self) -> bool:
        return 200 <= self.code < 300


def readable(raw: bytes) -> str:
    """A server's words as text: UTF-8, else GB18030 (what Chinese servers write), and nothing PostgreSQL refuses."""
    raw = raw[: REPLY_LIMIT * 4]
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        try:
            text = raw.decode("gb18030")
        except UnicodeDecodeError:
            text = raw.decode("utf-8", "replace")
    return _UNPRINTABLE.sub(" ", text)[:REPLY_LIMIT].strip()


class ReplyParser:
    """Cuts a stream into replies, however it is split. After the first `fault` it reads nothing more."""

    __slots__ = ("_held", "_known", "_lines", "_tail", "fault")

    def __init__(self) -> None:
        self._tail = b""
        self._lines: list[bytes] = []
        self._held = 0
        self._known: dict[bytes, Reply] = {}
        self.fault: str | None = None

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left of what was fed (before TLS nothing may be, RFC 3207 section 6)."""
        return not self._tail and not self._lines

    @property
    def _is_broken(self) -> bool:
        return self.fault is not None

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that `data` completes."""
        replies: list[Reply] = []
        if self.fault is not None:
            return replies
        if self._tail:
            data = self._tail + data
        # A bare LF ends a line too: nothing is gained by mistrusting how a server breaks its own lines.
        *lines, self._tail = data.split(b"\n")
        known = self._known
        for line in lines:
            reply = known.get(line) if not self._lines else None
            if reply is None:
                reply = self._read(line)
            if reply is not None:
                replies.append(reply)
            elif self._is_broken:
                return replies
        if len(self._tail) > LINE_LIMIT:
            self.fault = ENDLESS
        return replies

    def _read(self, line: bytes) -> Reply | None:
        """The reply that `line` completes; `None` where more is to come, or where it is none (`fault`)."""
        code, mark = _CODES.get(line[:3]), line[3:4]
        if code is None or mark not in _MARKS:
            self.fault = GARBAGE
            return None
        text = line[4:].rstrip(b"\r")
        if mark == b"-":
            self._lines.append(text)
            self._held += len(line)
            if self._held > TOTAL_LIMIT:
                self.fault = ENDLESS
            return None
        # Where the lines disagree the last one's code counts, as in Postfix.
        reply = Reply(code, (*self._lines, text))
        if self._lines:
            self._lines = []
            self._held = 0
        elif len(self._known) < _KNOWN_LINES and len(line) <= _KNOWN_LENGTH:
            self._known[line] = reply
        return reply
