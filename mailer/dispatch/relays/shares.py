"""Each relay its share: weights kept among relays that send side by side.

Start-time fair queueing (Goyal, Vin and Cheng 1996) over claims: each relay's clock moves by messages / weight, and one
that is ahead of the others waits until they have caught up. Nobody waits for a relay that stands still, nor for one
with a rate of its own, which is slow on purpose; and whoever stood still does not make up for it in a burst.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# One that has taken nothing for so long stands still.
STILL_SECONDS = 3.0


@dataclass(slots=True)
class _Clock:
    weight: int
    holds_others: bool
    moved_at: float
    at: float = 0.0


class Shares:
    """For the runs of one process that send one mailing by several relays; on its event loop."""

    # How soon one that is ahead looks again.
    WAIT_SECONDS = 0.02

    def __init__(
        self,
        weights: Mapping[str, int],
        paced: frozenset[str] = frozenset(),
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`weights` by name of the relay; those in `paced` hold back nobody."""
        self._now = now
        began = now()
        self._clocks = {name: _Clock(weight, name not in paced, began) for name, weight in weights.items()}

    def may_take(self, name: str) -> bool:
        """Whether this relay's turn has come."""
        mine = self._clocks.get(name)
        if mine is None:
            return True
        others = self._moving(besides=name)
        if self._now() - mine.moved_at > STILL_SECONDS and others:
            # What it did not take while it stood still is gone.
            mine.at = max(mine.at, min(others))
        return not others or mine.at <= min(others)

    def took(self, name: str, count: int) -> None:
        """It has claimed so many."""
        if (mine := self._clocks.get(name)) is not None:
            mine.at += count / mine.weight
            mine.moved_at = self._now()

    def leave(self, name: str) -> None:
        """Its run is over: the others no longer wait for it."""
        self._clocks.pop(name, None)

    @property
    def is_empty(self) -> bool:
        """Whether all have left."""
        return not self._clocks

    def _moving(self, besides: str) -> list[float]:
        moment = self._now()
        return [
            clock.at
            for name, clock in self._clocks.items()
            if name != besides and clock.holds_others and moment - clock.moved_at <= STILL_SECONDS
        ]
