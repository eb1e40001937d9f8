"""An envelope made ready for one session: its commands and its content, or why this server cannot take it at all."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from mailer.dispatch.envelopes import Envelope
from mailer.dispatch.rules import Outcome
from mailer.dispatch.smtp.message import BAD_ADDRESS, path, stuff
from mailer.dispatch.smtp.session import Offers
from mailer.i18n import N_

logger = logging.getLogger(__name__)

# A mailing has one sender.
_sender_path = lru_cache(maxsize=64)(path)

NOT_UTF8 = N_("The server does not take addresses outside ASCII (SMTPUTF8 is not offered).")
NOT_8BIT = N_("The server does not take content outside ASCII (8BITMIME is not offered).")
TOO_LARGE = N_("The message is larger than the server takes.")
NOT_MADE = N_("The message could not be made.")


@dataclass(slots=True)
class Entry:
    """An envelope in the loop's hands, and how often a connection broke off under it before its content went out."""

    envelope: Envelope
    tries: int = 0


@dataclass(slots=True)
class Parcel:
    """`commands` are MAIL, RCPT and DATA, each with its CRLF; `content` is dot-stuffed, in pieces that are
    `size` bytes together; `started` is loop time.
    """

    entry: Entry
    commands: tuple[bytes, bytes, bytes]
    content: Sequence[bytes]
    size: int
    started: float
    # Commands already written, ahead of their turn; a RSET before them has a reply of its own.
    is_written: bool = False
    has_reset: bool = False

    @property
    def delivery_id(self) -> int:
        return self.entry.envelope.delivery_id


@dataclass(frozen=True, slots=True)
class Refusal:
    """Not sent, without asking the server: its EHLO said enough. `reply` is our own sentence."""

    reply_class: str
    reply: str
    outcome: Outcome = Outcome.REJECTED


def wrap(entry: Entry, offers: Offers, now: float) -> Parcel | Refusal:
    """Makes the content and the commands, with no parameter that was not offered."""
    envelope = entry.envelope
    sender, recipient = _sender_path(envelope.sender), path(envelope.recipient)
    if sender is None or not recipient:
        return Refusal("bad_address", BAD_ADDRESS)
    try:
        content = envelope.pieces()
        if not envelope.is_ready:
            content = (stuff(b"".join(content)),)
    except Exception:  # whatever one message's making runs into must not stop the others
        logger.exception("the message of delivery %d could not be made", envelope.delivery_id)
        return Refusal("composition", NOT_MADE, Outcome.DEFERRED)
    size = sum(map(len, content))
    if offers.size and size > offers.size:
        return Refusal("too_large", TOO_LARGE)
    parameters = b" SIZE=%d" % size if "SIZE" in offers.keywords else b""
    if not content[0].isascii():
        if "8BITMIME" not in offers.keywords:
            return Refusal("unsupported", NOT_8BIT)
        parameters += b" BODY=8BITMIME"
    if not (sender.isascii() and recipient.isascii()):
        if "SMTPUTF8" not in offers.keywords:
            return Refusal("unsupported", NOT_UTF8)
        parameters += b" SMTPUTF8"
    mail = b"MAIL FROM:<%b>%b\r\n" % (sender, parameters)
    return Parcel(entry, (mail, b"RCPT TO:<%b>\r\n" % recipient, b"DATA\r\n"), content, size, started=now)
