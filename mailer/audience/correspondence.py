"""Letters to readers: to confirm, to welcome, or to say that there was nothing to do.

A letter never carries what somebody typed beside the address, the name least of all: it would let strangers write to
strangers in our name.
"""

import datetime as dt
from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer import letters, links
from mailer.audience.models import Subscriber
from mailer.audience.rules import SubscriptionState
from mailer.audience.subscriptions import Change
from mailer.letters.models import Letter
from mailer.letters.rules import LetterKind
from mailer.newsletters.models import List

# More letters than this to one address in 24 hours would make us a tool against its owner.
LETTERS_A_DAY = 3
CONFIRM_DAYS = 7


def may_write(session: Session, subscriber: Subscriber) -> bool:
    """Whether the day's letters to this address are not used up. Exact while the subscriber's row is locked."""
    a_day_ago = func.now() - dt.timedelta(days=1)
    query = select(func.count()).where(Letter.address_key == subscriber.email_key, Letter.created_at > a_day_ago)
    return (session.scalar(query) or 0) < LETTERS_A_DAY


def answer_sign_up(
    session: Session, subscriber: Subscriber, lists: Sequence[List], changes: Collection[Change]
) -> None:
    """One letter, whatever the sign-up came to, so that nobody can tell by their number."""
    unconfirmed = {change.list_id for change in changes if change.new is SubscriptionState.UNCONFIRMED}
    joined = {change.list_id for change in changes if change.is_real} - unconfirmed
    if unconfirmed:
        _write_confirmation(session, subscriber, [each for each in lists if each.id in unconfirmed])
    elif joined:
        _write_with_links(session, subscriber, LetterKind.WELCOME, [each for each in lists if each.id in joined])
    else:
        _write_with_links(session, subscriber, LetterKind.NOTICE, lists, topic="already_subscribed")


def _write_confirmation(session: Session, subscriber: Subscriber, lists: Sequence[List]) -> None:
    token = links.make_confirm_token(subscriber.id, [each.id for each in lists], days=CONFIRM_DAYS)
    _write(session, subscriber, LetterKind.CONFIRM, lists, confirm_url=links.confirm_url(token), days=CONFIRM_DAYS)


def _write_with_links(
    session: Session, subscriber: Subscriber, kind: LetterKind, lists: Sequence[List], **parameters: object
) -> None:
    target = links.UnsubscribeTarget(subscriber.id, 0, tuple(each.id for each in lists))
    _write(
        session,
        subscriber,
        kind,
        lists,
        preferences_url=links.preferences_url(links.make_preferences_token(subscriber.id)),
        unsubscribe_url=links.unsubscribe_url(links.make_unsubscribe_token(target)),
        **parameters,
    )


def _write(
    session: Session, subscriber: Subscriber, kind: LetterKind, lists: Sequence[List], **parameters: object
) -> None:
    """In the name of the newsletter where the lists have only one, else of the service."""
    newsletters = {each.newsletter_id: each.newsletter for each in lists}
    single = next(iter(newsletters.values())) if len(newsletters) == 1 else None
    letters.write(
        session,
        kind,
        address=subscriber.email,
        locale=subscriber.locale,
        parameters={
            "lists": [{"newsletter": each.newsletter.title, "list": each.name} for each in lists],
            "contact": single.contact if single else "",
            **parameters,
        },
        newsletter_id=single.id if single else None,
    )
