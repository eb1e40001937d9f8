"""Secrets made once and kept beside the data: ``DATA_DIR/secrets/NAME``, readable by their owner alone."""

import os
import secrets
from pathlib import Path

from mailer.errors import ServiceError


def get_or_make_secret(data_dir: Path, name: str) -> str:
    """The secret `name` of this data directory: URL-safe characters, made at first use, the same for ever after."""
    folder = data_dir / "secrets"
    path = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _write_new(path, secrets.token_urlsafe(48))
        value = path.read_text().strip()
    except OSError as error:
        raise ServiceError("%(path)s cannot be used: %(reason)s.", path=str(path), reason=str(error.strerror)) from None
    if len(value) < 32:
        raise ServiceError("%(path)s holds no secret; put yesterday's back, or remove the file.", path=str(path))
    return value


def _write_new(path: Path, value: str) -> None:
    """Complete or absent, and never overwriting: two starts at once agree on the first one's secret."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(value + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
