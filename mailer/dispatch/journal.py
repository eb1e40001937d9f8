"""What a worker is about to send and what it heard, on disk before anything else happens.

PostgreSQL learns of an outcome some milliseconds after the server gave it. A worker that is killed between the two
leaves its journal, in which the sweep reads what was truly in flight (an intent without a reply: unknown) and what was
settled (its reply). Each file is locked by its living process, so the sweep can tell the dead one's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """The last that a journal knows of a delivery: `code` is `None` where its intent has no reply."""

    delivery_id: int
    token: str
    code: int | None
    enhanced: str | None
    reply: str

    @property
    def is_intent(self) -> bool:
        """Content may have gone out, and no reply was heard."""
        return self.code is None


class Journal:
    """The journal of this process, in one or more files ``<key>.<n>.journal`` of `directory`."""

    def __init__(self, directory: Path, key: str, *, rotate_bytes: int = 8_000_000) -> None:
        raise NotImplementedError

    def intent(self, delivery_id: int, token: str) -> None:
        """Before a message's content goes out. Raises `OSError` where it cannot be written: then do not send."""
        raise NotImplementedError

    def reply(self, delivery_id: int, code: int, enhanced: str | None, text: str) -> None:
        """Before the next content on that connection."""
        raise NotImplementedError

    def settled(self, delivery_ids: Iterable[int]) -> None:
        """PostgreSQL has these outcomes, committed: files that hold nothing else are emptied or deleted."""
        raise NotImplementedError

    def close(self) -> None:
        """Unlocks; deletes the files in which all is settled."""
        raise NotImplementedError

    @staticmethod
    def files(directory: Path) -> list[Path]:
        """Every journal there, living or dead."""
        raise NotImplementedError

    @staticmethod
    def is_living(path: Path) -> bool:
        """Whether the process that writes `path` still runs (its lock is held)."""
        raise NotImplementedError

    @staticmethod
    def read(path: Path) -> dict[int, JournalEntry]:
        """Delivery id -> its last entry. A torn last line is tolerated; raises `UnreadableError` for anything else."""
        raise NotImplementedError

    @staticmethod
    def discard(path: Path) -> None:
        """Deletes a dead process's journal, once its entries are settled in PostgreSQL."""
        raise NotImplementedError
