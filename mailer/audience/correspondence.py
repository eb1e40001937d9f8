"""Letters to readers: to confirm, to welcome, or to say that there was nothing to do.

A letter never carries what somebody typed beside the address, the name least of all: it would let strangers write to
strangers in our name.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer import letters, links
from mailer.audience.models import Subscriber
from mailer.audience.rules import SubscriptionState
from mailer.audience.subscriptions import Change
from mailer.i18n import N_, translate
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
        _confirm(session, subscriber, [each for each in lists if each.id in unconfirmed])
    elif joined:
        _welcome(session, subscriber, [each for each in lists if each.id in joined])
    else:
        _tell_already_subscribed(session, subscriber, lists)


def _confirm(session: Session, subscriber: Subscriber, lists: Sequence[List]) -> None:
    token = links.make_confirm_token(subscriber.id, [each.id for each in lists], days=CONFIRM_DAYS)
    parameters = _names(subscriber, lists) | {"confirm_url": links.confirm_url(token), "expires_days": CONFIRM_DAYS}
    _write(session, subscriber, LetterKind.CONFIRM, lists, parameters)


def _welcome(session: Session, subscriber: Subscriber, lists: Sequence[List]) -> None:
    target = links.UnsubscribeTarget(subscriber.id, 0, tuple(each.id for each in lists))
    parameters = _names(subscriber, lists) | {
        "preferences_url": _preferences_url(subscriber),
        "unsubscribe_url": links.unsubscribe_url(links.make_unsubscribe_token(target)),
        "latest_issue": None,
    }
    _write(session, subscriber, LetterKind.WELCOME, lists, parameters)


def _tell_already_subscribed(session: Session, subscriber: Subscriber, lists: Sequence[List]) -> None:
    def say(message: str, **params: object) -> str:
        return translate(subscriber.locale, message, **params)

    newsletter = _names(subscriber, lists)["newsletter"]
    parameters = {
        "subject": say(N_("You are subscribed to %(newsletter)s already"), newsletter=newsletter),
        "lines": [
            say(
                N_("Somebody, presumably you, asked again that this address receive %(newsletter)s."),
                newsletter=newsletter,
            ),
            say(N_("You are subscribed already, so nothing has changed and there is nothing to do.")),
            say(N_("If you want to change what you receive, or to leave, open your subscription settings:")),
        ],
        "url": _preferences_url(subscriber),
    }
    _write(session, subscriber, LetterKind.NOTICE, lists, parameters)


def _preferences_url(subscriber: Subscriber) -> str:
    return links.preferences_url(links.make_preferences_token(subscriber.id))


def _names(subscriber: Subscriber, lists: Sequence[List]) -> dict[str, Any]:
    """The titles of the newsletters in one phrase, and the lists, by both names where one would leave a doubt."""
    titles = list(dict.fromkeys(each.newsletter.title for each in lists))
    comma = "、" if subscriber.locale.startswith("zh") else ", "
    names = [each.name if len(titles) == 1 else f"{each.newsletter.title} · {each.name}" for each in lists]
    return {"newsletter": comma.join(titles), "lists": names}


def _write(
    session: Session, subscriber: Subscriber, kind: LetterKind, lists: Sequence[List], parameters: dict[str, Any]
) -> None:
    """In the name of the newsletter where the lists have only one, else of the service."""
    newsletter_ids = {each.newsletter_id for each in lists}
    letters.write(
        session,
        kind,
        address=subscriber.email,
        locale=subscriber.locale,
        parameters=parameters,
        newsletter_id=newsletter_ids.pop() if len(newsletter_ids) == 1 else None,
    )
