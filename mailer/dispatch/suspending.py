"""Who is left alone for a while: a provider that said "slow down", or a relay that cannot be reached.

In PostgreSQL, because Redis may lose what it holds; the claim leaves suspended providers out.
"""

import datetime as dt
import logging
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.db import now
from mailer.dispatch.claiming import EVERYBODY
from mailer.dispatch.models import Attempt, Suspension
from mailer.dispatch.outcomes import Settlement
from mailer.dispatch.providers import Provider, get_providers
from mailer.dispatch.replies import get_table, is_providers_limit, is_quota
from mailer.dispatch.rules import Outcome

logger = logging.getLogger(__name__)

# A relay that is down is tried again after a quarter of the time it has been down, within these bounds in seconds.
SHORTEST, LONGEST = 5.0, 60.0
# How far back "slow down" replies are counted.
COUNTED = dt.timedelta(hours=1)
# A fault this long after the end of the last suspension is a new one.
SAME_FAULT = dt.timedelta(minutes=2)


def suspend_providers(session: Session, settlements: Iterable[Settlement]) -> list[Suspension]:
    """After these were settled in the same transaction: suspends the providers that have said "slow down" too often.

    A daily quota suspends until the provider's next midnight.
    """
    limited = {
        item.provider: item
        for item in settlements
        if item.reason and item.attempt and is_providers_limit(item.reason)
    }
    made = []
    for name, said in limited.items():
        provider = get_providers().get(name)
        if provider is None or provider.suspend_after is None or is_suspended(session, name):
            continue
        until = _until(session, provider, is_daily=is_quota(said.reason))
        if until is not None:
            made.append(Suspension(provider=name, until=until, reply_class=said.reason, reply=said.reply))
            logger.warning("provider %s suspended until %s: %s", name, until.isoformat(), said.reason)
    session.add_all(made)
    session.flush()
    return made


def _until(session: Session, provider: Provider, *, is_daily: bool) -> dt.datetime | None:
    moment = now(session)
    if is_daily:
        zone = ZoneInfo(provider.zone)
        tomorrow = moment.astimezone(zone).date() + dt.timedelta(days=1)
        return dt.datetime.combine(tomorrow, dt.time(), zone).astimezone(dt.UTC)
    said = session.scalar(
        select(func.count()).where(
            Attempt.provider == provider.name,
            Attempt.reply_class.in_([name for name in get_table().classes if is_providers_limit(name)]),
            Attempt.at > moment - COUNTED,
            Attempt.outcome != Outcome.ACCEPTED,
        )
    )
    if (said or 0) < (provider.suspend_after or 0):
        return None
    return moment + dt.timedelta(minutes=provider.suspend_minutes)


def is_suspended(session: Session, provider: str) -> bool:
    """Whether a provider (or `EVERYBODY`: the relay) is left alone now."""
    return find_suspension(session, provider) is not None


def find_suspension(session: Session, provider: str) -> Suspension | None:
    """The suspension that holds now and lasts longest."""
    return session.scalar(
        select(Suspension)
        .where(Suspension.provider == provider, Suspension.until > func.now())
        .order_by(Suspension.until.desc())
        .limit(1)
    )


def list_suspensions(session: Session) -> list[Suspension]:
    """Those that hold now, by provider."""
    return list(session.scalars(select(Suspension).where(Suspension.until > func.now()).order_by(Suspension.provider)))


def suspend_relay(session: Session, *, reply_class: str, reply: str) -> dt.timedelta:
    """The relay cannot be reached, or sends everybody away: it is left alone for a little while, longer each time.

    One row tells of one outage, from its `created_at` on. Returns how long the outage has lasted.
    """
    moment = now(session)
    outage = session.scalar(
        select(Suspension)
        .where(Suspension.provider == EVERYBODY, Suspension.until > moment - SAME_FAULT)
        .order_by(Suspension.id.desc())
        .limit(1)
        .with_for_update()
    )
    lasted = moment - outage.created_at if outage else dt.timedelta()
    wait = dt.timedelta(seconds=min(LONGEST, max(SHORTEST, lasted.total_seconds() / 4)))
    if outage is None:
        outage = Suspension(provider=EVERYBODY, until=moment, reply_class=reply_class, reply=reply)
        session.add(outage)
    outage.until, outage.reply_class, outage.reply = moment + wait, reply_class, reply
    session.flush()
    return lasted


def end_relay_suspension(session: Session) -> None:
    """An admin has changed the relay: it is tried again at once."""
    for suspension in session.scalars(
        select(Suspension).where(Suspension.provider == EVERYBODY, Suspension.until > func.now()).with_for_update()
    ):
        # Beyond `SAME_FAULT`, so that the next fault is told as a new one.
        suspension.until = now(session) - SAME_FAULT
    session.flush()
