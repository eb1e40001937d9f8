"""What a run holds of the ledger, and whether it may still go out.

Every half second the database is asked for the mailing's state, and of each older claim whether it is still ours and
still allowed. What has waited for two seconds goes out on such an answer only: so pause, cancel and an unsubscription
take effect within two seconds, and a process that slept through its lease sends nothing that is no longer its own.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from mailer.db import session_scope
from mailer.dispatch import claiming, outcomes
from mailer.dispatch.claiming import Claim
from mailer.dispatch.models import Mailing
from mailer.dispatch.orders import Order
from mailer.dispatch.outcomes import Settlement
from mailer.dispatch.rules import MailingState, SkipReason
from mailer.dispatch.sending_process import SendingProcess
from mailer.settings import get_settings

logger = logging.getLogger(__name__)

# What has waited longer is looked at again before it goes out.
FRESH_SECONDS = 2.0
# How often that look is taken, of everything that is half as old.
WATCH_SECONDS = 0.5


@dataclass(slots=True)
class Held:
    """A claim of ours that is not settled yet; `since` is when its claiming began, `renewed_at` its lease."""

    claim: Claim
    claimed_by: str
    since: float
    renewed_at: float


class Holding:
    """The claims of one run, on its event loop; `state` is the mailing's as the database last told it."""

    def __init__(self, order: Order, process: SendingProcess) -> None:
        self._order, self._process = order, process
        self._key = process.mailings.key
        self._held: dict[int, Held] = {}
        self._allowed: dict[int, SkipReason | None] = {}
        # Providers that were suspended while we held mail for them.
        self._suspended: set[str] = set()
        self._checked_at = 0.0
        self.state = MailingState.SENDING

    def take(self, claims: Iterable[Claim], token: str, since: float) -> None:
        """These were claimed, in a claim called `token` that began at `since`."""
        claimed_by = claiming.holder(self._key, token)
        for claim in claims:
            self._held[claim.delivery_id] = Held(claim, claimed_by, since, since)

    def __getitem__(self, delivery_id: int) -> Held:
        return self._held[delivery_id]

    def forget(self, delivery_ids: Iterable[int]) -> None:
        """They are settled."""
        for delivery_id in delivery_ids:
            self._held.pop(delivery_id, None)
            self._allowed.pop(delivery_id, None)

    def object_to(self, delivery_id: int) -> Settlement | None:
        """Why a claim must not go out now, as its settlement; `None` where it may."""
        held = self._held[delivery_id]
        if self.state is MailingState.CANCELLED:
            return outcomes.skip(delivery_id, held.claimed_by, SkipReason.CANCELLED)
        now = time.monotonic()
        if self.state is not MailingState.SENDING or now >= self._order.closes_at:
            return outcomes.give_back(delivery_id, held.claimed_by)
        if self._suspended and held.claim.provider in self._suspended:
            return outcomes.give_back(delivery_id, held.claimed_by)
        reason = self._allowed.get(delivery_id)
        if reason is not None:
            return outcomes.skip(delivery_id, held.claimed_by, reason)
        if now - held.since <= FRESH_SECONDS:
            return None
        # The database has not been heard of, or says that the claim is no longer ours.
        if now - self._checked_at > FRESH_SECONDS or delivery_id not in self._allowed:
            return outcomes.give_back(delivery_id, held.claimed_by)
        return None

    async def watch(self) -> None:
        """Looks again and again, and renews leases. Ends with the run."""
        while True:
            began = time.monotonic()
            older = [key for key, held in self._held.items() if began - held.since > FRESH_SECONDS / 2]
            try:
                state, allowed, self._suspended = await self._process.in_thread(self._look, older, began)
            except DBAPIError:
                # Nothing older than `FRESH_SECONDS` goes out until the database is heard of again.
                logger.warning("mailing %d: the database did not answer a look", self._order.mailing_id)
            else:
                self.state, self._allowed, self._checked_at = state, allowed, began
            await asyncio.sleep(max(0.05, WATCH_SECONDS - (time.monotonic() - began)))

    def _look(self, older: list[int], began: float) -> tuple[MailingState, dict[int, SkipReason | None], set[str]]:
        lease = get_settings().lease_seconds
        with session_scope() as session:
            state = session.scalar(select(Mailing.state).where(Mailing.id == self._order.mailing_id))
            allowed = claiming.recheck(session, self._key, older) if older else {}
            suspended = claiming.list_suspended(session)
            ending = [held for key in older if (held := self._held.get(key)) and began - held.renewed_at > lease / 3]
            if ending:
                claiming.renew(session, self._key, [held.claim.delivery_id for held in ending], lease)
        for held in ending:
            held.renewed_at = began
        return MailingState(state) if state else MailingState.CANCELLED, allowed, suspended
