"""Readers of an archive that only subscribers may read: who one is, and a letter that brings them in."""

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from mailer import letters, links
from mailer.addresses import parse_address
from mailer.audience.correspondence import may_write
from mailer.audience.models import Subscriber, Subscription
from mailer.audience.rules import SubscriptionState
from mailer.audience.subscriptions import find_subscriber
from mailer.errors import LinkError
from mailer.i18n import N_, translate
from mailer.letters.rules import LetterKind
from mailer.newsletters.models import List, Newsletter


def is_reader(session: Session, newsletter_id: int, subscriber_id: int) -> bool:
    """Whether they receive the newsletter now, by one of its lists at least."""
    confirmed = exists().where(
        Subscription.subscriber_id == subscriber_id,
        Subscription.state == SubscriptionState.CONFIRMED,
        Subscription.list_id == List.id,
        List.newsletter_id == newsletter_id,
    )
    return bool(session.scalar(select(confirmed)))


def find_reader(session: Session, newsletter_id: int, token: str) -> int | None:
    """The id of the subscriber whom `token` lets read this newsletter's archive, or `None`: for a token that is broken
    or another newsletter's, and from the moment they receive it no more.
    """
    try:
        of_newsletter, subscriber_id = links.read_reading_token(token)
    except LinkError:
        return None
    if of_newsletter != newsletter_id:
        return None
    subscriber = find_subscriber(session, subscriber_id)
    return subscriber.id if subscriber is not None and is_reader(session, newsletter_id, subscriber.id) else None


def offer_reading(session: Session, newsletter: Newsletter, email: str, *, url: str) -> None:
    """A letter with `url` and their token to whoever receives the newsletter at `email`; nothing to others, and nothing
    that tells who does. `url` is an address of the archive. Raises `RuleError` for what is no address.
    """
    key = parse_address(email).key
    subscriber = session.scalar(select(Subscriber).where(Subscriber.email_key == key).with_for_update())
    if subscriber is None or not is_reader(session, newsletter.id, subscriber.id) or not may_write(session, subscriber):
        return

    def say(message: str, **params: object) -> str:
        return translate(subscriber.locale, message, **params)

    token = links.make_reading_token(newsletter.id, subscriber.id)
    parameters = {
        "subject": say(N_("Your way into the archive of %(newsletter)s"), newsletter=newsletter.title),
        "lines": [
            say(N_("The past issues of %(newsletter)s are for its subscribers. This link opens them to you:"),
                newsletter=newsletter.title),
            say(N_("It works as long as you subscribe. Please do not pass it on.")),
            say(N_("If you did not ask for it, there is nothing to do.")),
        ],
        "url": f"{url}?r={token}",
    }  # fmt: skip
    letters.write(
        session,
        LetterKind.NOTICE,
        address=subscriber.email,
        locale=subscriber.locale,
        parameters=parameters,
        newsletter_id=newsletter.id,
    )
