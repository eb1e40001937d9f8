"""Places at a provider, shared by every worker of every host: so many of our messages are on their way to it at a time.

A process leases as many as are free, renews them while it sends and gives them back; those of one that died run out by
Redis's clock. While Redis is away each process keeps to a cautious share, at least one: it cannot know of the others.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from mailer.dispatch.pace.buckets import AWAY_SECONDS, AWAY_SHARE

PREFIX = "mailer:places:"
# A lease, and how soon it is renewed.
LEASE_SECONDS = 15
RENEW_SECONDS = 1.0

# KEYS: one hash for each provider, process -> "places until". ARGV: the process, the lease, then the limit of each.
# Returns how many places of each the process holds: all that the others have left.
TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1])
local held = {}
for i, key in ipairs(KEYS) do
  local left = tonumber(ARGV[i + 2])
  local entries = redis.call('HGETALL', key)
  for j = 1, #entries, 2 do
    local places, ends = string.match(entries[j + 1], '^(%d+) (%d+)$')
    if not places or tonumber(ends) <= now then
      redis.call('HDEL', key, entries[j])
    elseif entries[j] ~= ARGV[1] then
      left = left - tonumber(places)
    end
  end
  held[i] = math.max(0, left)
  if held[i] > 0 then
    redis.call('HSET', key, ARGV[1], held[i] .. ' ' .. (now + tonumber(ARGV[2])))
    redis.call('EXPIRE', key, 2 * tonumber(ARGV[2]))
  else
    redis.call('HDEL', key, ARGV[1])
  end
end
return held
"""


class Places:
    """Of one process. Calls block for a round trip to Redis: the event loop asks in a thread."""

    def __init__(self, redis: Redis, owner: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis, self._owner, self._clock = redis, owner, clock
        self._take: Any = redis.register_script(TAKE)
        self._away_until = 0.0
        self._asked_at = float("-inf")
        self._wanted: dict[str, int] = {}
        self.held: dict[str, int] = {}

    def is_due(self, wanted: Mapping[str, int]) -> bool:
        """Whether it is time to ask again: the lease ages, the limits are others, or a provider had no place free."""
        return (
            dict(wanted) != self._wanted
            or self._clock() - self._asked_at >= RENEW_SECONDS
            or not all(self.held.get(name) for name in wanted)
        )

    def take(self, wanted: Mapping[str, int]) -> dict[str, int]:
        """Provider -> places this process may use until the next call, of `wanted` over all processes."""
        self._asked_at, self._wanted = self._clock(), dict(wanted)
        names = list(wanted)
        if self._clock() >= self._away_until:
            try:
                counts = self._take(
                    keys=[PREFIX + name for name in names],
                    args=[self._owner, LEASE_SECONDS, *(wanted[name] for name in names)],
                )
            except (RedisError, OSError):
                self._away_until = self._clock() + AWAY_SECONDS
            else:
                self.held = {name: int(count) for name, count in zip(names, counts, strict=True)}
                return self.held
        self.held = {name: max(1, int(wanted[name] * AWAY_SHARE)) for name in names}
        return self.held

    def release(self) -> None:
        """Gives all of them back; where Redis is away they run out by themselves."""
        names, self._wanted, self.held = list(self._wanted), {}, {}
        self._asked_at = float("-inf")
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.hdel(PREFIX + name, self._owner)
                pipe.execute()
        except (RedisError, OSError):
            return
