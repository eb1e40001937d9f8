"""Events that came while PostgreSQL was away: they wait in Redis and are recorded when it is back.

The pixel and the click always answer; what they saw is worth a try, not a delay.
"""

import logging

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from mailer.feedback.events import Event
from mailer.feedback.recording import record
from mailer.settings import get_settings

log = logging.getLogger(__name__)

SPOOL = "mailer:feedback:spool"
# A long outage under a scanner's fire must not fill Redis, which also holds the queues.
SPOOL_LIMIT = 100_000
BATCH = 500


def _client() -> Redis:
    return Redis.from_url(get_settings().redis_url.get_secret_value(), socket_timeout=2, socket_connect_timeout=2)


def spool(event: Event) -> bool:
    """Puts `event` aside; `False` when Redis is away too or full, and the event is lost."""
    try:
        with _client() as client:
            if client.llen(SPOOL) >= SPOOL_LIMIT:
                return False
            client.rpush(SPOOL, event.to_json())
    except (RedisError, OSError):
        log.warning("an event of delivery %d is lost: neither database nor Redis answers", event.delivery_id)
        return False
    return True


def absorb(session: Session) -> int:
    """Records what the spool holds, at most `BATCH` events, and commits; returns how many were read.

    They leave the spool only after the commit: killed in between, they are read again and count once by their key.
    """
    with _client() as client:
        waiting = client.lrange(SPOOL, 0, BATCH - 1)
        for text in waiting:
            try:
                record(session, Event.from_json(text))
            except ValueError:
                log.warning("the spool held something that is no event")
        session.commit()
        client.ltrim(SPOOL, len(waiting), -1)
    return len(waiting)
