"""How many messages are on their way to a provider at a time: what is beyond its places waits aside for one.

It waits beside the queue and not in it, so that no reader of another provider stands behind it.
"""

import math
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mailer.dispatch.pace.providers import Provider

if TYPE_CHECKING:
    from mailer.dispatch.claiming import Claim


class Crowd:
    """Of one run, on its event loop. `caps` are the places this process holds, by provider."""

    def __init__(self, groups: Sequence[Provider]) -> None:
        self._groups = {group.name: group for group in groups}
        self.wanted = {group.name: group.at_once or 0 for group in groups}
        self.caps: dict[str, int] = {}
        self._flying = dict.fromkeys(self._groups, 0)
        # Claimed and without a result, on their way or not.
        self._held = dict.fromkeys(self._groups, 0)
        self._parked: dict[str, deque[Claim]] = {name: deque() for name in self._groups}
        # When the run's time is over, on the monotonic clock: nothing more sets out for these providers then.
        self.closes_at = math.inf

    @property
    def is_closed(self) -> bool:
        """Whether what is on its way to them is only waited for."""
        return time.monotonic() >= self.closes_at

    @property
    def is_flying(self) -> bool:
        """Whether any message is on its way to one of them."""
        return any(self._flying.values())

    @property
    def is_limited(self) -> bool:
        """Whether any provider of this run has a limit at all."""
        return bool(self._groups)

    def limits(self, provider: str) -> bool:
        """Whether mail to it may have to wait for a place."""
        return provider in self._flying

    def room(self, provider: str) -> int | None:
        """How many more may be claimed of it: what so many connections carry before they are left; `None`: any."""
        group = self._groups.get(provider)
        if group is None:
            return None
        if self.is_closed:
            return 0
        whole = self.caps.get(provider, 0) * group.messages_per_connection
        room = whole - self._held[provider]
        # Claims of a few rows each would cost more than they bring.
        return room if room > whole / 2 else 0

    def is_full(self, provider: str) -> bool:
        """Whether it has places, and is only waited for until they are free again."""
        return self.caps.get(provider, 0) > 0

    def claimed(self, provider: str) -> None:
        """One more is held."""
        if provider in self._held:
            self._held[provider] += 1

    def admit(self, waiting: "deque[Claim]") -> "Claim | None":
        """The next that may go, those that waited aside first; what has to wait is taken out of `waiting`."""
        is_closed = self.is_closed
        for name, parked in self._parked.items():
            if parked and not is_closed and self._is_free(name):
                self._flying[name] += 1
                return parked.popleft()
        while waiting:
            claim = waiting.popleft()
            if claim.provider not in self._flying:
                return claim
            if not is_closed and self._is_free(claim.provider):
                self._flying[claim.provider] += 1
                return claim
            self._parked[claim.provider].append(claim)
        return None

    def came_back(self, provider: str) -> None:
        """One that went has its result."""
        if provider in self._flying:
            self._flying[provider] -= 1
            self._held[provider] -= 1

    @property
    def has_parked(self) -> bool:
        """Whether any waits aside."""
        return any(self._parked.values())

    @property
    def has_room_for_parked(self) -> bool:
        """Whether one that waits aside may go now."""
        return not self.is_closed and any(parked and self._is_free(name) for name, parked in self._parked.items())

    def parked(self) -> "Iterator[Claim]":
        """Those that still wait aside; they are given back when the run ends."""
        for parked in self._parked.values():
            yield from parked

    def _is_free(self, provider: str) -> bool:
        # A place that was taken away in the middle of a run lets what is held go out one by one.
        return self._flying[provider] < max(1, self.caps.get(provider, 0))
