"""What a worker is about to send and what it heard, on disk before anything else happens.

PostgreSQL learns of an outcome some milliseconds after the server gave it. A worker that is killed between the two
leaves its journal, in which the sweep reads what was truly in flight (an intent without a reply: unknown) and what was
settled (its reply). Each file is locked by its living process, so the sweep can tell the dead one's.

A file is mapped into memory: a line is with the kernel, and so survives this process, as soon as it is copied, without
a call. It is lines of text, each with its checksum, so that half a line is never taken for a whole one, and zeros after
them::

    I 1f3a90c2 4711 token
    R 9bd0117e 4711 250 2.0.0 Ok: queued as 4F2A
    W 03ac5d11 4711
"""

import errno
import fcntl
import mmap
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from mailer.errors import UnreadableError
from mailer.i18n import N_

SUFFIX = ".journal"
# By so many bytes a file grows: some hundred messages.
CHUNK = 16 * 1024
# Stands for a line break within a reply: U+001E, which no server's text has once it is made readable.
BREAK = "\x1e"
NOT_A_JOURNAL = N_("The journal %(name)s cannot be read: line %(line)s is damaged.")


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """The last that a journal knows of a delivery: `code` is `None` where its intent has no reply."""

    delivery_id: int
    token: str
    code: int | None = None
    enhanced: str | None = None
    reply: str = ""

    @property
    def is_intent(self) -> bool:
        """Content may have gone out, and no reply was heard."""
        return self.code is None


class _Segment:
    """One file: its map, what of it is written, and the deliveries in it that PostgreSQL does not know yet.

    Every byte that is not written is zero, and has its place on the disk: the disk is found full when the file grows
    and not when a page of it is touched, which would end the process.
    """

    __slots__ = ("_capacity", "_descriptor", "_map", "_path", "open", "size")

    def __init__(self, path: Path) -> None:
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        self._path = path
        # Locked before it has its name: a sweep that saw it unlocked would take it for a dead process's and delete it.
        unnamed = path.with_suffix(".new")
        self._descriptor = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self.size = self._capacity = 0
        self.open: set[int] = set()
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        unnamed.rename(path)
        # With the first line: where the disk is full, that is what cannot be written, and says so.
        self._map: mmap.mmap | None = None

    def append(self, kind: bytes, text: bytes) -> None:
        line = b"%s %08x %s\n" % (kind, crc32(text), text)
        end = self.size + len(line)
        if end > self._capacity or self._map is None:
            self._map = self._grow(max(CHUNK, end - self._capacity))
        self._map[self.size : end] = line
        self.size = end

    def _grow(self, more: int) -> mmap.mmap:
        """Raises `OSError` where the disk is full; then all is as it was."""
        written = os.pwrite(self._descriptor, bytes(more), self._capacity)
        if written != more:
            os.ftruncate(self._descriptor, self._capacity)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        wider = mmap.mmap(self._descriptor, self._capacity + more)
        if self._map is not None:
            self._map.close()
        self._capacity += more
        return wider

    def empty(self) -> None:
        if self._map is not None:
            # The first byte first: whoever finds a zero there reads no further, however far the rest has come.
            self._map[0] = 0
            self._map[: self.size] = bytes(self.size)
        self.size = 0

    def close(self) -> None:
        """Deletes the file where nothing in it is open; then unlocks."""
        if not self.open:
            self._path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Unlocks, as the end of the process would."""
        if self._map is not None:
            self._map.close()
        os.close(self._descriptor)


class Journal:
    """The journal of this process, in one or more files ``<key>.<n>.journal`` of `directory`.

    `key` is unique to the process's life (host, pid and start, say): a file that is there already is never written.
    """

    def __init__(self, directory: Path, key: str, *, rotate_bytes: int = 256 * 1024) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._key = key
        self._rotate_bytes = rotate_bytes
        self._number = 0
        self._current = self._new_segment()
        # Older files, kept until PostgreSQL knows all that is in them.
        self._older: list[_Segment] = []
        # A reply goes into the file of its intent: a file must tell the whole story of its deliveries.
        self._place: dict[int, _Segment] = {}

    def intent(self, delivery_id: int, token: str) -> None:
        """Before a message's content goes out. Raises `OSError` where it cannot be written: then do not send."""
        if self._current.size > self._rotate_bytes:
            self._rotate()
        segment = self._current
        segment.append(b"I", f"{delivery_id} {token}".encode())
        segment.open.add(delivery_id)
        self._place[delivery_id] = segment

    def reply(self, delivery_id: int, code: int, enhanced: str | None, text: str) -> None:
        """Before the next content on that connection. Raises `OSError`."""
        words = text.replace(BREAK, " ").replace("\0", " ").replace("\n", BREAK)
        line = f"{delivery_id} {code} {enhanced or '-'} {words}"
        self._place[delivery_id].append(b"R", line.encode("utf-8", "replace"))

    def withdraw(self, delivery_id: int) -> None:
        """The intent came to nothing: the final dot certainly did not go out. Raises `OSError`."""
        self._place[delivery_id].append(b"W", str(delivery_id).encode())

    def settled(self, delivery_ids: Iterable[int]) -> None:
        """PostgreSQL has these outcomes, committed: files that hold nothing else are emptied or deleted."""
        for delivery_id in delivery_ids:
            segment = self._place.pop(delivery_id, None)
            if segment is not None:
                segment.open.discard(delivery_id)
        for segment in [segment for segment in self._older if not segment.open]:
            self._older.remove(segment)
            segment.close()
        if not self._current.open and self._current.size:
            self._current.empty()

    def close(self) -> None:
        """Unlocks; deletes the files in which all is settled."""
        for segment in (*self._older, self._current):
            segment.close()
        self._older = []

    def _rotate(self) -> None:
        fresh = self._new_segment()
        self._older.append(self._current)
        self._current = fresh

    def _new_segment(self) -> _Segment:
        self._number += 1
        return _Segment(self._directory / f"{self._key}.{self._number}{SUFFIX}")

    # --- the sweep's side ---

    @staticmethod
    def files(directory: Path) -> list[Path]:
        """Every journal there, living or dead."""
        return sorted(directory.glob(f"*{SUFFIX}"))

    @staticmethod
    def is_living(path: Path) -> bool:
        """Whether the process that writes `path` still runs (its lock is held)."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    @staticmethod
    def read(path: Path) -> dict[int, JournalEntry]:
        """Delivery id -> its last entry. A torn last line is tolerated; raises `UnreadableError` for anything else."""
        try:
            written, _, _zeros = path.read_bytes().partition(b"\0")
            *lines, _torn = written.split(b"\n")
        except OSError as error:
            raise UnreadableError(N_("The journal %(name)s cannot be read."), name=path.name) from error
        entries: dict[int, JournalEntry] = {}
        for number, line in enumerate(lines, start=1):
            try:
                _read_line(line, entries)
            except (ValueError, KeyError):
                raise UnreadableError(NOT_A_JOURNAL, place=str(number), name=path.name, line=number) from None
        return entries

    @staticmethod
    def discard(path: Path) -> None:
        """Deletes a dead process's journal, once its entries are settled in PostgreSQL."""
        path.unlink(missing_ok=True)


def _read_line(line: bytes, entries: dict[int, JournalEntry]) -> None:
    """Raises `ValueError` or `KeyError` where the line is none of ours."""
    kind, checksum, text = line.split(b" ", 2)
    if int(checksum, 16) != crc32(text):
        raise ValueError(checksum)
    first, _, rest = text.decode().partition(" ")
    delivery_id = int(first)
    match kind:
        case b"I":
            entries[delivery_id] = JournalEntry(delivery_id, token=rest)
        case b"R":
            code, enhanced, reply = rest.split(" ", 2)
            token = entries[delivery_id].token
            entries[delivery_id] = JournalEntry(
                delivery_id, token, int(code), None if enhanced == "-" else enhanced, reply.replace(BREAK, "\n")
            )
        case b"W":
            del entries[delivery_id]
        case _:
            raise ValueError(kind)
