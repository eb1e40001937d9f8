"""How many sign-ups are let in, from where, in an hour: what keeps the forms from being a weapon against mailboxes.

Every sign-up sends a letter at most, so bounding sign-ups bounds letters; each address has its own bound besides
(`correspondence.LETTERS_A_DAY`), which is kept in silence. In calm hours nobody notices anything. Under pressure a
proof of work buys a place in a wide lane; who cannot give one, for want of script, finds a narrow lane, one an hour for
each network. The windows move with the clock in Redis; while Redis is away the rows kept of the day are counted.
"""

import datetime as dt
import ipaddress
import logging
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache, partial

from limits import RateLimitItemPerHour
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError
from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from mailer.audience.door_models import Admission
from mailer.audience.rules import Verdict
from mailer.settings import Settings, get_settings

log = logging.getLogger(__name__)

# While Redis is away: one sign-up is counted at a time, so that two do not take the same last place.
_LOCK = 0x4D4C5355


class Gate(StrEnum):
    """What is counted."""

    IP = "ip"
    NETWORK = "network"
    # Everybody without a proof, in calm hours.
    CALM = "calm"
    # Under pressure, without a proof: one for each network, and all together.
    BARE_NETWORK = "bare_network"
    BARE = "bare"
    PROVEN = "proven"


# Takes a place behind a gate for an hour, with so many places; whether there was one.
Take = Callable[[Gate, int], bool]


def network_of(ip: str) -> str:
    """The /24 (IPv4) or /48 (IPv6) that an address belongs to: what one party usually holds."""
    address = ipaddress.ip_address(ip)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    prefix = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network(f"{address}/{prefix}", strict=False))


def admit(session: Session, ip: str | None, *, has_proof: bool) -> Verdict:
    """Takes a place for one sign-up from `ip`. The caller commits: the row that is kept is the durable count."""
    network = network_of(ip) if ip else None
    settings = get_settings()
    try:
        verdict = _judge(partial(_take_in_redis, ip, network), settings, is_from=ip is not None, has_proof=has_proof)
    except RedisError as error:
        log.warning("Redis is away, sign-ups are counted in the database: %s", type(error).__name__)
        session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        take = partial(_take_in_rows, session, ip, network, settings.sign_ups_per_hour)
        verdict = _judge(take, settings, is_from=ip is not None, has_proof=has_proof)
    if verdict is Verdict.LET_IN:
        session.add(Admission(ip=ip, network=network, has_proof=has_proof))
        session.flush()
    return verdict


def is_pressed(session: Session) -> bool:
    """Whether a sign-up without a proof of work may find no place: forms then ask for one."""
    places = get_settings().sign_ups_per_hour
    try:
        return not _limiter().test(RateLimitItemPerHour(places), *_name(Gate.CALM, None, None))
    except RedisError:
        return not _take_in_rows(session, None, None, places, Gate.CALM, places)


def _judge(take: Take, settings: Settings, *, is_from: bool, has_proof: bool) -> Verdict:
    """Behind a local socket there is no address (`is_from` is false), and its gates stand open."""
    if is_from and not take(Gate.IP, settings.sign_ups_per_ip):
        return Verdict.LATER
    if is_from and not take(Gate.NETWORK, settings.sign_ups_per_network):
        return Verdict.LATER
    if has_proof:
        return Verdict.LET_IN if take(Gate.PROVEN, settings.sign_ups_with_proof) else Verdict.LATER
    if take(Gate.CALM, settings.sign_ups_per_hour):
        return Verdict.LET_IN
    if (
        settings.sign_ups_without_proof
        and (not is_from or take(Gate.BARE_NETWORK, 1))
        and take(Gate.BARE, settings.sign_ups_without_proof)
    ):
        return Verdict.LET_IN
    return Verdict.PROVE


def _name(gate: Gate, ip: str | None, network: str | None) -> tuple[str, ...]:
    whose = {Gate.IP: ip, Gate.NETWORK: network, Gate.BARE_NETWORK: network}.get(gate)
    return ("mailer.sign_up", gate, whose or "")


def _take_in_redis(ip: str | None, network: str | None, gate: Gate, places: int) -> bool:
    return _limiter().hit(RateLimitItemPerHour(places), *_name(gate, ip, network))


@lru_cache(maxsize=2)
def _storage(url: str) -> RedisStorage:
    return RedisStorage(url, socket_connect_timeout=2, socket_timeout=2)


def _limiter() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(_storage(get_settings().redis_url.get_secret_value()))


def _take_in_rows(
    session: Session, ip: str | None, network: str | None, calm_places: int, gate: Gate, places: int
) -> bool:
    """The same by the rows of the past hour. Nothing is taken here: the row is, once the sign-up is let in."""
    conditions: dict[Gate, ColumnElement[bool]] = {
        Gate.IP: Admission.ip == ip,
        Gate.NETWORK: Admission.network == network,
        Gate.BARE_NETWORK: (Admission.network == network) & Admission.has_proof.is_(False),
        Gate.PROVEN: Admission.has_proof.is_(True),
    }
    condition = conditions.get(gate, Admission.has_proof.is_(False))
    an_hour_ago = func.now() - dt.timedelta(hours=1)
    query = select(func.count()).select_from(Admission).where(Admission.created_at > an_hour_ago, condition)
    # The narrow lane begins where the places of a calm hour end.
    return (session.scalar(query) or 0) < (calm_places + places if gate is Gate.BARE else places)


def forget(session: Session) -> int:
    """Rows of more than a day ago; gives back how many."""
    result = session.execute(text("DELETE FROM admissions WHERE created_at < now() - interval '1 day'"))
    session.execute(text("DELETE FROM spent_proofs WHERE created_at < now() - interval '1 day'"))
    return int(result.rowcount)  # type: ignore[attr-defined]
