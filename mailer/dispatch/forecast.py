"""What will happen when the button is pressed: how many get it, who does not, when it is done, and what limits it."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from mailer.db import now
from mailer.dispatch.models import Mailing
from mailer.dispatch.pace.providers import OTHER, Provider
from mailer.dispatch.pace.slowing import load_paces
from mailer.dispatch.pace.window_hours import Window
from mailer.dispatch.pace.windows import find_window
from mailer.dispatch.plans import one_pass_each
from mailer.dispatch.preparing import judgement, judging
from mailer.dispatch.relays.routing import Route, list_planned, list_routes
from mailer.dispatch.rules import ExclusionReason, MailingState
from mailer.dispatch.segmentation import Narrowing, note_outsiders
from mailer.dispatch.suspending import list_suspensions
from mailer.newsroom.editions import get_edition
from mailer.newsroom.models import Issue

_BY_PROVIDER = " SELECT provider, reason, count(*) FROM judged GROUP BY provider, reason"
COUNT, COUNT_SEGMENTS = (judging(_BY_PROVIDER, has_segments=has_segments) for has_segments in (False, True))

# A mailing smaller than this says little about how fast the relay is.
TELLING = 200
# Where nothing has ever been sent: a message takes a connection about a tenth of a second.
ASSUMED_PER_CONNECTION = 10.0
# How long a message of each provider takes, by the latest of all attempts.
LATEST = text("""
SELECT provider, avg(duration_ms) / 1000.0 FROM (
    SELECT provider, duration_ms FROM attempts WHERE outcome = 'accepted' ORDER BY id DESC LIMIT 2000
) latest
WHERE duration_ms > 0 GROUP BY provider
""")


class LimitedBy(StrEnum):
    """What decides how long it takes."""

    RELAY = "relay"
    MAILING = "mailing"
    PROVIDER = "provider"
    # There is only so much time in its sending window.
    WINDOW = "window"
    # As fast as the relay took the last mailing.
    OBSERVED = "observed"
    # As fast as relays usually are: nothing has been sent yet.
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class ProviderForecast:
    """One provider group: its recipients, and the seconds from the start until the last of them is served."""

    provider: str
    recipients: int
    seconds: float
    limited_by: LimitedBy
    # It has asked to be left alone until then.
    suspended_until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """`rate` is the speed over all providers in messages per second; `provider` is the one that takes longest.

    `relays` are the names of those that it would take; none of them takes mail at this moment where `is_relay_away`.
    """

    recipients: int
    exclusions: dict[ExclusionReason, int]
    providers: tuple[ProviderForecast, ...]
    rate: float
    seconds: float
    finish_at: dt.datetime
    limited_by: LimitedBy
    provider: str | None
    relays: tuple[str, ...] = ()
    is_relay_away: bool = False


def forecast(
    session: Session,
    edition_id: int,
    list_ids: Sequence[int],
    *,
    rate: float | None = None,
    is_repeat: bool = False,
    start: dt.datetime | None = None,
    narrowing: Narrowing | None = None,
    is_correction: bool = False,
    mailing_id: int | None = None,
) -> Forecast:
    """As if it were sent at `start` (now): the same question as when the roster is frozen; within the sending hours of
    `mailing_id`, where it has its own. Raises `NotFoundError`, and `RuleError` where no relay is in use.
    """
    issue = session.get_one(Issue, get_edition(session, edition_id).issue_id)
    counts, exclusions = _count(
        session, issue, edition_id, list_ids, narrowing or Narrowing(), is_repeat=is_repeat, is_correction=is_correction
    )
    window = find_window(session, newsletter_id=issue.newsletter_id, mailing_id=mailing_id)
    return _forecast(session, issue.newsletter_id, counts, exclusions, rate, start or now(session), window)


def forecast_issue(session: Session, issue: Issue, list_ids: Sequence[int]) -> Forecast:
    """Of an issue that need not be approved yet, as if it were sent to these lists now. Raises as `forecast`."""
    counts, exclusions = _count(session, issue, 0, list_ids, Narrowing(), is_repeat=False, is_correction=False)
    window = find_window(session, newsletter_id=issue.newsletter_id)
    return _forecast(session, issue.newsletter_id, counts, exclusions, None, now(session), window)


def _count(
    session: Session,
    issue: Issue,
    edition_id: int,
    list_ids: Sequence[int],
    narrowing: Narrowing,
    *,
    is_repeat: bool,
    is_correction: bool,
) -> tuple[dict[str, int], dict[ExclusionReason, int]]:
    """(recipients by provider, the others by why not)."""
    counts: dict[str, int] = {}
    exclusions: dict[ExclusionReason, int] = {}
    asked = judgement(
        session,
        mailing_id=0,
        issue_id=issue.id,
        newsletter_id=issue.newsletter_id,
        list_ids=list_ids,
        is_repeat=is_repeat,
        edition_id=edition_id,
        is_correction=is_correction,
    )
    has_segments = note_outsiders(session, narrowing, list_ids)
    with one_pass_each(session):
        rows = session.execute(COUNT_SEGMENTS if has_segments else COUNT, asked).all()
    for provider, reason, count in rows:
        if reason is None:
            counts[provider] = counts.get(provider, 0) + count
        else:
            exclusions[ExclusionReason(reason)] = exclusions.get(ExclusionReason(reason), 0) + count
    return counts, exclusions


def forecast_mailing(session: Session, mailing: Mailing) -> Forecast:
    """Of one that has not been launched, with all that was chosen for it. Raises as `forecast`."""
    moment = now(session)
    return forecast(
        session,
        mailing.edition_id,
        [chosen.list_id for chosen in mailing.lists],
        rate=mailing.rate,
        is_repeat=mailing.is_repeat,
        start=max(moment, mailing.scheduled_at or moment),
        narrowing=Narrowing.of(mailing),
        is_correction=mailing.is_correction,
        mailing_id=mailing.id,
    )


def _forecast(
    session: Session,
    newsletter_id: int,
    counts: dict[str, int],
    exclusions: dict[ExclusionReason, int],
    wanted: float | None,
    start: dt.datetime,
    window: Window | None,
) -> Forecast:
    usable = list_routes(session, newsletter_id)
    routes = usable or list_planned(session, newsletter_id)
    speed, limited_by = _speed(session, routes, wanted)
    paces, seconds_each = load_paces(session), _seconds_each(session)
    waits = {each.provider: each.until for each in list_suspensions(session)}
    total = sum(counts.values())
    basic = total / speed
    providers = []
    for name, count in sorted(counts.items(), key=lambda item: -item[1]):
        own = count / _takes(paces[name], seconds_each) if name in paces else 0.0
        begins = max(start, waits.get(name, start))
        work = max(own, basic) if begins == start else max(own, count / speed)
        finish_at = window.finish(begins, work) if window else begins + dt.timedelta(seconds=work)
        seconds = (finish_at - start).total_seconds()
        is_own = own > basic or begins > start
        reason = LimitedBy.PROVIDER if is_own else limited_by
        if window is not None and seconds > (begins - start).total_seconds() + work + 1:
            reason = LimitedBy.WINDOW
        providers.append(ProviderForecast(name, count, seconds, reason, waits.get(name)))
    slowest = max(providers, key=lambda item: item.seconds, default=None)
    seconds = slowest.seconds if slowest else 0.0
    decisive = slowest.limited_by if slowest else limited_by
    is_providers = decisive is LimitedBy.PROVIDER
    return Forecast(
        recipients=total,
        exclusions=exclusions,
        providers=tuple(providers),
        rate=speed,
        seconds=seconds,
        finish_at=start + dt.timedelta(seconds=seconds),
        limited_by=decisive,
        provider=slowest.provider if slowest and is_providers else None,
        relays=tuple(route.address.name for route in routes),
        is_relay_away=not usable,
    )


def _takes(group: Provider, seconds_each: Mapping[str, float]) -> float:
    """Messages a second that a provider takes of us: what its rates allow, and its places while each takes its time."""
    usual = seconds_each.get(group.name) or seconds_each.get(OTHER) or 1 / ASSUMED_PER_CONNECTION
    by_places = group.at_once / usual if group.at_once else math.inf
    return min(group.rate or math.inf, by_places)


def _seconds_each(session: Session) -> dict[str, float]:
    """How long one message of each provider takes from its first command to the last reply."""
    return {provider: float(seconds) for provider, seconds in session.execute(LATEST)}


def _speed(session: Session, routes: Sequence[Route], wanted: float | None) -> tuple[float, LimitedBy]:
    relay_rate = sum(route.rate or math.inf for route in routes)
    observed = _observed(session)
    if observed is not None:
        known = [(observed, LimitedBy.OBSERVED)]
    else:
        known = [(sum(route.address.connections for route in routes) * ASSUMED_PER_CONNECTION, LimitedBy.ASSUMED)]
    if relay_rate < math.inf:
        known.append((relay_rate, LimitedBy.RELAY))
    if wanted is not None:
        known.append((wanted, LimitedBy.MAILING))
    return min(known, key=lambda item: item[0])


def _observed(session: Session) -> float | None:
    """Messages per second of the last unhindered mailing that was large enough to tell."""
    seconds = func.extract("epoch", Mailing.finished_at - Mailing.started_at)
    speed = session.scalar(
        select(Mailing.roster_size / func.greatest(seconds, 1))
        .where(
            Mailing.state == MailingState.FINISHED,
            Mailing.roster_size >= TELLING,
            Mailing.rate.is_(None),
            Mailing.finished_at.is_not(None),
            Mailing.started_at.is_not(None),
        )
        .order_by(Mailing.finished_at.desc())
        .limit(1)
    )
    return float(speed) if speed else None
