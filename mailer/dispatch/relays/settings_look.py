"""What the sweep found when it knocked at the relay of the settings, which has no row of its own: kept in Redis.

Losing it costs a minute: after that it is asked again.
"""

import datetime as dt
import json
from dataclasses import dataclass

from redis import Redis
from redis.exceptions import RedisError

from mailer.dispatch.pace.buckets import connect
from mailer.settings import get_settings

PREFIX = "mailer:relay-of-settings:"
TURN, SEEN, LOOK = PREFIX + "turn", PREFIX + "seen", PREFIX + "look"
# How long a look is told of; it is taken more often than that.
KEPT = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SettingsLook:
    """Whether it answered as it should when it was last asked, else what it said."""

    at: dt.datetime
    is_reachable: bool
    reply: str


def take_turn(*, again: int) -> bool:
    """Whether it is to be asked now, by this sweep and no other for `again` seconds.

    The first time of all it is only noted: a service that has just been started is not judged by what has not come up.
    """
    try:
        with _connect() as redis:
            return bool(redis.set(TURN, 1, nx=True, ex=again)) and not redis.set(SEEN, 1, nx=True)
    except (RedisError, OSError):
        return False


def note_look(look: SettingsLook, *, every: int) -> None:
    """Keeps what was found; one that answers is asked again after `every` seconds. A Redis that is away is no error."""
    told = json.dumps({"at": look.at.isoformat(), "is_reachable": look.is_reachable, "reply": look.reply})
    try:
        with _connect() as redis:
            redis.set(LOOK, told, ex=KEPT)
            if look.is_reachable:
                redis.expire(TURN, every)
    except (RedisError, OSError):
        return


def find_look() -> SettingsLook | None:
    """The last one, where one is known."""
    try:
        with _connect() as redis:
            told = redis.get(LOOK)
    except (RedisError, OSError):
        return None
    if told is None:
        return None
    found = json.loads(told)
    return SettingsLook(dt.datetime.fromisoformat(found["at"]), found["is_reachable"], found["reply"])


def _connect() -> Redis:
    return connect(get_settings().redis_url.get_secret_value())
