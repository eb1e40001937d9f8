"""A message and its addresses as SMTP wants them on the wire: dot-stuffed CRLF lines, paths, A-labels."""

import re
from functools import lru_cache

import idna

from mailer.i18n import N_

BAD_ADDRESS = N_("The address cannot be written in SMTP.")

# RFC 5321 section 4.1.2: no blank, control or bracket outside a quoted string; a quoted string without line breaks.
_LOCAL = re.compile(r'[^\x00-\x20\x7f-\xa0()<>\[\]:;@\\,"]+|"(?:[^\x00-\x1f\x7f"\\]|\\[\x20-\x7e])*"')
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?|\[[A-Za-z0-9.:-]+\]")


def stuff(content: bytes) -> bytes:
    """`content` as it goes between DATA and the final dot (RFC 5321 section 4.5.2), ending in CRLF.

    Bare CR and LF become CRLF first: a line break that only some servers see would let a message smuggle a second one
    past the relay (RFC 5321 section 2.3.8).
    """
    breaks = content.count(b"\r\n")
    if content.count(b"\n") != breaks or content.count(b"\r") != breaks:
        content = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    if stuffed[:1] == b".":
        stuffed = b"." + stuffed
    return stuffed if stuffed.endswith(b"\r\n") or not stuffed else stuffed + b"\r\n"


def path(address: str) -> bytes | None:
    """`address` between the angle brackets of MAIL or RCPT; its domain as A-labels, its local part as typed.

    `None` where it cannot be written at all. A local part outside ASCII is UTF-8 and needs SMTPUTF8 (RFC 6531).
    """
    if not address:
        return b""
    local, at, domain = address.rpartition("@")
    # Letters and digits alone are what most are made of.
    is_usual = local.isascii() and local.isalnum()
    if not at or not (is_usual or _LOCAL.fullmatch(local)) or len(address) > 320:
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
