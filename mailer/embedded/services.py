"""PostgreSQL and Redis of this machine alone, for `mailer run`, `mailer demo` and the tests.

PostgreSQL listens on a socket only, in a folder that nobody else can walk into, and asks for a password besides
(SCRAM). Redis listens on a loopback port that asks for one too: one address serves Celery, Flask-Limiter and redis-py,
which disagree about how a socket is written in a URL.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg import sql
from redis import Redis as RedisClient
from redis.exceptions import RedisError

from mailer.embedded import lodging, programs
from mailer.embedded.processes import Child, Program, User, command_of, end_left_over, make_folder, wait_until
from mailer.embedded.vault import get_or_make_secret
from mailer.errors import ServiceError

NAME = "mailer"
LOOPBACK = "127.0.0.1"
START_SECONDS = 60.0


class Service:
    """What the two have in common: started and stopped, also as a context manager, with one `Child`."""

    name: str

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = Path(data_dir).absolute()
        self.child: Child | None = None

    @property
    def url(self) -> str:
        """Where a client finds it, password included."""
        raise NotImplementedError

    def start(self) -> None:
        """Returns when it answers. Raises `ServiceError`, one sentence that says why it does not."""
        make_data_dir(self.data_dir)
        try:
            self.child = self._launch()
            self._wait_for_answer(self.child)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends it in order. Quiet when it does not run."""
        if self.child is not None:
            self.child.stop()
            self.child = None

    def has_ended(self) -> bool:
        """Whether it does not run (any more); never waits."""
        return self.child is None or self.child.has_ended()

    @property
    def exit_code(self) -> int | None:
        """As `subprocess.Popen.returncode`, of the last run."""
        return self.child.exit_code if self.child else None

    def bury(self) -> None:
        """Removes what a dead server left, so that it can be started again."""
        if self.child is not None:
            self.child.bury()

    def is_healthy(self) -> bool:
        """Whether it answers a client now."""
        raise NotImplementedError

    def _launch(self) -> Child:
        raise NotImplementedError

    def _wait_for_answer(self, child: Child) -> None:
        if not wait_until(lambda: child.has_ended() or self.is_healthy(), START_SECONDS) or child.has_ended():
            raise ServiceError(
                "%(name)s did not start: %(reason)s (see %(log)s).",
                name=self.name,
                reason=child.last_words() or "it says nothing",
                log=str(child.log_file),
            )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Postgres(Service):
    """A cluster in ``DATA_DIR/postgres`` with one database. `is_durable=False` (tests, demo) does not wait for the
    disk, and forgets a cluster that had to be lodged outside `data_dir` when it stops.
    """

    name = "PostgreSQL"

    def __init__(self, data_dir: Path, *, is_durable: bool = True) -> None:
        super().__init__(data_dir)
        self.is_durable = is_durable
        self._cluster: Path | None = None
        self._sockets: Path | None = None

    @property
    def url(self) -> str:
        return self._address(NAME)

    def _address(self, database: str) -> str:
        assert self._sockets is not None, "PostgreSQL has not been started"
        password = get_or_make_secret(self.data_dir, "postgres")
        return f"postgresql://{NAME}:{password}@/{database}?host={quote(str(self._sockets))}"

    def is_healthy(self) -> bool:
        try:
            with psycopg.connect(self._address("postgres"), connect_timeout=5, autocommit=True) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def start(self) -> None:
        super().start()
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (NAME,)).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))

    def stop(self) -> None:
        super().stop()
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
        if not self.is_durable and self._cluster is not None and self._cluster.parent != self.data_dir:
            shutil.rmtree(self._cluster.parent, ignore_errors=True)
            (self.data_dir / "postgres").unlink(missing_ok=True)

    def _launch(self) -> Child:
        user = lodging.choose_user(self.data_dir / "postgres")
        home = lodging.place_cluster(self.data_dir, user)
        cluster = self._cluster = home / "postgres"
        version_file = cluster / "PG_VERSION"
        major = int(version_file.read_text()) if version_file.exists() else None
        found = programs.find_postgres(major)
        folder = lodging.place_programs(found, user, home)
        end_left_over(
            cluster / "postmaster.pid",
            lambda pid: _serves_cluster(command_of(pid), cluster),
            how=signal.SIGINT,
            seconds=20,
        )
        if major is None:
            self._make_cluster(folder, found.major, cluster, user)
        self._sockets = lodging.make_socket_folder(self.data_dir, user)
        child = Child(self.data_dir, self._program(folder, cluster, self._sockets, user))
        child.start()
        return child

    def _program(self, folder: Path, cluster: Path, sockets: Path, user: User | None) -> Program:
        values = {
            "listen_addresses": "",
            "unix_socket_directories": str(sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # Readers' addresses stay out of the log: neither statements nor their parameters are written there.
            "log_statement": "none",
            "log_min_error_statement": "panic",
        }
        if not self.is_durable:
            values |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for name, value in values.items() for part in ("-c", f"{name}={value}")]
        return Program(
            "postgres",
            [str(folder / "postgres"), "-D", str(cluster), *options],
            environment=_plain_environment(),
            user=user,
            # Fast shutdown: clients are told to go, what is committed is written.
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            stop_seconds=30,
        )

    def _make_cluster(self, folder: Path, major: int, cluster: Path, user: User | None) -> None:
        """Runs initdb beside the final place, then one rename: an interrupted first start leaves no half cluster."""
        fresh = cluster.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password = get_or_make_secret(self.data_dir, "postgres")
        with tempfile.NamedTemporaryFile("w", prefix="mailer-", suffix=".once") as file:
            file.write(password)
            file.flush()
            if user is not None:
                os.chown(fresh, user.uid, user.gid)
                os.chown(file.name, user.uid, user.gid)
            # UTF-8 and the order of code points whatever the host's locale: the same rows in the same order everywhere.
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major >= 17 else []
            made = subprocess.run(
                [
                    str(folder / "initdb"), f"--pgdata={fresh}", f"--username={NAME}", f"--pwfile={file.name}",
                    "--auth-local=scram-sha-256", "--auth-host=reject", "--encoding=UTF8", "--locale=C", *locale,
                    *([] if self.is_durable else ["--no-sync"]),
                ],
                user=None if user is None else user.uid,
                group=None if user is None else user.gid,
                extra_groups=None if user is None else (),
                env=_plain_environment(), cwd="/", capture_output=True, text=True, check=False,
            )  # fmt: skip
        if made.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            reason = (made.stderr.strip() or made.stdout.strip() or "initdb says nothing").splitlines()[-1]
            raise ServiceError("The database cannot be made: %(reason)s.", reason=reason.rstrip("."))
        fresh.rename(cluster)


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
            with RedisClient.from_url(self.url, socket_connect_timeout=2, socket_timeout=2) as client:
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
        configuration = (
            f"bind {LOOPBACK}\nport {self.port}\nrequirepass {get_or_make_secret(self.data_dir, 'redis')}\n"
            f'dir "{folder}"\nsave 60 1\nappendonly no\ndaemonize no\ndatabases 1\nloglevel notice\n'
        )
        child = Child(
            self.data_dir,
            Program("redis", [str(binary), "-"], environment=_plain_environment(), stdin=configuration.encode()),
        )
        child.start()
        return child


def make_data_dir(data_dir: Path) -> None:
    """Makes the data directory where it is missing: others may walk through to what PostgreSQL's user owns in it, but
    not look. One that is there already stays as it is.
    """
    if data_dir.is_dir():
        return
    try:
        data_dir.mkdir(parents=True)
        data_dir.chmod(0o711)
    except OSError as error:
        raise ServiceError(
            "%(path)s cannot be made: %(reason)s.", path=str(data_dir), reason=str(error.strerror)
        ) from None


def find_free_port() -> int:
    """A loopback port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def _plain_environment() -> dict[str, str]:
    """Without our secrets, and without the PG* variables that would redirect initdb and the server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAILER_", "PG"))}
    return kept | {"LC_ALL": "C"}


def _serves_cluster(command: list[str], cluster: Path) -> bool:
    return len(command) > 2 and Path(command[0]).name == "postgres" and command[1:3] == ["-D", str(cluster)]


def _works_in(pid: int, folder: Path) -> bool:
    """Redis rewrites its command line, but works in its data folder."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == folder.resolve() and bool(command_of(pid))
    except OSError:
        return False
