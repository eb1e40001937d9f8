"""PostgreSQL of this machine alone: on a socket only, in a folder that nobody else can walk into, and asking for a
password besides (SCRAM).
"""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from mailer.embedded import lodging, programs
from mailer.embedded.processes import Child, Program, User, command_of, end_left_over
from mailer.embedded.service import Service, plain_environment
from mailer.embedded.vault import get_or_make_secret
from mailer.errors import ServiceError

NAME = "mailer"


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
            environment=plain_environment(),
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
                env=plain_environment(), cwd="/", capture_output=True, text=True, check=False,
            )  # fmt: skip
        if made.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            reason = (made.stderr.strip() or made.stdout.strip() or "initdb says nothing").splitlines()[-1]
            raise ServiceError("The database cannot be made: %(reason)s.", reason=reason.rstrip("."))
        fresh.rename(cluster)


def _serves_cluster(command: list[str], cluster: Path) -> bool:
    return len(command) > 2 and Path(command[0]).name == "postgres" and command[1:3] == ["-D", str(cluster)]
