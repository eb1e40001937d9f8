"""A Maildir: one file a message, complete or absent, kept by the capturing mailbox and read by its page.

The layout is the usual one (``tmp``, ``new``, ``cur``; written in ``tmp``, then renamed), so any mail program can read
it too. A message's key is its file name without flags, and a key from a page's address never becomes a path before it
has been matched against what such names look like.
"""

import datetime as dt
import email
import email.policy
import itertools
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr
from functools import lru_cache
from pathlib import Path

from mailer.errors import NotFoundError

KEY = re.compile(r"(?P<seconds>\d{1,12})\.(?:M(?P<micros>\d{1,6}))?[A-Za-z0-9._=-]{0,180}\Z")
HEADER_BYTES = 32_768
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Summary:
    """A line of the list. `recipient` is the envelope's (Delivered-To) where the mailbox wrote it."""

    key: str
    received_at: dt.datetime
    sender: str
    sender_address: str
    recipient: str
    subject: str
    size: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is neither the text nor the HTML of the message."""

    name: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A message in full: decoded headers in their order, both bodies (`None` where absent), and its bytes."""

    summary: Summary
    headers: tuple[tuple[str, str], ...]
    html: str | None
    text: str | None
    attachments: tuple[Attachment, ...]
    source: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the messages, newest first; `total` counts all that match."""

    messages: tuple[Summary, ...]
    total: int
    number: int
    pages: int


class Maildir:
    """The Maildir in `folder`, made when the first message is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, content: bytes) -> str:
        """Stores a message and returns its key. It survives a crash of ours, not of the machine: there is no fsync."""
        moment = time.time_ns()
        host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:64]
        seconds, micros = moment // 10**9, moment // 1000 % 10**6
        key = f"{seconds}.M{micros:06d}P{os.getpid()}Q{next(_numbers):08d}.{host}"
        draft = self.folder / "tmp" / key
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileNotFoundError:
            for part in ("tmp", "new", "cur"):
                (self.folder / part).mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        draft.rename(self.folder / "new" / key)
        return key

    def count(self) -> int:
        """How many messages there are."""
        return sum(1 for _ in self._files())

    def list_messages(self, *, search: str = "", page: int = 1, per_page: int = 50) -> Page:
        """A page of them, newest first; `search` is looked for in subject, sender and recipient, whatever its case."""
        paths = sorted(self._files(), key=_age, reverse=True)
        wanted = search.strip().casefold()
        if wanted:
            paths = [path for path in paths if (found := _summarise(path)) and _matches(found, wanted)]
        pages = max(1, -(-len(paths) // per_page))
        number = min(max(1, page), pages)
        shown = paths[(number - 1) * per_page : number * per_page]
        return Page(tuple(found for path in shown if (found := _summarise(path))), len(paths), number, pages)

    def get(self, key: str) -> Kept:
        """One message. Raises `NotFoundError`, for a key that is none as well."""
        path = self._path_of(key)
        summary = _summarise(path) if path else None
        if path is None or summary is None:
            raise NotFoundError("There is no such message.")
        source = path.read_bytes()
        message = email.message_from_bytes(source, policy=email.policy.compat32)
        bodies, attachments = _take_apart(message)
        return Kept(
            summary,
            tuple((name, _decoded(value)) for name, value in message.items()),
            bodies.get("text/html"),
            bodies.get("text/plain"),
            attachments,
            source,
        )

    def read_all(self) -> Iterator[tuple[str, bytes]]:
        """(key, bytes) of every message, oldest first."""
        for path in sorted(self._files(), key=_age):
            yield _key_of(path), path.read_bytes()

    def clear(self) -> int:
        """Deletes every message, for good; returns how many there were."""
        paths = list(self._files())
        for path in paths:
            path.unlink(missing_ok=True)
        return len(paths)

    def _files(self) -> Iterator[Path]:
        for part in ("new", "cur"):
            try:
                entries = list(os.scandir(self.folder / part))
            except FileNotFoundError:
                continue
            yield from (Path(entry.path) for entry in entries if KEY.match(_base(entry.name)))

    def _path_of(self, key: str) -> Path | None:
        if not KEY.match(key):
            return None
        fresh = self.folder / "new" / key
        if fresh.is_file():
            return fresh
        return next((path for path in self._files() if _key_of(path) == key), None)


def _base(name: str) -> str:
    """A file name without its flags (``:2,S``)."""
    return name.split(":", 1)[0]


def _key_of(path: Path) -> str:
    return _base(path.name)


def _age(path: Path) -> tuple[int, int, str]:
    match = KEY.match(_key_of(path))
    assert match, "only files with such names are listed"
    return int(match["seconds"]), int(match["micros"] or 0), path.name


def _matches(summary: Summary, wanted: str) -> bool:
    return any(
        wanted in text.casefold()
        for text in (summary.subject, summary.sender, summary.sender_address, summary.recipient)
    )


# Messages never change, so what was read of one can be kept.
@lru_cache(maxsize=20_000)
def _read_summary(path: Path) -> Summary:
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
    message = email.message_from_bytes(head.split(b"\r\n\r\n", 1)[0] + b"\r\n\r\n", policy=email.policy.compat32)
    # Taken apart before decoding: an encoded name may hold what looks like an address.
    name, address = parseaddr(str(message["From"] or ""))
    seconds, micros, _ = _age(path)
    return Summary(
        _key_of(path),
        dt.datetime.fromtimestamp(seconds, dt.UTC) + dt.timedelta(microseconds=micros),
        _decoded(name) or address,
        address,
        _decoded(message["Delivered-To"]) or parseaddr(_decoded(message["To"]))[1],
        _decoded(message["Subject"]),
        path.stat().st_size,
    )


def _summarise(path: Path) -> Summary | None:
    """`None` when it was deleted since it was listed."""
    try:
        return _read_summary(path)
    except FileNotFoundError:
        return None


def _decoded(value: object) -> str:
    """A header for people: encoded-words decoded where they can be, folding undone."""
    if value is None:
        return ""
    raw = str(value)
    with suppress(HeaderParseError, LookupError, UnicodeError, ValueError):
        raw = str(make_header(decode_header(raw)))
    return " ".join(raw.split())


def _take_apart(message: Message) -> tuple[dict[str, str], tuple[Attachment, ...]]:
    """The first text and HTML bodies by content type, and everything else that is not a container."""
    bodies: dict[str, str] = {}
    attachments: list[Attachment] = []
    for part in message.walk():
        if part.is_multipart():
            continue
        kind = part.get_content_type()
        raw = part.get_payload(decode=True)
        content = raw if isinstance(raw, bytes) else b""
        is_body = kind in {"text/html", "text/plain"} and part.get_content_disposition() != "attachment"
        if is_body and kind not in bodies:
            bodies[kind] = _text_of(content, part.get_content_charset("utf-8"))
        else:
            attachments.append(Attachment(_decoded(part.get_filename()) or kind, kind, len(content)))
    return bodies, tuple(attachments)


def _text_of(content: bytes, charset: str) -> str:
    try:
        return content.decode(charset, "replace")
    except LookupError:
        return content.decode("utf-8", "replace")
