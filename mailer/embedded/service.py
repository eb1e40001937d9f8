"""What PostgreSQL and Redis of this machine have in common."""

import os
import socket
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from mailer.embedded.processes import Child, wait_until
from mailer.errors import ServiceError

LOOPBACK = "127.0.0.1"
START_SECONDS = 60.0


class Service(ABC):
    """What the two have in common: started and stopped, also as a context manager, with one `Child`."""

    name: str

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = Path(data_dir).absolute()
        self.child: Child | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where a client finds it, password included."""

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

    @abstractmethod
    def is_healthy(self) -> bool:
        """Whether it answers a client now."""

    @abstractmethod
    def _launch(self) -> Child:
        """Starts its program; whether it answers is asked elsewhere."""

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


def plain_environment() -> dict[str, str]:
    """Without our secrets, and without the PG* variables that would redirect initdb and the server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAILER_", "PG"))}
    return kept | {"LC_ALL": "C"}
