"""Asks whether an address on the web still answers, without being led anywhere it must not go.

What editors and imported documents link to is untrusted, and whoever asks stands inside the institution's network. So:
only http and https, only the usual ports, and the name is resolved once and connected to by that very number (a name
that answers differently the second time gains nothing). Numbers that are not public are refused before a packet
leaves, for every step of a redirect anew. No body is read, no cookie kept, nothing of the answer but its status used.
"""

import http.client
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from mailer.networks import is_public, resolve

# Seconds for one connection and its answer, and for a link with all its redirects.
PATIENCE = 8.0
LONGEST = 20.0
MOST_REDIRECTS = 5
PORTS = frozenset({80, 443, 8080, 8443})
AGENT = "Mailer link check"
# Servers that do not know HEAD are asked once more, with GET; its body is left unread.
HEAD_UNKNOWN = frozenset({400, 403, 404, 405, 501})
MOVED = frozenset({301, 302, 303, 307, 308})
# Sites that turn robots away answer so to pages that people can read.
TURNED_AWAY = frozenset({401, 403, 406, 408, 418, 425, 429, 451, 503, 999})


class Verdict(StrEnum):
    """What became of the question. Only a broken link is certain to be of no use to a reader."""

    GOOD = "good"
    BROKEN = "broken"
    # It could not be found out from here.
    UNKNOWN = "unknown"
    # It leads into a network that is not public, or to a port where no page is.
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class Probe:
    """`status` is the last HTTP status, if there was one."""

    verdict: Verdict
    status: int | None = None


class ForbiddenAddressError(Exception):
    """The address is not one to be asked."""


Allow = Callable[[str], bool]
Resolve = Callable[[str, int], list[str]]


def probe(url: str, *, may_ask: Allow = is_public, find: Resolve = resolve, is_any_port: bool = False) -> Probe:
    """Follows `url` to its end. Never raises, and takes at most `LONGEST` seconds and one more answer's `PATIENCE`."""
    end = time.monotonic() + LONGEST
    status = None
    try:
        for _ in range(MOST_REDIRECTS + 1):
            status, location = _ask(url, may_ask, find, is_any_port=is_any_port)
            if status not in MOVED or not location:
                return Probe(_judge(status), status)
            url = urljoin(url, location)
            if time.monotonic() > end:
                return Probe(Verdict.UNKNOWN, status)
    except ForbiddenAddressError:
        return Probe(Verdict.FORBIDDEN, status)
    except socket.gaierror as error:
        # A name that does not exist is broken; a resolver that does not answer says nothing.
        is_gone = error.errno in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
        return Probe(Verdict.BROKEN if is_gone else Verdict.UNKNOWN, status)
    except ConnectionRefusedError:
        return Probe(Verdict.BROKEN, status)
    except ssl.SSLCertVerificationError:
        return Probe(Verdict.BROKEN, status)
    except (OSError, http.client.HTTPException, ValueError):
        return Probe(Verdict.UNKNOWN, status)
    return Probe(Verdict.BROKEN, status)


def _judge(status: int) -> Verdict:
    if status < 400:
        return Verdict.GOOD
    return Verdict.UNKNOWN if status in TURNED_AWAY or status >= 500 else Verdict.BROKEN


def _ask(url: str, may_ask: Allow, find: Resolve, *, is_any_port: bool) -> tuple[int, str | None]:
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("idna").decode("ascii") if parts.hostname else ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None:
        raise ForbiddenAddressError
    if port not in PORTS and not is_any_port:
        raise ForbiddenAddressError
    numbers = find(host, port)
    # One number inside is enough to refuse the name: which of them answers is its owner's choice.
    if not numbers or not all(may_ask(number) for number in numbers):
        raise ForbiddenAddressError
    status, location = _exchange("HEAD", parts, host, port, numbers[0])
    if status in HEAD_UNKNOWN:
        status, location = _exchange("GET", parts, host, port, numbers[0])
    return status, location


def _exchange(method: str, parts: SplitResult, host: str, port: int, number: str) -> tuple[int, str | None]:
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    # Connected to the number that was judged, whatever the name says by now.
    raw = socket.create_connection((number, port), timeout=PATIENCE)
    try:
        is_tls = parts.scheme == "https"
        connection.sock = ssl.create_default_context().wrap_socket(raw, server_hostname=host) if is_tls else raw
        target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + (
            f"?{quote(parts.query, safe='/%:@!$&()*+,;=~-._?')}" if parts.query else ""
        )
        usual = 443 if is_tls else 80
        named = f"[{host}]" if ":" in host else host
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", named if port == usual else f"{named}:{port}")
        connection.putheader("User-Agent", AGENT)
        connection.putheader("Accept", "*/*")
        connection.putheader("Connection", "close")
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location")
    finally:
        connection.close()
        raw.close()
