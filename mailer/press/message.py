"""An edition becomes messages (RFC 5322, 2046): assembled once per mailing, filled once per reader.

Both parts go out in base64, so the bytes have CRLF line ends, no line over 76 characters but for headers with long
URLs, and no line that begins with a dot.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from functools import lru_cache
from html import escape
from typing import Any

from mailer.errors import CompositionError
from mailer.i18n import N_, translate
from mailer.press import headers
from mailer.press.content import HTML_LANGUAGES
from mailer.press.encoding import SlottedPart
from mailer.press.slots import ADDRESS, NAME, SLOTS, TOKEN, UNSUBSCRIBE_URL, own_values, value_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who a letter is from. Addresses are ``local@domain``; an empty `reply_to` leaves the field out."""

    sender_name: str
    sender_address: str
    reply_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity(Sender):
    """Who an issue is from and which list it belongs to.

    `list_id` is ``slug.newsletter.domain`` without brackets (RFC 2919: at most 255 characters), `list_name` its phrase.
    Addresses of pages are absolute. What is empty leaves its field out.
    """

    list_id: str
    list_name: str = ""
    archive_url: str = ""
    help_url: str = ""
    owner_address: str = ""
    # Feedback-ID: up to four fields joined by colons, by which Gmail's postmaster tools group complaints.
    feedback_id: str = ""


# What `html.escape` replaces; looking for all of it at once is a tenth of its price, and nearly no value has any.
_MARKUP = re.compile("[&<>\"']")

# Never "All": that would silence bounces as well.
AUTO_RESPONSE_FIELD = "X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply\r\n"


def assemble(
    subject: str, html: str, text: str, language: str, identity: Identity, web_url: str = ""
) -> "MessageTemplate":
    """The template of a mailing's messages. `html` and `text` hold slot tokens; `language` is ``zh_CN`` or ``en``.

    Raises `CompositionError` when a value cannot stand in a header.
    """
    if TOKEN.search(subject):
        raise CompositionError([N_("The subject is the same for every reader: it can hold no name.")])
    return MessageTemplate(
        fixed=identity_fields(subject, identity) + list_fields(identity, web_url),
        text=text,
        html=html,
        language=language,
    )


def identity_fields(subject: str, sender: Sender) -> str:
    """From, Reply-To, Subject."""
    fields = headers.mailbox("From", sender.sender_name, sender.sender_address)
    if sender.reply_to:
        fields += headers.mailbox("Reply-To", "", sender.reply_to)
    return fields + headers.unstructured("Subject", subject)


def list_fields(identity: Identity, web_url: str) -> str:
    """What marks the mail as a list's: RFC 2919, 2369, 8058 and 5064, and the customs that keep auto-replies away."""
    name = identity.list_name.strip()
    list_id = headers.list_id(identity.list_id)
    fields = headers.fold("List-Id", [*(headers.phrase("List-Id", name, 9) if name else []), f"<{list_id}>"])
    fields += "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    if identity.archive_url:
        fields += headers.url("List-Archive", identity.archive_url)
    if identity.owner_address:
        fields += headers.url("List-Owner", f"mailto:{headers.header_address(identity.owner_address)}")
    if identity.help_url:
        fields += headers.url("List-Help", identity.help_url)
    fields += "List-Post: NO\r\n"
    if web_url:
        fields += headers.url("Archived-At", web_url)
    if identity.feedback_id:
        fields += headers.unstructured("Feedback-ID", identity.feedback_id)
    return fields + "Precedence: bulk\r\n" + AUTO_RESPONSE_FIELD


@lru_cache(maxsize=256)
def _date_field(moment: dt.datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("the date of a message needs its time zone")
    return f"Date: {format_datetime(moment.astimezone(dt.UTC))}\r\n"


def date_field(moment: dt.datetime) -> str:
    """Date, in UTC. Raises `ValueError` for a time without a zone."""
    return _date_field(moment.replace(microsecond=0) if moment.microsecond else moment)


class MessageTemplate:
    """The messages of one mailing, all but what differs from reader to reader already encoded."""

    def __init__(self, *, fixed: str, text: str, html: str, language: str) -> None:
        self._body = _Alternative(text, html)
        # What all messages share, for whoever hashes them (DKIM): the fields at the end of the header, with the blank
        # line that closes it, and the beginning of the body.
        self.fixed_header = (fixed + mime_fields(language, self._body.boundary)).encode()
        self.body_prefix = self._body.prefix()
        self._needed = frozenset((*self._body.text.names, *self._body.html.names, UNSUBSCRIBE_URL))
        # Slots of readers' own values: most mailings have none, and then nobody looks any up.
        self._own = tuple(sorted(self._needed.difference(SLOTS)))
        self._stranger = translate(language, N_("reader"))

    @property
    def copied_bytes(self) -> int:
        """About how many bytes each message takes of its own; what it shares with others is not among them."""
        return self._body.text.copied_bytes + self._body.html.copied_bytes

    @property
    def has_own(self) -> bool:
        """Whether a message shows an attribute of its reader, or a fallback."""
        return bool(self._own)

    def fill(
        self,
        *,
        to: str,
        to_name: str,
        message_id: str,
        date: dt.datetime,
        slots: Mapping[str, str],
        attributes: Mapping[str, Any] | None = None,
    ) -> list[bytes]:
        """One reader's message in pieces that are to be joined: canonical CRLF bytes, ready for DATA. No line begins
        with a dot, so none is stuffed: a field's lines begin with its name or a blank, and the body is base64 between
        boundaries. Long stretches that all readers share are pieces of their own, so that nobody need copy them. The
        first piece is the whole header, all others are ASCII.

        `slots` maps slot names to values, never markup: each is escaped for the part it is written into. `name` is
        `to_name` and `address` is `to` where `slots` does not say otherwise; a reader without a name is called one.
        `attributes` are the reader's (`Subscriber.attributes`); one that is not there leaves its slot to the fallback.
        `unsubscribe_url` is always needed: it is the List-Unsubscribe field as well.
        Raises `CompositionError` when a slot has no value, or a value could end a header.
        """
        values = {NAME: to_name.strip() or self._stranger, ADDRESS: to, **slots}
        if self._own:
            known = own_values(to_name, to, attributes or {}) | values
            values.update([(name, value_of(name, known)) for name in self._own])
        try:
            body = self._body.fill(values)
            leave = headers.url("List-Unsubscribe", values[UNSUBSCRIBE_URL], is_folded=False)
        except KeyError:
            problems = [
                N_("The slot %(name)s has no value.") % {"name": name}
                for name in sorted(self._needed.difference(values))
            ]
            raise CompositionError(problems) from None
        fields = date_field(date) + headers.message_id(message_id) + headers.mailbox("To", to_name, to) + leave
        pieces = [fields.encode() + self.fixed_header, *body]
        return pieces if self._body.is_long else [b"".join(pieces)]


def compose(
    *,
    subject: str,
    html: str,
    text: str,
    language: str,
    sender: Sender,
    to: str,
    to_name: str,
    message_id: str,
    date: dt.datetime,
) -> bytes:
    """One message to one person, not of a list: a letter, marked as written by a machine (RFC 3834 section 5)."""
    body = _Alternative(text, html)
    fields = (
        date_field(date)
        + headers.message_id(message_id)
        + headers.mailbox("To", to_name, to)
        + identity_fields(subject, sender)
        + "Auto-Submitted: auto-generated\r\n"
        + AUTO_RESPONSE_FIELD
        + mime_fields(language, body.boundary)
    )
    return b"".join((fields.encode(), *body.fill({})))


def mime_fields(language: str, boundary: str) -> str:
    """Content-Language, MIME-Version, Content-Type of the whole, and the blank line that ends the header."""
    return (
        f"Content-Language: {HTML_LANGUAGES[language]}\r\n"
        "MIME-Version: 1.0\r\n"
        f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'
    )


class _Alternative:
    """The two parts of multipart/alternative, the text first: a reader takes the last it can show (RFC 2046, 5.1.4)."""

    def __init__(self, text: str, html: str) -> None:
        # In quoted-printable and base64 alike "=_" cannot occur (RFC 2045 section 6.7).
        self.boundary = "=_" + hashlib.sha256(f"{text}\0{html}".encode()).hexdigest()[:32]
        part = "--{}\r\nContent-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        self.text, self.html = SlottedPart(text), SlottedPart(html)
        self._text_head = part.format(self.boundary, "plain").encode()
        self._html_head = part.format(self.boundary, "html").encode()
        self._end = f"--{self.boundary}--\r\n".encode()
        self.is_long = self.text.is_long or self.html.is_long

    def prefix(self) -> bytes:
        """What every filling begins with, up to the first slot."""
        text = self._text_head + self.text.prefix
        return text if self.text.names else text + self._html_head + self.html.prefix

    def fill(self, values: Mapping[str, str]) -> list[bytes]:
        """In pieces: joined once, with the header, because an edition may be long."""
        plain = {name: value.encode() for name, value in values.items()}
        marked = plain
        if _MARKUP.search("".join(values.values())) is not None:
            marked = {name: escape(value).encode() for name, value in values.items()}
        return [self._text_head, *self.text.fill(plain), self._html_head, *self.html.fill(marked), self._end]
