"""What goes to the wire and what comes back from it: one message for one recipient, and what became of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mailer.dispatch.rules import Outcome

# Records of the hot path are never changed, but not frozen either: a frozen one takes four times as long to make.

# The bytes of a message, or its pieces in order: long ones that messages share go out without being copied.
Content = bytes | Sequence[bytes]

# What is kept of a server's reply, in characters; longer ones are nobody's help.
REPLY_LIMIT = 1000


@dataclass(slots=True)
class Envelope:
    """One message for one recipient.

    `sender` and `recipient` are bare addresses without angle brackets (an empty sender is the null return path);
    `content` is canonical CRLF and not yet dot-stuffed, or a callable that makes it just before it is sent. With
    `is_ready` it needs no stuffing, ends in CRLF, and all but its first piece is ASCII: its maker knows, and looking
    costs more than sending. `token` is written into the journal beside the delivery's id, so that a sweep knows which
    claim an intent belongs to. With `is_alone` nothing travels behind it before its reply: the server behind the relay
    may take its time, and a reader of another would wait with it.
    """

    delivery_id: int
    sender: str
    recipient: str
    provider: str
    content: Callable[[], Content] | Content
    token: str = ""
    is_ready: bool = False
    is_alone: bool = False

    def pieces(self) -> Sequence[bytes]:
        """The content, made now if it was not yet; raises whatever its making raises."""
        made = self.content() if callable(self.content) else self.content
        return (made,) if isinstance(made, bytes) else made


@dataclass(slots=True)
class Result:
    """What became of one envelope, as the server told it.

    `code` and `enhanced` are `None` where the server gave none; `reply` is its text, lines joined by a newline, or our
    own sentence where it said nothing. `stage` is the step that decided: ``connect``, ``greeting``, ``ehlo``,
    ``starttls``, ``auth``, ``mail``, ``rcpt``, ``data``, ``content``. With `is_relay_fault` the recipient had no part
    in it: the attempt must not burn the recipient's budget. A `reply_class` of ``withheld`` was stopped by `may_send`.
    """

    delivery_id: int
    outcome: Outcome
    reply_class: str
    stage: str
    code: int | None
    enhanced: str | None
    reply: str
    is_tls: bool
    duration_ms: int
    relay: str
    is_relay_fault: bool
