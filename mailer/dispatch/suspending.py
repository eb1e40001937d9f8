"""Who is left alone for a while: a provider that said "slow down", or a relay that cannot be reached.

In PostgreSQL, because Redis may lose what it holds; the claim leaves suspended providers out.
"""

import datetime as dt
import logging
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.db import now
from mailer.dispatch.claiming import EVERYBODY
from mailer.dispatch.models import Attempt, Suspension
from mailer.dispatch.outcomes import Settlement
from mailer.dispatch.pace.provider_settings import load_providers
from mailer.dispatch.pace.providers import Provider
from mailer.dispatch.replies import get_table, is_providers_limit, is_quota
from mailer.dispatch.rules import Outcome, SuspensionKind

logger = logging.getLogger(__name__)

# What the relay of the settings is called (`RelayAddress.from_url`).
DEFAULT_RELAY = "default"
# A relay that is down is tried again after a quarter of the time it has been down, within these bounds in seconds.
SHORTEST, LONGEST = 5.0, 60.0
# How far back "slow down" replies are counted.
COUNTED = dt.timedelta(hours=1)
# The class of replies that are about how many connections we have, and how many within the hour are too many.
CONNECTIONS_CLASS = "connections"
CONNECTIONS_REPLIES = 2
# How long one "slow down" is remembered.
SLOWED_FOR = dt.timedelta(minutes=15)
# A fault this long after the end of the last suspension is a new one.
SAME_FAULT = dt.timedelta(minutes=2)


def suspend_providers(session: Session, settlements: Iterable[Settlement]) -> list[Suspension]:
    """After these were settled in the same transaction: slows or suspends the providers that have said "slow down"."""
    limited = {
        item.provider: item for item in settlements if item.reason and item.attempt and is_providers_limit(item.reason)
    }
    if not limited:
        return []
    made: list[Suspension] = []
    groups = load_providers(session)
    for name, said in limited.items():
        provider = groups.get(name)
        if provider is None or provider.suspend_after is None or is_suspended(session, name):
            continue
        answer = _answer(session, provider, said)
        if answer is not None:
            made.append(answer)
            logger.warning("provider %s %s until %s: %s", name, answer.kind, answer.until.isoformat(), said.reason)
    session.add_all(made)
    session.flush()
    return made


def _answer(session: Session, provider: Provider, said: Settlement) -> Suspension | None:
    """What a "slow down" comes to: a day's quota until that day is over; too many of them, a while of silence; two that
    name our connections, one connection for a while; and the first of any kind, half of everything for a while.
    """
    moment = now(session)
    told = {"provider": provider.name, "reply_class": said.reason, "reply": said.reply.replace("\0", "")}
    if is_quota(said.reason):
        zone = ZoneInfo(provider.zone)
        tomorrow = moment.astimezone(zone).date() + dt.timedelta(days=1)
        return Suspension(until=dt.datetime.combine(tomorrow, dt.time(), zone).astimezone(dt.UTC), **told)
    pause = dt.timedelta(minutes=provider.suspend_minutes)
    slowed = find_suspension(session, provider.name, SuspensionKind.SLOWED)
    if said.reason == CONNECTIONS_CLASS:
        if slowed is not None and slowed.connections == 1:
            return None
        if _count(session, provider, [CONNECTIONS_CLASS], moment) >= CONNECTIONS_REPLIES:
            return Suspension(kind=SuspensionKind.SLOWED, connections=1, until=moment + pause, **told)
    else:
        limits = [name for name in get_table().classes if is_providers_limit(name) and name != CONNECTIONS_CLASS]
        if _count(session, provider, limits, moment) >= (provider.suspend_after or 0):
            return Suspension(until=moment + pause, **told)
    if slowed is not None:
        return None
    half = max(1, provider.connections // 2)
    return Suspension(kind=SuspensionKind.SLOWED, share=0.5, connections=half, until=moment + SLOWED_FOR, **told)


def _count(session: Session, provider: Provider, classes: list[str], moment: dt.datetime) -> int:
    """Replies of these classes within the last hour."""
    return (
        session.scalar(
            select(func.count()).where(
                Attempt.provider == provider.name,
                Attempt.reply_class.in_(classes),
                Attempt.at > moment - COUNTED,
                Attempt.outcome != Outcome.ACCEPTED,
            )
        )
        or 0
    )


def is_suspended(session: Session, provider: str) -> bool:
    """Whether a provider (or `EVERYBODY`: some relay) is left alone now."""
    return find_suspension(session, provider) is not None


def find_suspension(
    session: Session, provider: str, kind: SuspensionKind = SuspensionKind.SUSPENDED
) -> Suspension | None:
    """The suspension of this kind that holds now and lasts longest."""
    return session.scalar(
        select(Suspension)
        .where(Suspension.provider == provider, Suspension.kind == kind, Suspension.until > func.now())
        .order_by(Suspension.until.desc())
        .limit(1)
    )


def list_suspensions(session: Session) -> list[Suspension]:
    """Providers (and with `EVERYBODY` relays) that are not tried now."""
    return _list(session, SuspensionKind.SUSPENDED)


def list_slowed(session: Session) -> list[Suspension]:
    """Providers that are written to more slowly now."""
    return _list(session, SuspensionKind.SLOWED)


def _list(session: Session, kind: SuspensionKind) -> list[Suspension]:
    return list(
        session.scalars(
            select(Suspension)
            .where(Suspension.kind == kind, Suspension.until > func.now())
            .order_by(Suspension.provider, Suspension.id)
        )
    )


def list_suspended_relays(session: Session) -> set[str]:
    """Names of the relays that are left alone now."""
    return set(
        session.scalars(select(Suspension.relay).where(Suspension.provider == EVERYBODY, Suspension.until > func.now()))
    )


def suspend_relay(session: Session, *, relay: str = DEFAULT_RELAY, reply_class: str, reply: str) -> dt.timedelta:
    """A relay cannot be reached, or sends everybody away: it is left alone for a little while, longer each time.

    One row tells of one outage, from its `created_at` on. Returns how long the outage has lasted.
    """
    moment = now(session)
    outage = session.scalar(
        select(Suspension)
        .where(Suspension.provider == EVERYBODY, Suspension.relay == relay, Suspension.until > moment - SAME_FAULT)
        .order_by(Suspension.id.desc())
        .limit(1)
        .with_for_update()
    )
    lasted = moment - outage.created_at if outage else dt.timedelta()
    wait = dt.timedelta(seconds=min(LONGEST, max(SHORTEST, lasted.total_seconds() / 4)))
    if outage is None:
        outage = Suspension(provider=EVERYBODY, relay=relay, until=moment, reply_class=reply_class, reply=reply)
        session.add(outage)
    outage.until, outage.reply_class, outage.reply = moment + wait, reply_class, reply
    session.flush()
    return lasted


def end_suspension(session: Session, provider: str, *, by: Account | None) -> None:
    """An admin has spoken to a provider: it is written to as usual at once. Audited, where anything was otherwise."""
    held = session.scalars(
        select(Suspension)
        .where(Suspension.provider == provider, Suspension.provider != EVERYBODY, Suspension.until > func.now())
        .with_for_update()
    ).all()
    for suspension in held:
        suspension.until = now(session)
    session.flush()
    if held:
        record(session, by=by, action="provider.released", subject_type="provider", subject_id=None, provider=provider)


def end_relay_suspension(session: Session, relay: str = DEFAULT_RELAY) -> None:
    """An admin has changed the relay, or it has answered: it is tried again at once."""
    for suspension in session.scalars(
        select(Suspension)
        .where(Suspension.provider == EVERYBODY, Suspension.relay == relay, Suspension.until > func.now())
        .with_for_update()
    ):
        # Beyond `SAME_FAULT`, so that the next fault is told as a new one.
        suspension.until = now(session) - SAME_FAULT
    session.flush()
