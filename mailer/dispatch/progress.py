"""How far a mailing is: for its page, which asks every two seconds while it is sent."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.db import now
from mailer.dispatch.counting import count_deliveries
from mailer.dispatch.exclusions import get_exclusions
from mailer.dispatch.finishing import list_queued_providers
from mailer.dispatch.models import Delivery, Mailing, Suspension
from mailer.dispatch.pace.buckets import Meter, connect
from mailer.dispatch.pace.slowing import load_paces
from mailer.dispatch.pace.window_hours import Window
from mailer.dispatch.pace.windows import find_window
from mailer.dispatch.relays.routing import has_route
from mailer.dispatch.rules import PENDING, DeliveryState, ExclusionReason, MailingState, SuspensionKind
from mailer.dispatch.suspending import list_suspensions
from mailer.dispatch.way_states import ProviderState, RelayState, list_provider_states, list_relay_states
from mailer.i18n import N_
from mailer.queue import HEARTBEAT_KEY
from mailer.settings import get_settings

# Without progress for so long a mailing stands still, and its page says so.
STALL = dt.timedelta(minutes=5)
# A sweep leaves its time every few seconds.
HEARTBEAT = dt.timedelta(seconds=60)

NO_WORKER = N_("No worker is at work: start the worker and beat, and look at their logs.")
NO_REDIS = N_("Redis does not answer: the workers learn of nothing. Sending goes on by itself once it is back.")
DISK_FULL = N_("The workers cannot write their journals: make room on their disk. Sending goes on by itself.")
RELAY_AWAY = N_("The relay does not take our mail. It is tried again at least once a minute.")
ALL_SUSPENDED = N_("Every provider that is left has asked us to slow down. Sending goes on by itself.")
PREPARING = N_("The roster is still being prepared. If this lasts, look at the worker's log.")
NOBODY_KNOWS = N_("Nothing has gone out for five minutes, and there is no known cause. Look at the worker's log.")


@dataclass(frozen=True, slots=True)
class Progress:
    """What a mailing's page shows.

    `states` has every state; their sum is the roster. `rate_per_second` is of the last seconds; `finish_at` follows
    from it and from the providers' limits, `None` where nothing can be said. `stall` is a gettext id. `next_attempt_at`
    is when the next deferred one is due, where all that is left waits.
    """

    states: dict[DeliveryState, int]
    roster: int | None
    exclusions: dict[ExclusionReason, int]
    rate_per_second: float | None
    finish_at: dt.datetime | None
    stall: str | None
    suspensions: list[Suspension]
    next_attempt_at: dt.datetime | None = None
    # Outside its sending window: when that opens; within it: when it closes.
    opens_at: dt.datetime | None = None
    closes_at: dt.datetime | None = None
    providers: list[ProviderState] = field(default_factory=list)
    relays: list[RelayState] = field(default_factory=list)

    @property
    def pending(self) -> int:
        """Still to be settled."""
        return self.states[DeliveryState.QUEUED] + self.states[DeliveryState.CLAIMED]


def get_progress(session: Session, mailing: Mailing) -> Progress:
    """Counts from the ledger itself, in one snapshot; of a long roster as it was a few seconds ago (`counting`)."""
    states = dict.fromkeys(DeliveryState, 0)
    left: dict[str, tuple[int, int]] = {}
    for (state, provider), count in count_deliveries(session, mailing).items():
        states[state] += count
        if state in PENDING:
            queued, claimed = left.get(provider, (0, 0))
            left[provider] = (queued + count, claimed) if state is DeliveryState.QUEUED else (queued, claimed + count)
    pending = states[DeliveryState.QUEUED] + states[DeliveryState.CLAIMED]
    moment = now(session)
    is_sending = mailing.state == MailingState.SENDING
    suspensions = list_suspensions(session) if is_sending else []
    due_at = _next_attempt(session, mailing) if is_sending and states[DeliveryState.QUEUED] else None
    waits_until = due_at if due_at and due_at > moment and not states[DeliveryState.CLAIMED] else None
    rate, beat = _ask_redis(mailing.id)
    window = find_window(session, newsletter_id=mailing.newsletter_id, mailing_id=mailing.id) if is_sending else None
    closes_at = window.closes_at(moment) if window else None
    opens_at = window.opens_at(moment) if window and closes_at is None else None
    stall = None if waits_until or opens_at else _stall(session, mailing, moment, suspensions, beat)
    if stall and window and window.opened_at(moment) > moment - STALL:
        # It was shut, and has only just been opened.
        stall = None
    return Progress(
        states=states,
        roster=mailing.roster_size,
        exclusions=get_exclusions(session, mailing),
        rate_per_second=rate if is_sending else None,
        finish_at=_finish_at(session, left, pending, rate, waits_until or moment, window) if is_sending else None,
        stall=stall,
        suspensions=suspensions,
        next_attempt_at=waits_until,
        opens_at=opens_at,
        closes_at=closes_at,
        providers=list_provider_states(session, left) if is_sending else [],
        relays=list_relay_states(session, mailing.newsletter_id) if is_sending else [],
    )


def _ask_redis(mailing_id: int) -> tuple[float | None, dt.datetime | None]:
    """(deliveries settled per second lately, time of the last sweep); `None` for what is not known."""
    with connect(get_settings().redis_url.get_secret_value()) as redis:
        rate = Meter(redis).rate(mailing_id)
        try:
            beat = redis.get(HEARTBEAT_KEY)
        except (RedisError, OSError):
            return rate, None
    return rate, dt.datetime.fromtimestamp(float(beat), dt.UTC) if beat else dt.datetime.fromtimestamp(0, dt.UTC)


def _next_attempt(session: Session, mailing: Mailing) -> dt.datetime | None:
    """When the first of those queued is due: one look into the index for each provider."""
    times = [
        session.scalar(
            select(func.min(Delivery.next_attempt_at)).where(
                Delivery.mailing_id == mailing.id,
                Delivery.provider == provider,
                Delivery.state == DeliveryState.QUEUED,
            )
        )
        for provider in list_queued_providers(session, mailing.id)
    ]
    return min((moment for moment in times if moment), default=None)


def _finish_at(
    session: Session,
    left: Mapping[str, tuple[int, int]],
    pending: int,
    rate: float | None,
    start: dt.datetime,
    window: Window | None,
) -> dt.datetime | None:
    """From how fast it goes now, and from what each provider takes and when; within the window."""
    if not pending or not rate:
        return None
    paces = load_paces(session)
    stops = {each.provider: each.until for each in list_suspensions(session)}
    ends = []
    for provider, (queued, claimed) in left.items():
        pace = paces.get(provider)
        own = (queued + claimed) / pace.rate if pace is not None and pace.rate else 0.0
        begins = max(start, stops.get(provider, start))
        seconds = max(own, pending / rate if begins == start else 0.0)
        ends.append(window.finish(begins, seconds) if window else begins + dt.timedelta(seconds=seconds))
    return max(ends, default=None)


def _stall(
    session: Session,
    mailing: Mailing,
    moment: dt.datetime,
    suspensions: list[Suspension],
    beat: dt.datetime | None,
) -> str | None:
    """Why nothing moves, once nothing has moved for `STALL`."""
    since = _last_progress(mailing)
    if since is None or moment - since < STALL:
        return None
    suspended = {each.provider for each in suspensions if each.kind == SuspensionKind.SUSPENDED}
    if beat is None:
        return NO_REDIS
    if moment - beat > HEARTBEAT:
        return NO_WORKER
    if mailing.state == MailingState.PREPARING:
        return PREPARING
    if any(each.reply_class == "journal" for each in suspensions):
        return DISK_FULL
    if not has_route(session, mailing.newsletter_id):
        return RELAY_AWAY
    if suspended and suspended.issuperset(list_queued_providers(session, mailing.id)):
        return ALL_SUSPENDED
    # A rate of a few an hour is no fault.
    return NOBODY_KNOWS if moment - since > _patience(session, mailing) else None


def _patience(session: Session, mailing: Mailing) -> dt.timedelta:
    """Twice what lies between two messages at the rate that was chosen, or the best of the providers that are left."""
    paces = load_paces(session)
    rates = [paces[name].rate if name in paces else None for name in list_queued_providers(session, mailing.id)]
    known = [rate for rate in rates if rate]
    best = max(known) if known and len(known) == len(rates) else None
    apart = max((1 / rate for rate in (mailing.rate, best) if rate), default=0.0)
    return dt.timedelta(seconds=2 * apart)


def _last_progress(mailing: Mailing) -> dt.datetime | None:
    if mailing.state == MailingState.PREPARING:
        return mailing.launched_at
    if mailing.state == MailingState.SENDING:
        return max((at for at in (mailing.progressed_at, mailing.started_at) if at), default=None)
    return None
