"""A claim becomes an envelope: who a mailing is from, and what differs from reader to reader.

One template for each list of the mailing, because List-Id names a list: a reader who came by several gets the first of
them, and leaves all of them at once. MAIL FROM is the newsletter's sender; a return path of its own for each delivery
comes with the reading of bounces.
"""

import base64
import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import links
from mailer.dispatch.claiming import Claim
from mailer.dispatch.dkim import ahead
from mailer.dispatch.dkim.senders import load_signing_keys
from mailer.dispatch.dkim.signing import Signer, SigningKey
from mailer.dispatch.envelopes import Envelope
from mailer.dispatch.models import Mailing, MailingList
from mailer.dispatch.reading_links import parts_of
from mailer.dispatch.smtp.message import is_plain, stuff_header
from mailer.newsletters.lists import list_id_of
from mailer.newsletters.models import List, Newsletter
from mailer.newsroom.editions import get_edition
from mailer.newsroom.models import Edition
from mailer.press.message import Identity, MessageTemplate, assemble
from mailer.press.slots import PREFERENCES_URL, READER, UNSUBSCRIBE_URL

# RFC 4648 section 6, in lower case.
_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"

# A template is some hundred kilobytes, and a process turns from one mailing to the next and back.
_template = lru_cache(maxsize=16)(assemble)


def message_id(delivery_id: int, key: str, domain: str) -> str:
    """``<delivery.key@domain>``, known before anything is sent and the same in every attempt."""
    length = (delivery_id.bit_length() + 7) // 8 or 1
    # The bits of `base64.b32encode`, which takes three times as long, and no padding.
    digits = -(-length * 8 // 5)
    bits = delivery_id << (digits * 5 - length * 8)
    number = "".join([_DIGITS[bits >> shift & 31] for shift in range(digits * 5 - 5, -1, -5)])
    return f"<{number}.{key}@{domain}>"


def read_message_id(value: str) -> tuple[int, str]:
    """(delivery id, key) of a Message-ID made by `message_id`. Raises `ValueError` for any other."""
    local, at, _domain = value.strip().strip("<>").partition("@")
    number, dot, key = local.partition(".")
    if not (at and dot and number and key):
        raise ValueError(value)
    text = number.upper()
    return int.from_bytes(base64.b32decode(text + "=" * (-len(text) % 8)), "big"), key


@lru_cache(maxsize=8)
def _moment(second: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(second, dt.UTC)


def identity_of(newsletter: Newsletter, chosen: List, *, mailing_id: int) -> Identity:
    """Who the mail is from and which list it belongs to."""
    return Identity(
        sender_name=newsletter.sender_name,
        sender_address=newsletter.sender_address,
        reply_to=newsletter.reply_to or "",
        list_id=list_id_of(chosen),
        list_name=chosen.name,
        archive_url=links.newsletter_url(newsletter.slug),
        # The newsletter's page says who is responsible, and how to leave (RFC 2369 section 3.1).
        help_url=links.newsletter_url(newsletter.slug),
        owner_address=newsletter.reply_to or newsletter.sender_address,
        feedback_id=f"{mailing_id}:{chosen.slug}:issue:{newsletter.slug}",
    )


class MessageMaker:
    """Makes the messages of one mailing. Holds no database session."""

    def __init__(
        self,
        mailing: Mailing,
        edition: Edition,
        newsletter: Newsletter,
        lists: Mapping[int, List],
        keys: Sequence[SigningKey] = (),
    ) -> None:
        self.sender = newsletter.sender_address
        self._key, self._domain = mailing.message_key, mailing.message_domain
        web_url = links.issue_url(newsletter.slug, mailing.issue_id)
        html, text = parts_of(edition, newsletter)
        self._templates: dict[int, MessageTemplate] = {
            list_id: _template(
                edition.subject,
                html,
                text,
                edition.language,
                identity_of(newsletter, chosen, mailing_id=mailing.id),
                web_url,
            )
            for list_id, chosen in lists.items()
        }
        # The fields that all messages of a list share are looked at once; where one cannot be, all are, each time.
        self._fixed = {list_id: _first_line(template.fixed_header) for list_id, template in self._templates.items()}
        self._is_signed = bool(keys)
        self._signers = {
            list_id: Signer(keys, fixed_header=template.fixed_header, body_prefix=template.body_prefix)
            for list_id, template in self._templates.items()
        }

    def envelope(self, claim: Claim) -> Envelope:
        """What goes to the wire. The content is made only when its turn has come; its Date is that moment.

        One that is signed is begun at once, in another thread: see `dkim.ahead`.
        """
        content = self._content(claim)
        return Envelope(
            delivery_id=claim.delivery_id,
            sender=self.sender,
            recipient=claim.address,
            provider=claim.provider,
            content=ahead.begin(content) if self._is_signed else content,
            token=claim.token,
        )

    def _content(self, claim: Claim) -> Callable[[], bytes]:
        def fill() -> bytes:
            leaving = links.UnsubscribeTarget(claim.subscriber_id, claim.delivery_id, claim.list_ids)
            list_id = claim.list_ids[0]
            filled = self._templates[list_id].fill(
                to=claim.address,
                to_name=claim.name,
                message_id=message_id(claim.delivery_id, self._key, self._domain),
                date=_moment(int(time.time())),
                slots={
                    READER: links.make_reader_token(claim.delivery_id),
                    UNSUBSCRIBE_URL: links.unsubscribe_url(links.make_unsubscribe_token(leaving)),
                    PREFERENCES_URL: links.preferences_url(links.make_preferences_token(claim.subscriber_id)),
                },
            )
            return stuff_header(self._signers[list_id].sign(filled), fixed=self._fixed[list_id])

        return fill


def _first_line(fixed_header: bytes) -> bytes:
    return fixed_header[: fixed_header.index(b"\r\n") + 2] if is_plain(fixed_header) else b""


def load_message_maker(session: Session, mailing: Mailing) -> MessageMaker:
    """Reads the edition, the newsletter and the lists of a mailing, and the keys that sign it.

    Raises `CompositionError`, and `RuleError` where a key cannot be read.
    """
    lists = session.scalars(
        select(List).join(MailingList, MailingList.list_id == List.id).where(MailingList.mailing_id == mailing.id)
    )
    newsletter = session.get_one(Newsletter, mailing.newsletter_id)
    return MessageMaker(
        mailing,
        get_edition(session, mailing.edition_id),
        newsletter,
        {chosen.id: chosen for chosen in lists},
        load_signing_keys(session, newsletter.sender_address),
    )
