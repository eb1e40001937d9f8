"""What a directory may be read from: the operator's settings say so, and no page can widen it."""

import os
import re
import ssl
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from urllib.parse import SplitResult, quote, urlsplit

from mailer.errors import RuleError, UnreadableError
from mailer.i18n import N_
from mailer.networks import is_public, resolve
from mailer.settings import get_settings

HTTPS_PORT, LDAPS_PORT, LDAP_PORT = 443, 636, 389
# Without a word of the operator only where the web is.
_PUBLIC_PORTS = frozenset({443, 8443})
Resolve = Callable[[str, int], list[str]]


def open_file(location: str) -> BinaryIO:
    """The file, wherever its links lead within MAILER_DIRECTORY_DIR. Raises `UnreadableError`, `RuleError`."""
    path = find_path(location)
    try:
        # What is no file must not hold the worker up.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise UnreadableError(N_("The file “%(path)s” cannot be read."), path=location) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UnreadableError(N_("The file “%(path)s” cannot be read."), path=location)
    return os.fdopen(handle, "rb")


def find_path(location: str) -> Path:
    """Raises `RuleError` where no folder is set, or the path leads out of it."""
    folder = get_settings().directory_dir
    if folder is None:
        raise RuleError(N_("Files may be read only where the operator has set MAILER_DIRECTORY_DIR."))
    try:
        root = folder.resolve()
        path = (root / location).resolve()
    except (OSError, RuntimeError, ValueError):
        raise RuleError(N_("Name a file below the folder of MAILER_DIRECTORY_DIR.")) from None
    if not location or path == root or not path.is_relative_to(root):
        raise RuleError(N_("Name a file below the folder of MAILER_DIRECTORY_DIR."))
    return path


def read_https(location: str) -> SplitResult:
    """The parts of an https address. Raises `RuleError`."""
    try:
        parts = urlsplit(location)
        is_good = parts.scheme == "https" and _is_host(parts.hostname) and parts.username is None and parts.port != 0
    except (ValueError, UnicodeError):
        is_good = False
    if not is_good or not location.isprintable():
        raise RuleError(N_("Write the address as https://host/path, without a user name."))
    return parts


def _is_host(host: str | None) -> bool:
    """A name or a number. Raises `UnicodeError` for what is no name in any script."""
    return host is not None and re.fullmatch(r"[A-Za-z0-9._:-]+", host.encode("idna").decode("ascii")) is not None


def request_target(parts: SplitResult) -> str:
    """Path and query as they go into a request."""
    query = f"?{quote(parts.query, safe='/%:@!$&()*+,;=~-._?')}" if parts.query else ""
    return quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + query


def read_server(location: str, port: int) -> tuple[str, int]:
    """(host, port) of an LDAP server written as host or host:port. Raises `RuleError`."""
    try:
        parts = urlsplit(f"//{location}")
        host, given = parts.hostname, parts.port
        is_good = _is_host(host) and parts.username is None and parts.netloc == location and given != 0
    except (ValueError, UnicodeError):
        is_good, host, given = False, None, None
    if not is_good or host is None or not location.isprintable():
        raise RuleError(N_("Write the server as host or host:port."))
    return host, given or port


def is_ours(host: str, port: int) -> bool:
    """Whether the operator has named this host."""
    named = get_settings().directory_hosts.split(",")
    shown = f"[{host}]" if ":" in host else host
    return shown.lower() in named or f"{shown}:{port}".lower() in named


def find_number(host: str, port: int, *, find: Resolve = resolve) -> str:
    """The number to connect to: of a host that the operator named, or of one that is public in all its numbers.

    Raises `RuleError` for another, `UnreadableError` where it has none.
    """
    try:
        numbers = find(host.encode("idna").decode("ascii"), port)
    except OSError:
        numbers = []
    if not numbers:
        raise UnreadableError(N_("The host %(host)s has no address."), host=host)
    if is_ours(host, port):
        return numbers[0]
    # One number inside is enough to refuse the name: which of them answers is its owner's choice.
    if port not in _PUBLIC_PORTS or not all(is_public(number) for number in numbers):
        raise RuleError(N_("%(host)s is not public: the operator has to name it in MAILER_DIRECTORY_HOSTS."), host=host)
    return numbers[0]


def check_ldap_host(host: str, port: int) -> None:
    """Raises `RuleError` unless the operator named it: directories stand inside, and none is asked unnamed."""
    if not is_ours(host, port):
        raise RuleError(N_("The operator has to name %(host)s in MAILER_DIRECTORY_HOSTS."), host=host)


def tls_context() -> ssl.SSLContext:
    """Certificates and names are checked: against the system's authorities, and the institution's own."""
    context = ssl.create_default_context()
    own = get_settings().directory_ca_file
    if own is not None:
        try:
            context.load_verify_locations(cafile=own)
        except (OSError, ssl.SSLError):
            raise RuleError(N_("The certificates of MAILER_DIRECTORY_CA_FILE cannot be read.")) from None
    return context
