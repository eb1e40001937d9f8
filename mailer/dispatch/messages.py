"""A claim becomes an envelope: who a mailing is from, and what differs from reader to reader.

One template for each list of the mailing, because List-Id names a list: a reader who came by several gets the first of
them, and leaves all of them at once. MAIL FROM is the newsletter's sender; a return path of its own for each delivery
comes with the reading of bounces.
"""

import base64
import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import links
from mailer.dispatch.claiming import Claim
from mailer.dispatch.dkim import ahead
from mailer.dispatch.dkim.senders import load_signing_keys
from mailer.dispatch.dkim.signing import Signer, SigningKey
from mailer.dispatch.envelopes import Content, Envelope
from mailer.dispatch.models import Mailing, MailingList
from mailer.dispatch.reading_links import parts_of
from mailer.newsletters.lists import list_id_of
from mailer.newsletters.models import List, Newsletter
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.editions import get_edition
from mailer.press.message import Identity, MessageTemplate, assemble
from mailer.press.slots import PREFERENCES_URL, READER, UNSUBSCRIBE_URL

# RFC 4648 section 6, in lower case.
_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"

# Messages made one after the other before the first of them goes out, and how many bytes of them.
MADE_AT_ONCE = 32
BYTES_AT_ONCE = 1_000_000

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
        # RFC 2369 section 3.5: who answers for this list, and else for the newsletter.
        owner_address=chosen.owner or newsletter.reply_to or newsletter.sender_address,
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
        size = max((template.copied_bytes for template in self._templates.values()), default=0)
        self.made_at_once = max(1, min(MADE_AT_ONCE, BYTES_AT_ONCE // max(1, size)))
        self._links = links.MailLinks()
        # Whether claims need their readers' attributes.
        self.has_own = any(template.has_own for template in self._templates.values())
        self._is_signed = bool(keys)
        self._signers = {
            list_id: Signer(keys, fixed_header=template.fixed_header, body_prefix=template.body_prefix)
            for list_id, template in self._templates.items()
        }

    def envelopes(self, claims: Iterable[Claim]) -> dict[int, Envelope]:
        """What goes to the wire, by delivery, filled one after the other: a processor that has just filled a message
        fills the next in half the time. Its Date is that moment, so `claims` are what goes out at once.

        One that is signed is begun in another thread instead: see `dkim.ahead`.
        """
        date = dt.datetime.now(dt.UTC).replace(microsecond=0)
        return {claim.delivery_id: self.envelope(claim, date) for claim in claims}

    def envelope(self, claim: Claim, date: dt.datetime) -> Envelope:
        """One of them, dated `date`."""
        content: Callable[[], Content] | Content
        if self._is_signed:
            content = ahead.begin(partial(self._sign, claim, date))
        else:
            try:
                content = self._fill(claim, date)
            except Exception:  # noqa: BLE001  (it fails once more where one message's failure is looked after)
                content = partial(self._fill, claim, date)
        return Envelope(
            claim.delivery_id, self.sender, claim.address, claim.provider, content, claim.token, is_ready=True
        )

    def _sign(self, claim: Claim, date: dt.datetime) -> bytes:
        return self._signers[claim.list_ids[0]].sign(b"".join(self._fill(claim, date)))

    def _fill(self, claim: Claim, date: dt.datetime) -> list[bytes]:
        reader, unsubscribe_url, preferences_url = self._links.of(
            claim.delivery_id, claim.subscriber_id, claim.list_ids
        )
        return self._templates[claim.list_ids[0]].fill(
            to=claim.address,
            to_name=claim.name,
            message_id=message_id(claim.delivery_id, self._key, self._domain),
            date=date,
            slots={READER: reader, UNSUBSCRIBE_URL: unsubscribe_url, PREFERENCES_URL: preferences_url},
            attributes=claim.attributes,
        )


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
