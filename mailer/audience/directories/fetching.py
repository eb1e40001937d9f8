"""A directory's table in a temporary file, from whichever source, read to its end before anything is made of it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

from mailer import sealing
from mailer.audience.directories import ldap_source, web_source
from mailer.audience.directories.models import Directory
from mailer.audience.directories.places import open_file
from mailer.audience.directories.rules import Auth, DirectoryKind, Mapping, Scope, Security
from mailer.audience.layouts import Layout
from mailer.audience.tables import FileKind, Shape, detect_shape, read_head, read_rows
from mailer.errors import RuleError, UnreadableError
from mailer.i18n import N_
from mailer.settings import get_settings

# As `ldap_source` writes them.
_ENTRIES = Shape(FileKind.CSV, "utf-8", ",")


@dataclass(frozen=True, slots=True)
class Table:
    """What a source gave: a file that lives as long as `fetch`'s block, and how it is read."""

    file: IO[bytes]
    shape: Shape
    layout: Layout

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(line, cells) of every row below the heading. Raises `UnreadableError`, also in the middle."""
        rows = read_rows(cast("BinaryIO", self.file), self.shape)
        next(rows, None)
        return rows


@contextmanager
def fetch(directory: Directory) -> Iterator[Table]:
    """Reads the source; no session is used, so none should be open. Raises `UnreadableError`, `RuleError`."""
    mapping = Mapping.from_json(directory.mapping)
    with tempfile.TemporaryFile() as temporary:
        file = cast("BinaryIO", temporary)
        _READERS[DirectoryKind(directory.kind)](directory, mapping, file)
        shape = _ENTRIES if directory.kind == DirectoryKind.LDAP else detect_shape(file)
        yield Table(temporary, shape, mapping.layout(read_head(file, shape, 1)[0]))


def unseal(directory: Directory) -> str:
    """The key or password. Raises `RuleError` where it was sealed with another secret key."""
    try:
        return sealing.unseal(directory.sealed_secret, sealing.DIRECTORY_SECRETS).decode()
    except sealing.UnsealableError:
        raise RuleError(
            N_("The directory's key cannot be read: MAILER_SECRET_KEY has changed. Enter it again.")
        ) from None


def _most_bytes() -> int:
    return get_settings().max_import_mb * 1024 * 1024


def _read_file(directory: Directory, _mapping: Mapping, file: BinaryIO) -> None:
    with open_file(directory.location) as source:
        most = _most_bytes()
        shutil.copyfileobj(_Bounded(source, most), file)


class _Bounded:
    """A file of which no more than `most` bytes are read: it may grow while it is."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file = file
        self._most = self._left = most

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise UnreadableError(N_("The table is larger than %(most)s MB."), most=self._most // 1024 // 1024)
        return piece


def _read_https(directory: Directory, _mapping: Mapping, file: BinaryIO) -> None:
    web_source.download(
        directory.location,
        file,
        auth=Auth(directory.options["auth"]),
        header=directory.options["header"],
        secret=unseal(directory),
        most_bytes=_most_bytes(),
    )


def _read_ldap(directory: Directory, mapping: Mapping, file: BinaryIO) -> None:
    options = directory.options
    search = ldap_source.Search(
        server=directory.location,
        security=Security(options["security"]),
        bind_dn=options["bind_dn"],
        password=unseal(directory),
        base=options["base"],
        scope=Scope(options["scope"]),
        filter=options["filter"],
    )
    ldap_source.write_entries(search, mapping.columns, file, most_bytes=_most_bytes())


_READERS = {
    DirectoryKind.FILE: _read_file,
    DirectoryKind.HTTPS: _read_https,
    DirectoryKind.LDAP: _read_ldap,
}
