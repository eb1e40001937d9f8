"""A message and its addresses as SMTP wants them on the wire: dot-stuffed CRLF lines, paths, A-labels."""

import re
from functools import lru_cache

import idna

from mailer.i18n import N_

BAD_ADDRESS = N_("The address cannot be written in SMTP.")

# RFC 5321 section 4.1.2: no blank, control or bracket outside a quoted string; a quoted string without line breaks.
_LOCAL = re.compile(r'[^\x00-\x20\x7f-\xa0()<>\[\]:;@\\,"]+|"(?:[^\x00-\x1f\x7f"\\]|\\[\x20-\x7e])*"')
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?|\[[A-Za-z0-9.:-]+\]")


class Stuffed(bytes):
    """Content that its maker has already brought to canonical CRLF and dot-stuffed, ending in CRLF.

    Looking for dots and breaks costs more than sending: a template stuffs its static stretches once, not per recipient.
    """

    __slots__ = ()


def stuff(content: bytes) -> bytes:
    """`content` as it goes between DATA and the final dot (RFC 5321 section 4.5.2), ending in CRLF.

    Bare CR and LF become CRLF first: a line break that only some servers see would let a message smuggle a second one
    past the relay (RFC 5321 section 2.3.8).
    """
    if type(content) is Stuffed:
        return content
    breaks = content.count(b"\r\n")
    if content.count(b"\n") != breaks or content.count(b"\r") != breaks:
        content = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    if stuffed[:1] == b".":
        stuffed = b"." + stuffed
    return stuffed if stuffed.endswith(b"\r\n") or not stuffed else stuffed + b"\r\n"


def stuff_header(content: bytes, *, fixed: bytes = b"") -> Stuffed:
    """As `stuff`, for a message whose body is nothing but base64 and boundaries, as the press makes them.

    No line of those begins with a dot or breaks otherwise than by CRLF, so only the header is looked at: at 100 KB that
    is the difference between 3 and 250 microseconds a message. `fixed` is the first line, CRLF included, of what
    stands at the end of every header of this mailing and `is_plain`: it is not looked at again.
    """
    end = content.find(b"\r\n" + fixed if fixed else b"\r\n\r\n")
    return Stuffed(content if end >= 0 and is_plain(content[: end + 2]) else stuff(content))


def is_plain(header: bytes) -> bool:
    """Whether these lines need no stuffing: broken by CRLF only, and none begins with a dot."""
    breaks = header.count(b"\n")
    return (
        header[:1] != b"."
        and b"\n." not in header
        and header.count(b"\r") == breaks
        and header.count(b"\r\n") == breaks
    )


def path(address: str) -> bytes | None:
    """`address` between the angle brackets of MAIL or RCPT; its domain as A-labels, its local part as typed.

    `None` where it cannot be written at all. A local part outside ASCII is UTF-8 and needs SMTPUTF8 (RFC 6531).
    """
    if not address:
        return b""
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or len(address) > 320:
        return None
    host = _host(domain)
    return None if host is None else f"{local}@{host}".encode()


@lru_cache(maxsize=1024)
def _host(domain: str) -> str | None:
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except idna.IDNAError:
            return None
    return domain if _HOST.fullmatch(domain) else None
