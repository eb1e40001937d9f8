"""How it stands with the ways a mailing takes: each relay, and each provider that is left."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.dispatch.claiming import EVERYBODY
from mailer.dispatch.models import Relay, Suspension
from mailer.dispatch.pace.slowing import load_paces
from mailer.dispatch.relays.registry import relay_of_settings
from mailer.dispatch.relays.routing import list_candidates, prefer
from mailer.dispatch.relays.settings_look import find_look
from mailer.dispatch.suspending import list_slowed, list_suspensions
from mailer.errors import MailerError


class WayState(StrEnum):
    """What a relay or a provider is doing for us now."""

    OPEN = "open"
    SLOWED = "slowed"
    SUSPENDED = "suspended"
    # A relay that is not needed while the others can be used.
    RESERVE = "reserve"


@dataclass(frozen=True, slots=True)
class ProviderState:
    """A provider with deliveries left. `until` is when it is no longer suspended or slowed, `at_once` how many messages
    may be on their way to it (`None`: any number), `rate` its messages per second (`None`: no limit).
    """

    provider: str
    queued: int
    claimed: int
    state: WayState
    until: dt.datetime | None
    reply_class: str
    reply: str
    at_once: int | None
    rate: float | None


@dataclass(frozen=True, slots=True)
class RelayState:
    """A relay that this mailing may take. `is_reachable` and `probed_at` are of the sweep's last look."""

    name: str
    state: WayState
    weight: int
    rate: float | None
    until: dt.datetime | None
    reply_class: str
    reply: str
    is_reachable: bool | None = None
    probed_at: dt.datetime | None = None


def list_provider_states(session: Session, left: Mapping[str, tuple[int, int]]) -> list[ProviderState]:
    """Of `left`: provider -> (queued, claimed). Those with most left come first."""
    if not left:
        return []
    paces = load_paces(session)
    stops: dict[str, Suspension] = {each.provider: each for each in (*list_slowed(session), *list_suspensions(session))}
    states = []
    for name, (queued, claimed) in sorted(left.items(), key=lambda item: (-sum(item[1]), item[0])):
        stop, pace = stops.get(name), paces.get(name)
        states.append(
            ProviderState(
                provider=name,
                queued=queued,
                claimed=claimed,
                state=WayState(stop.kind) if stop else WayState.OPEN,
                until=stop.until if stop else None,
                reply_class=stop.reply_class if stop else "",
                reply=stop.reply if stop else "",
                at_once=pace.at_once if pace else None,
                rate=pace.rate if pace else None,
            )
        )
    return states


def list_relay_states(session: Session, newsletter_id: int) -> list[RelayState]:
    """Those that the newsletter's mail may take, whatever their state; none where none of those chosen is in use."""
    stops = {each.relay: each for each in list_suspensions(session) if each.provider == EVERYBODY}
    try:
        relays = list_candidates(session, newsletter_id)
        if not relays:
            return [_of_settings(stops)]
    except MailerError:
        return []
    used = {relay.id for relay in prefer([relay for relay in relays if relay.name not in stops])}
    return [_of_row(relay, stops.get(relay.name), is_used=relay.id in used) for relay in relays]


def list_all_relay_states(session: Session) -> dict[int, RelayState]:
    """Of every relay that is in use, by its id: for the admin."""
    stops = {each.relay: each for each in list_suspensions(session) if each.provider == EVERYBODY}
    relays = list(session.scalars(select(Relay).where(Relay.is_enabled).order_by(Relay.id)))
    used = {relay.id for relay in prefer([relay for relay in relays if relay.name not in stops])}
    return {relay.id: _of_row(relay, stops.get(relay.name), is_used=relay.id in used) for relay in relays}


def find_settings_state(session: Session) -> RelayState:
    """Of the relay of the settings, which all mail takes where no other is in use. Raises `SettingsError`."""
    return _of_settings({each.relay: each for each in list_suspensions(session) if each.provider == EVERYBODY})


def _of_row(relay: Relay, stop: Suspension | None, *, is_used: bool) -> RelayState:
    state = WayState.SUSPENDED if stop else WayState.OPEN if is_used else WayState.RESERVE
    return RelayState(
        name=relay.name,
        state=state,
        weight=relay.weight,
        rate=relay.rate,
        until=stop.until if stop else None,
        reply_class=stop.reply_class if stop else "",
        reply=stop.reply if stop else relay.probe_error,
        is_reachable=relay.is_reachable,
        probed_at=relay.probed_at,
    )


def _of_settings(stops: Mapping[str, Suspension]) -> RelayState:
    address, look = relay_of_settings(), find_look()
    stop = stops.get(address.name)
    return RelayState(
        name=address.name,
        state=WayState.SUSPENDED if stop else WayState.OPEN,
        weight=1,
        rate=None,
        until=stop.until if stop else None,
        reply_class=stop.reply_class if stop else "",
        reply=stop.reply if stop else look.reply if look else "",
        is_reachable=look.is_reachable if look else None,
        probed_at=look.at if look else None,
    )
