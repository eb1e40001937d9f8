"""Signed tokens: a few integers, or bytes, that a link carries and nobody else can make. Without Flask and database.

A token is base64url of ``payload || tag``: the payload packs integers, the tag is HMAC-SHA256 cut to 96 bits under
a key of its own for each purpose, so that a token of one kind is nothing to another.
"""

import base64
import binascii
import hashlib
import hmac
from functools import lru_cache

from mailer.errors import LinkError
from mailer.i18n import N_
from mailer.settings import get_settings

TAG_BYTES = 12
# RFC 4648 section 5.
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


@lru_cache(maxsize=32)
def _keyed(purpose: str, secret: str) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    """The two hashes of HMAC (RFC 2104 section 4), each with its key block taken in: ready to be copied.

    A message holds three tokens. `hmac` would hash the key for each, which is three quarters of what a token costs.
    """
    key = hmac.digest(secret.encode(), b"mailer.links/" + purpose.encode(), "sha256").ljust(64, b"\0")
    return hashlib.sha256(key.translate(_INNER)), hashlib.sha256(key.translate(_OUTER))


class Signer:
    """Makes the tokens of one purpose; whoever makes many keeps it."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, purpose: str) -> None:
        self._inner, self._outer = _keyed(purpose, get_settings().secret_key.get_secret_value())

    def tag(self, payload: bytes) -> bytes:
        """The HMAC of `payload`, its first `TAG_BYTES`."""
        first, second = self._inner.copy(), self._outer.copy()
        first.update(payload)
        second.update(first.digest())
        return second.digest()[:TAG_BYTES]

    def sign(self, payload: bytes) -> str:
        """The token of `payload`."""
        raw = payload + self.tag(payload)
        return binascii.b2a_base64(raw, newline=False).translate(_URL_SAFE).rstrip(b"=").decode()


def sign_token(purpose: str, payload: bytes) -> str:
    """The token of `payload` for one purpose."""
    return Signer(purpose).sign(payload)


def open_token(purpose: str, token: str) -> bytes:
    """The payload. Raises `LinkError` for a token that was not made here, or for another purpose."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise LinkError(N_("This link is not valid.")) from None
    payload, tag = raw[:-TAG_BYTES], raw[-TAG_BYTES:]
    if not payload or not hmac.compare_digest(tag, Signer(purpose).tag(payload)):
        raise LinkError(N_("This link is not valid."))
    return payload


def pack(*numbers: int) -> bytes:
    """LEB128: small ids make short links, and Gmail counts every byte of them."""
    if len(numbers) == 1 and 0x4000 <= numbers[0] < 0x200000:
        # A delivery's or a reader's, in most houses: there are three to a message.
        number = numbers[0]
        return bytes((number & 0x7F | 0x80, number >> 7 & 0x7F | 0x80, number >> 14))
    out = bytearray()
    for number in numbers:
        rest = number
        while rest > 0x7F:
            out.append(rest & 0x7F | 0x80)
            rest >>= 7
        out.append(rest)
    return bytes(out)


def unpack(payload: bytes) -> list[int]:
    """What `pack` packed. Raises `LinkError`."""
    numbers, number, shift = [], 0, 0
    for byte in payload:
        number |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            numbers.append(number)
            number, shift = 0, 0
    if shift:
        raise LinkError(N_("This link is not valid."))
    return numbers


def expect(numbers: list[int], count: int) -> list[int]:
    """`numbers`, if there are `count` of them. Raises `LinkError`."""
    if len(numbers) != count:
        raise LinkError(N_("This link is not valid."))
    return numbers
