"""Redis (or Valkey) of this machine alone: on a loopback port that asks for a password. A port and no socket, because
one address serves Celery, Flask-Limiter and redis-py, which disagree about how a socket is written in a URL.
"""

import signal
from pathlib import Path

from redis import Redis as RedisClient
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from mailer.embedded import programs
from mailer.embedded.processes import Child, Program, command_of, end_left_over, make_folder
from mailer.embedded.service import LOOPBACK, Service, find_free_port, plain_environment
from mailer.embedded.vault import get_or_make_secret


class Redis(Service):
    """A Redis (or Valkey) on a free loopback port, its memory written to ``DATA_DIR/redis`` once a minute.

    Everything in it may be lost: messages are hints, limits and caches start anew.
    """

    name = "Redis"

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.port: int | None = None

    @property
    def url(self) -> str:
        assert self.port is not None, "Redis has not been started"
        return f"redis://:{get_or_make_secret(self.data_dir, 'redis')}@{LOOPBACK}:{self.port}/0"

    def is_healthy(self) -> bool:
        try:
            with RedisClient.from_url(
                self.url, socket_connect_timeout=2, socket_timeout=2, retry=Retry(NoBackoff(), 0)
            ) as client:
                return bool(client.ping())
        except RedisError:
            return False

    def _launch(self) -> Child:
        binary = programs.find_redis(self.data_dir / "programs")
        folder = self.data_dir / "redis"
        make_folder(folder)
        end_left_over(
            self.data_dir / "run" / "redis.pid", lambda pid: _works_in(pid, folder), how=signal.SIGTERM, seconds=10
        )
        # The same one when it is started again: its clients know the address.
        self.port = self.port or find_free_port()
        # On standard input, not on the command line: every user of the machine can read command lines.
        # The dump is named by its program: what another one has written may be newer than this one can read.
        configuration = (
            f"bind {LOOPBACK}\nport {self.port}\nrequirepass {get_or_make_secret(self.data_dir, 'redis')}\n"
            f'dir "{folder}"\ndbfilename {binary.name}.rdb\nsave 60 1\nappendonly no\ndaemonize no\ndatabases 1\n'
            "loglevel notice\n"
        )
        child = Child(
            self.data_dir,
            Program("redis", [str(binary), "-"], environment=plain_environment(), stdin=configuration.encode()),
        )
        child.start()
        return child


def _works_in(pid: int, folder: Path) -> bool:
    """Redis rewrites its command line, but works in its data folder."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == folder.resolve() and bool(command_of(pid))
    except OSError:
        return False
