"""A letter becomes a message: from whom, and what it says."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from mailer import links
from mailer.audience.models import Subscriber
from mailer.audience.subscriptions import find_subscriber
from mailer.dispatch.dkim.senders import sign_message
from mailer.errors import CompositionError
from mailer.i18n import N_
from mailer.letters.rules import LetterKind
from mailer.newsletters.models import Newsletter
from mailer.press.letters import compose_letter
from mailer.press.message import Identity, Sender, assemble
from mailer.press.previewing import reader_values
from mailer.press.slots import PREFERENCES_URL, READER, UNSUBSCRIBE_URL
from mailer.settings import get_settings


@dataclass(frozen=True, slots=True)
class LetterClaim:
    """A letter that this process may send now."""

    id: int
    kind: str
    locale: str
    address: str
    newsletter_id: int | None
    parameters: Mapping[str, Any]
    message_id: str
    attempts: int


def compose(session: Session, claim: LetterClaim) -> tuple[str, bytes]:
    """(address for MAIL FROM, message, signed where its domain has keys).

    Raises `CompositionError` where it cannot be written, `RuleError` where a key cannot be read.
    """
    newsletter = session.get(Newsletter, claim.newsletter_id) if claim.newsletter_id is not None else None
    sender = _sender(newsletter)
    moment = dt.datetime.now(dt.UTC)
    if claim.kind != LetterKind.PROOF:
        message = compose_letter(
            claim.kind, claim.locale, claim.parameters, sender, claim.address, claim.message_id, moment
        )
    elif newsletter is None:
        raise CompositionError([N_("A test belongs to a newsletter.")])
    else:
        message = _proof(session, newsletter, sender, claim, moment)
    return sender.sender_address, sign_message(session, sender.sender_address, message)


def _sender(newsletter: Newsletter | None) -> Sender:
    if newsletter is None:
        settings = get_settings()
        return Sender(sender_name=settings.sender_name, sender_address=settings.sender_address)
    return Sender(
        sender_name=newsletter.sender_name,
        sender_address=newsletter.sender_address,
        reply_to=newsletter.reply_to or "",
    )


def _proof(session: Session, newsletter: Newsletter, sender: Sender, claim: LetterClaim, moment: dt.datetime) -> bytes:
    """A test of an issue, built as its readers' mail is, every header included; its links leave nobody's list. Its
    personal slots are filled as those of the reader who was chosen, if they are still there.
    """
    parameters = claim.parameters
    try:
        subject, html, text = parameters["subject"], parameters["html"], parameters["text"]
        language, web_url = parameters["language"], parameters["web_url"]
    except KeyError as missing:
        raise CompositionError([N_("The letter lacks a value: %(name)s") % {"name": missing}]) from None
    page = links.newsletter_url(newsletter.slug)
    identity = Identity(
        sender_name=sender.sender_name,
        sender_address=sender.sender_address,
        reply_to=sender.reply_to,
        list_id=f"test.{newsletter.slug}.{sender.sender_address.rpartition('@')[2]}",
        list_name=newsletter.title,
        archive_url=page,
    )
    reader_id = parameters.get("reader_id")
    reader = find_subscriber(session, reader_id) if reader_id else None
    nobody = links.make_unsubscribe_token(links.UnsubscribeTarget(0, 0, ()))
    message = assemble(subject, html, text, language, identity, web_url).fill(
        to=claim.address,
        to_name="",
        message_id=claim.message_id,
        date=moment,
        slots={
            READER: links.make_reader_token(0),
            UNSUBSCRIBE_URL: links.unsubscribe_url(nobody),
            PREFERENCES_URL: page,
            **(_shown_of(reader, language) if reader else {}),
        },
    )
    return b"".join(message)


def _shown_of(reader: Subscriber, language: str) -> dict[str, str]:
    """What personal slots show of them."""
    values = reader_values(language, name=reader.name, address=reader.email, attributes=reader.attributes)
    return {name: value for name, value in values.items() if name not in {READER, UNSUBSCRIBE_URL, PREFERENCES_URL}}
