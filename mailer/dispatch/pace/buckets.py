"""How fast: token buckets in Redis, shared by every worker of every host.

A bucket fills by Redis's clock and starts *empty*: one that is new, or was lost with its Redis, never lets a burst
through. Several buckets are asked at once and nothing is taken unless all of them have it. While Redis is away each
process keeps to a cautious rate of its own (`AWAY_SHARE` of the limit: it cannot know how many others there are),
rather than bursting or standing still.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

PREFIX = "mailer:pace:"
AWAY_SHARE = 0.25
# How long Redis is left alone after it failed, so that a dead one costs one timeout in a while and not one per message.
AWAY_SECONDS = 2.0

# KEYS: buckets. ARGV: tokens wanted, then rate and burst of each bucket. Returns {granted, seconds until one more}.
# A clock that was set back refunds nothing; a level is kept as text because Lua hands Redis integers otherwise.
TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local granted = tonumber(ARGV[1])
local wait = 0
local levels = {}
for i, key in ipairs(KEYS) do
  local rate, burst = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local bucket = redis.call('HMGET', key, 'level', 'at')
  local level, at = tonumber(bucket[1]) or 0, tonumber(bucket[2]) or now
  level = math.min(burst, level + math.max(0, now - at) * rate)
  levels[i] = level
  granted = math.min(granted, math.floor(level + 0.000001))
  if level < 1 then wait = math.max(wait, (1 - level) / rate) end
end
for i, key in ipairs(KEYS) do
  local rate, burst = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  redis.call('HSET', key, 'level', string.format('%.9f', levels[i] - granted), 'at', string.format('%.6f', now))
  redis.call('EXPIRE', key, math.ceil(burst / rate) + 3600)
end
return {granted, string.format('%.6f', wait)}
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket: `rate` tokens a second flow in, at most `burst` (at least 1) are kept."""

    key: str
    rate: float
    burst: float

    @classmethod
    def per_second(cls, key: str, rate: float, *, seconds: float = 1.0) -> "Limit":
        """Keeps what flows in during `seconds`: as much lateness as is made up for afterwards."""
        return cls(key, rate, max(1.0, rate * seconds))


@dataclass(frozen=True, slots=True)
class Grant:
    """Tokens taken, and where there was none the seconds until the next one."""

    tokens: int
    wait: float


@dataclass(slots=True)
class _Bucket:
    """One limit's local stand-in while Redis is away; it starts empty as well."""

    level: float
    at: float


class Pacer:
    """Takes tokens for one process. Calls block for a round trip to Redis: the event loop asks it in a thread."""

    def __init__(self, redis: Redis, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._take: Any = redis.register_script(TAKE)
        self._clock = clock
        self._away_until = 0.0
        self._local: dict[str, _Bucket] = {}

    @property
    def is_away(self) -> bool:
        """Whether Redis did not answer lately, and the cautious rate is kept."""
        return self._clock() < self._away_until

    def take(self, limits: Sequence[Limit], wanted: int) -> Grant:
        """Up to `wanted` tokens, the same number from every one of `limits`; without limits all of them."""
        if not limits or wanted <= 0:
            return Grant(max(0, wanted), 0.0)
        return self._ask(limits, wanted)

    def begin(self, limits: Sequence[Limit]) -> None:
        """From now on they fill, those that are new: what comes before the first message (a claim, a connection) is
        then lateness like any other, and made up for.
        """
        if limits:
            self._ask(limits, 0)

    def _ask(self, limits: Sequence[Limit], wanted: int) -> Grant:
        if not self.is_away:
            try:
                return self._take_shared(limits, wanted)
            except (RedisError, OSError):
                self._away_until = self._clock() + AWAY_SECONDS
        return self._take_local(limits, wanted)

    def _take_shared(self, limits: Sequence[Limit], wanted: int) -> Grant:
        numbers = [number for limit in limits for number in (limit.rate, limit.burst)]
        granted, wait = self._take(keys=[PREFIX + limit.key for limit in limits], args=[wanted, *numbers])
        self._local.clear()
        return Grant(int(granted), float(wait))

    def _take_local(self, limits: Sequence[Limit], wanted: int) -> Grant:
        moment, granted, wait = self._clock(), float(wanted), 0.0
        buckets = []
        for limit in limits:
            rate = limit.rate * AWAY_SHARE
            bucket = self._local.setdefault(limit.key, _Bucket(0.0, moment))
            bucket.level = min(limit.burst, bucket.level + (moment - bucket.at) * rate)
            bucket.at = moment
            buckets.append(bucket)
            granted = min(granted, math.floor(bucket.level + 1e-6))
            if bucket.level < 1:
                wait = max(wait, (1 - bucket.level) / rate)
        for bucket in buckets:
            bucket.level -= granted
        return Grant(int(granted), wait)


class Meter:
    """How many deliveries each mailing settled in each of the last seconds: for the live page, and no more than that.

    Kept in Redis, where losing it costs a blank figure for a minute.
    """

    SECONDS = 20

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def note(self, mailing_id: int, count: int) -> None:
        """Counts `count` deliveries as settled now. A Redis that is away is no error."""
        try:
            second = int(time.time())
            with self._redis.pipeline(transaction=False) as pipe:
                pipe.incrby(self._key(mailing_id, second), count)
                pipe.expire(self._key(mailing_id, second), 3 * self.SECONDS)
                pipe.execute()
        except (RedisError, OSError):
            return

    def rate(self, mailing_id: int) -> float | None:
        """Deliveries settled per second over the last whole seconds; `None` where nothing is known."""
        second = int(time.time())
        try:
            counts = self._redis.mget([self._key(mailing_id, second - back) for back in range(1, self.SECONDS + 1)])
        except (RedisError, OSError):
            return None
        known = [int(count or 0) for count in counts]
        # From the first second that counted anything: a send that began three seconds ago is not averaged over twenty.
        while known and known[-1] == 0:
            known.pop()
        return sum(known) / len(known) if known else 0.0

    @staticmethod
    def _key(mailing_id: int, second: int) -> str:
        return f"mailer:meter:{mailing_id}:{second}"


def connect(url: str) -> Redis:
    """A client that fails within a second: pacing has its own answer to a Redis that is away."""
    return Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0, retry_on_timeout=False)
