"""How many to claim next, of whom, and when each may go out: what the rates leave of a batch.

Fast limits (of the relay, of the mailing) are kept as messages go out: each waits for its token. Slow ones, and those
of a provider, are taken before the claim, so that nobody is held for minutes with a lease running.
"""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING

from mailer.dispatch.envelopes import Envelope
from mailer.dispatch.pace.buckets import Limit
from mailer.dispatch.pace.crowd import Crowd

if TYPE_CHECKING:
    from mailer.dispatch.claiming import Claim
    from mailer.dispatch.orders import Order
    from mailer.dispatch.sending_process import SendingProcess

# Below so many messages a second a token is taken before the claim.
SLOW = 2.0
# Tokens are fetched for a tenth of a second at a time: ten questions a second to Redis, whatever the rate.
CHUNK_SECONDS = 0.1
# Unused tokens of the last task are good for the next one if it comes at once.
SPARE_SECONDS = 1.0
# A provider's bucket keeps what flows in between two sweeps.
PROVIDER_SECONDS = 10.0
# The first claims are small: nobody knows yet how fast the relay is.
AHEAD_SECONDS = 2.0
# A provider whose places are all taken by other workers is asked for again.
PLACE_SECONDS = 0.5
# One whose places are taken by messages of this run.
SOON_SECONDS = 0.02


class Quotas:
    """Belongs to one run, on its event loop."""

    def __init__(self, order: "Order", process: "SendingProcess", *, batch_size: int) -> None:
        self._order, self._process, self._batch_size = order, process, batch_size
        limits = [
            Limit.per_second(key, rate)
            for key, rate in (
                (f"relay:{order.relay.name}", order.relay_rate),
                (f"mailing:{order.mailing_id}", order.mailing_rate),
            )
            if rate is not None
        ]
        self._fast = [limit for limit in limits if limit.rate >= SLOW]
        self._slow = [limit for limit in limits if limit.rate < SLOW]
        if self._fast:
            process.background(process.pacer.begin, self._fast)
        self._name = "+".join(limit.key for limit in self._fast)
        self._tokens = self._spare()
        self._turn = asyncio.Lock()
        # Of the last second, also in the run before this one: a relay does not become slow between two tasks.
        self._settled = process.settled_lately.setdefault(order.relay.name, [])
        self._batch = self._look_ahead()
        self.crowd = Crowd(
            [group for name in order.providers if (group := order.groups.get(name)) and group.at_once is not None]
        )
        # Seconds until another try makes sense, where tokens were all that was missing.
        self.wait: float | None = None

    @property
    def is_paced(self) -> bool:
        """Whether each message has to wait for its token."""
        return bool(self._fast)

    @property
    def low_water(self) -> int:
        """With so few left the next claim begins."""
        return self._batch // 2

    def _look_ahead(self) -> int:
        """How many to claim: what goes out in about two seconds, as far as one can tell."""
        now = time.monotonic()
        self._settled[:] = [(at, count) for at, count in self._settled if now - at < 1.0]
        recent = sum(count for _, count in self._settled)
        ahead = max(4 * self._order.relay.connections, AHEAD_SECONDS * recent)
        for limit in self._fast:
            ahead = min(ahead, limit.rate * AHEAD_SECONDS / 2)
        return max(1, min(self._batch_size, math.ceil(ahead)))

    def note(self, count: int) -> None:
        """So many were settled just now."""
        self._settled.append((time.monotonic(), count))

    async def take(self) -> tuple[dict[str, int], int]:
        """({provider: how many at most}, how many in all); empty where a token is missing, and `wait` says how long."""
        batch = self._batch = self._look_ahead()
        self.wait = None
        if self._slow:
            grant = await self._process.in_thread(self._process.pacer.take, self._slow, batch)
            if not grant.tokens:
                self.wait = grant.wait
                return {}, 0
            batch = grant.tokens
        if self.crowd.is_limited:
            await self._ask_for_places()
        limited, free = await self._ask_providers(batch)
        # Those with a rate of their own come first: their tokens are taken, and must not be lost to a full batch.
        rest = max(0, batch - sum(limited.values()))
        random.shuffle(free)
        quotas = dict(limited)
        for name in free:
            room = self.crowd.room(name)
            if rest:
                quotas[name] = rest if room is None else min(rest, room)
        return quotas, batch

    async def _ask_providers(self, batch: int) -> tuple[dict[str, int], list[str]]:
        limited: dict[str, int] = {}
        free: list[str] = []
        waits = []
        for name in self._order.providers:
            group, room = self._order.groups.get(name), self.crowd.room(name)
            if room == 0:
                waits.append(SOON_SECONDS if self.crowd.is_full(name) else PLACE_SECONDS)
                continue
            if group is None or group.rate is None:
                free.append(name)
                continue
            limit = Limit.per_second(f"provider:{name}", group.rate, seconds=PROVIDER_SECONDS)
            grant = await self._process.in_thread(self._process.pacer.take, [limit], min(batch, room or batch))
            if grant.tokens:
                limited[name] = grant.tokens
            else:
                waits.append(grant.wait)
        if not free and not limited:
            self.wait = min(waits) if waits else None
        return limited, free

    async def _ask_for_places(self) -> None:
        """How many messages may be on their way to each provider at a time, of all that the workers may have there."""
        places = self._process.places
        if places.is_due(self.crowd.wanted):
            await self._process.in_thread(places.take, self.crowd.wanted)
        # Relays that send side by side share what the process holds.
        index, count = self._order.part
        self.crowd.caps = {name: held // count + (index < held % count) for name, held in places.held.items()}

    def took(self, claims: "Sequence[Claim]") -> None:
        """These were claimed just now."""
        if self.crowd.is_limited:
            for claim in claims:
                self.crowd.claimed(claim.provider)
        if self._order.shares is not None:
            self._order.shares.took(self._order.relay.name, len(claims))

    def pace(self, _envelope: Envelope) -> Awaitable[None] | None:
        """`None` where this message's token is at hand, else what to wait for; whoever came first goes first."""
        if self._tokens and not self._turn.locked():
            self._tokens -= 1
            return None
        return self._wait_for_token()

    async def _wait_for_token(self) -> None:
        async with self._turn:
            while self._tokens < 1:
                chunk = max(1, min(50, int(min(limit.rate for limit in self._fast) * CHUNK_SECONDS)))
                grant = await self._process.in_thread(self._process.pacer.take, self._fast, chunk)
                self._tokens += grant.tokens
                if not grant.tokens:
                    await asyncio.sleep(grant.wait)
            self._tokens -= 1

    def _spare(self) -> int:
        at, tokens = self._process.spare_tokens.pop(self._name, (0.0, 0))
        return tokens if time.monotonic() - at < SPARE_SECONDS else 0

    def leave(self) -> None:
        """The run is over: tokens are kept for the next one of this process, places are for any worker."""
        if self._order.shares is not None:
            self._order.shares.leave(self._order.relay.name)
        if self.crowd.is_limited and (self._order.shares is None or self._order.shares.is_empty):
            self._process.background(self._process.places.release)
        if self._tokens:
            self._process.spare_tokens[self._name] = (time.monotonic(), self._tokens)
