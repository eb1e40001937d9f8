"""The two servers that everything else stands on, for `mailer run`, `mailer demo` and the tests."""

from mailer.embedded.postgres import Postgres
from mailer.embedded.redis_server import Redis

__all__ = ["Postgres", "Redis"]
