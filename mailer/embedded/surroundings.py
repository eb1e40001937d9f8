"""What the processes of one machine are told: their `MAILER_*` variables, and where other commands find them.

While `mailer run` runs, ``DATA_DIR/run/environment`` holds them for the commands that an operator types in another
terminal; it is readable by its owner alone.
"""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mailer.embedded.service import LOOPBACK
from mailer.embedded.vault import get_or_make_secret


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start. Ports are of the loopback address. `relay_url`, `public_url` and `secret_key` are the operator's
    own; where they are absent, mail goes to the capturing mailbox, links lead to the web server here, and the key is
    made once.
    """

    data_dir: Path
    web_port: int
    smtp_port: int
    mailbox_dir: Path
    relay_url: str | None = None
    public_url: str | None = None
    secret_key: str | None = None
    worker_processes: int = 3
    is_durable: bool = True

    @property
    def web_url(self) -> str:
        """Where the web server is on this machine."""
        return f"http://{LOOPBACK}:{self.web_port}"

    @property
    def sends_to_mailbox(self) -> bool:
        """Whether nothing leaves this machine."""
        return self.relay_url is None


def make_environment(plan: Plan, database_url: str, redis_url: str) -> dict[str, str]:
    """The `MAILER_*` variables that differ from the operator's."""
    return {
        "MAILER_DATABASE_URL": database_url,
        "MAILER_REDIS_URL": redis_url,
        "MAILER_RELAY_URL": plan.relay_url or f"smtp://{LOOPBACK}:{plan.smtp_port}",
        "MAILER_SECRET_KEY": plan.secret_key or get_or_make_secret(plan.data_dir, "secret_key"),
        "MAILER_PUBLIC_URL": plan.public_url or plan.web_url,
        # Letters to accounts come from somewhere even where the operator has not said so; nothing leaves this machine.
        "MAILER_SENDER_ADDRESS": os.environ.get("MAILER_SENDER_ADDRESS", "mailer@news.example.org"),
        "MAILER_DATA_DIR": str(plan.data_dir),
        "MAILER_MAILBOX_DIR": str(plan.mailbox_dir),
    }


def _file(data_dir: Path) -> Path:
    return data_dir / "run" / "environment"


def write_environment(data_dir: Path, environment: Mapping[str, str]) -> None:
    """Leaves them for other commands; a shell can read the file as well."""
    path = _file(data_dir)
    temporary = path.with_name("environment.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(f"{name}={shlex.quote(value)}\n" for name, value in environment.items())
    temporary.replace(path)


def forget_environment(data_dir: Path) -> None:
    """Nothing runs there any more."""
    _file(data_dir).unlink(missing_ok=True)


def read_environment(data_dir: Path) -> dict[str, str]:
    """The variables of the service that runs on `data_dir`; empty when none does."""
    try:
        lines = _file(data_dir.absolute()).read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines)
    return {name: "".join(shlex.split(value)) for name, _, value in pairs if name.startswith("MAILER_")}
