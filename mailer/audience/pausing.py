"""A pause: nothing is sent to a reader who is away, and everything afterwards, without leaving a list."""

import datetime as dt
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from mailer import links
from mailer.audience.changes import note_change, snapshot
from mailer.audience.models import Subscriber
from mailer.audience.rules import ChangeHow
from mailer.audience.subscriptions import lock_subscriber
from mailer.db import now
from mailer.errors import LinkError, RuleError
from mailer.i18n import N_

# Whoever is away for longer has left, and is better asked again.
MOST_DAYS = 365


def pause(session: Session, token: str, until: dt.date, *, zone: str) -> Subscriber:
    """No issue is sent before the day `until` begins in `zone`. Raises `LinkError`, and `RuleError` for a day that is
    not to come or too far away.
    """
    subscriber = _lock(session, token)
    today = now(session).astimezone(ZoneInfo(zone)).date()
    if until <= today:
        raise RuleError(N_("Please choose a day that is still to come."))
    if until > today + dt.timedelta(days=MOST_DAYS):
        raise RuleError(N_("A pause lasts a year at most. You may also unsubscribe, and come back at any time."))
    before = snapshot(subscriber)
    subscriber.paused_until = dt.datetime.combine(until, dt.time(), ZoneInfo(zone)).astimezone(dt.UTC)
    note_change(session, subscriber, before, ChangeHow.PREFERENCES)
    return subscriber


def resume(session: Session, token: str) -> Subscriber:
    """Ends a pause; twice is once. Raises `LinkError`."""
    subscriber = _lock(session, token)
    before = snapshot(subscriber)
    subscriber.paused_until = None
    note_change(session, subscriber, before, ChangeHow.PREFERENCES)
    return subscriber


def is_paused(subscriber: Subscriber, at: dt.datetime) -> bool:
    """Whether nothing is sent to them at this moment."""
    return subscriber.paused_until is not None and subscriber.paused_until > at


def _lock(session: Session, token: str) -> Subscriber:
    subscriber = lock_subscriber(session, links.read_preferences_token(token))
    if subscriber is None:
        raise LinkError(N_("This link is not valid."))
    return subscriber
