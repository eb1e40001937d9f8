"""Which relays a newsletter's mail may take now: those in use, or those chosen for it; the others take over an outage.

A relay that cannot be reached is left alone by itself (a row of `suspensions` with its name). Relays of weight 0 are a
reserve: they are used while none of the others can be.
"""

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.dispatch.models import NewsletterRelay, Relay
from mailer.dispatch.relays.registry import address_of, relay_of_settings
from mailer.dispatch.smtp.relay import RelayAddress
from mailer.dispatch.suspending import list_suspended_relays
from mailer.errors import RuleError
from mailer.i18n import N_

logger = logging.getLogger(__name__)

NONE_IN_USE = N_("None of the relays chosen for this newsletter is in use.")


@dataclass(frozen=True, slots=True)
class Route:
    """A relay that mail may take, its messages per second over all workers (`None`: as it takes them), its share."""

    address: RelayAddress
    rate: float | None = None
    weight: int = 1


def list_routes(session: Session, newsletter_id: int | None = None) -> list[Route]:
    """Those that may be used at this moment; none where all of them are left alone for a while.

    Raises `RuleError` where a person has to act: none is in use, or the passwords cannot be read.
    """
    relays = list_candidates(session, newsletter_id)
    suspended = list_suspended_relays(session)
    if not relays:
        address = relay_of_settings()
        return [] if address.name in suspended else [Route(address)]
    routes, unreadable = [], None
    for relay in prefer([relay for relay in relays if relay.name not in suspended]):
        try:
            routes.append(Route(address_of(relay), relay.rate, max(1, relay.weight)))
        except RuleError as error:
            logger.warning("relay %d: %s", relay.id, error.message)
            unreadable = error
    if not routes and unreadable is not None:
        raise unreadable
    return routes


def list_planned(session: Session, newsletter_id: int | None = None) -> list[Route]:
    """Those that would be used if none of them were left alone: for a forecast. Raises as `list_routes`."""
    relays = list_candidates(session, newsletter_id)
    if not relays:
        return [Route(relay_of_settings())]
    return [Route(address_of(relay), relay.rate, max(1, relay.weight)) for relay in prefer(relays)]


def prefer(relays: Sequence[Relay]) -> list[Relay]:
    """Of those that can be used: the ones with a share, or the reserve where there are none."""
    return [relay for relay in relays if relay.weight > 0] or list(relays)


def list_candidates(session: Session, newsletter_id: int | None = None) -> list[Relay]:
    """The relays in use that a newsletter's mail may take, suspended or not; none where it is that of the settings.

    Raises `RuleError` where none of those chosen for it is in use.
    """
    enabled = list(session.scalars(select(Relay).where(Relay.is_enabled).order_by(Relay.id)))
    chosen = find_choice(session, newsletter_id) if newsletter_id is not None else set()
    if not chosen:
        return enabled
    found = [relay for relay in enabled if relay.id in chosen]
    if not found:
        raise RuleError(NONE_IN_USE)
    return found


def has_route(session: Session, newsletter_id: int | None = None) -> bool:
    """Whether mail can leave now, or a person must hear why it cannot: only outages make it wait."""
    try:
        return bool(list_routes(session, newsletter_id))
    except RuleError:
        return True


def pick(routes: Sequence[Route]) -> Route:
    """One of them by chance, as often as its weight says: for a letter, which goes out alone."""
    return random.choices(routes, [route.weight for route in routes])[0]  # noqa: S311  (a share, not a secret)


def find_choice(session: Session, newsletter_id: int) -> set[int]:
    """The relays chosen for a newsletter; empty where it takes all that are in use."""
    return set(session.scalars(select(NewsletterRelay.relay_id).where(NewsletterRelay.newsletter_id == newsletter_id)))


def choose(session: Session, newsletter_id: int, relay_ids: Sequence[int], *, by: Account | None) -> None:
    """Binds a newsletter's mail to these relays; none of them lets it take all that are in use. Audited."""
    wanted = sorted(set(relay_ids))
    known = set(session.scalars(select(Relay.id).where(Relay.id.in_(wanted))))
    if len(known) != len(wanted):
        raise RuleError(N_("There is no such relay."))
    session.execute(delete(NewsletterRelay).where(NewsletterRelay.newsletter_id == newsletter_id))
    session.add_all(NewsletterRelay(newsletter_id=newsletter_id, relay_id=number) for number in wanted)
    session.flush()
    record(
        session,
        by=by,
        action="newsletter.relays_chosen",
        subject_type="newsletter",
        subject_id=newsletter_id,
        relay_ids=wanted,
    )
