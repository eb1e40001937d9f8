"""DKIM signatures (RFC 6376, RFC 8463): relaxed/relaxed, no ``l=``, one field for each key. No database here.

What is the same for every reader of a mailing is hashed once: the beginning of the body up to its first slot, and the
fields at the end of the header. A message then costs the hash of the rest, and the signatures themselves.
"""

import base64
import hashlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from mailer.press.headers import CRLF, fold


class Algorithm(StrEnum):
    """As the signature's ``a=`` names them. The order is that of the fields in a message."""

    RSA = "rsa-sha256"
    ED25519 = "ed25519-sha256"


# What is signed where it is there. RFC 8058 demands both unsubscribe fields; Feedback-ID counts only when signed.
# Precedence and its like are left out: servers on the way change them, and nobody's trust hangs on them.
SIGNED = (
    *("from", "reply-to", "subject", "to", "cc", "date", "message-id", "mime-version", "content-type"),
    *("content-language", "list-id", "list-unsubscribe", "list-unsubscribe-post", "list-archive", "list-owner"),
    *("list-help", "list-post", "archived-at", "feedback-id", "auto-submitted"),
)
# Signed once more than they occur (RFC 6376 section 8.15), so that nobody can put a second one on top of a message and
# send it again under our name: what a reader is shown of it, and whom it answers.
OVERSIGNED = ("from", "subject", "to", "cc", "date", "reply-to")
# Longer than the five days for which a relay tries (RFC 5321 section 4.5.4.1), and not for ever: a message that is
# caught and sent again to millions loses its signature then.
VALID_SECONDS = 7 * 86_400

_PADDING, _PREHASHED = PKCS1v15(), Prehashed(SHA256())
_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_BLANKS = re.compile(rb"[ \t]+")
_CHUNK = 72


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the name under which the DNS publishes its public half."""

    domain: str
    selector: str
    algorithm: Algorithm
    private: RSAPrivateKey | Ed25519PrivateKey

    def sign(self, digest: bytes) -> bytes:
        """The signature of a SHA-256 `digest`. Lets other threads run meanwhile.

        Ed25519 signs the digest as if it were the message (RFC 8463 section 3).
        """
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(digest, _PADDING, _PREHASHED)
        return self.private.sign(digest)


def relax_field(field: bytes) -> tuple[str, bytes]:
    """(name in lower case, canonical line with its CRLF) of a raw field without its CRLF (RFC 6376 section 3.4.2)."""
    raw_name, _, value = field.partition(b":")
    name = raw_name.strip(b" \t").lower()
    flat = _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.decode("ascii", "replace"), name + b":" + flat + b"\r\n"


def relax_body(body: bytes) -> bytes:
    """RFC 6376 section 3.4.4: blanks at the ends of lines go, others become one; so do empty lines at the end."""
    flat = _BLANKS.sub(b" ", body).replace(b" \r\n", b"\r\n").rstrip(b" ")
    text = re.sub(rb"(?:\r\n)+\Z", b"", flat)
    return text + b"\r\n" if text else b""


def _pick(header: bytes) -> tuple[list[str], bytes]:
    """Of a stretch of whole fields, those that are signed: names, and canonical lines, in the order of ``h=``.

    Fields of one name are taken from the bottom up (RFC 6376 section 5.4.2).
    """
    found = [relax_field(field) for field in _FIELD_END.split(header) if field]
    chosen = [(SIGNED.index(name), line) for name, line in reversed(found) if name in SIGNED]
    chosen.sort(key=lambda item: item[0])
    return [SIGNED[at] for at, _ in chosen], b"".join([line for _, line in chosen])


@lru_cache(maxsize=256)
def _heads(algorithm: str, domain: str, selector: str, names: tuple[str, ...]) -> tuple[str, str]:
    """The beginning of a signature field, to the end of ``h=``: (as sent, as hashed)."""
    listed = [f"{name}:" for name in (*names, *OVERSIGNED)]
    listed[-1] = listed[-1].removesuffix(":") + ";"
    listed[0] = "h=" + listed[0]
    tokens = ["v=1;", f"a={algorithm};", "c=relaxed/relaxed;", f"d={domain};", f"s={selector};", *listed]
    return fold("DKIM-Signature", tokens).removesuffix(CRLF), "dkim-signature:" + " ".join(tokens)


class Signer:
    """Signs messages, canonical CRLF and not dot-stuffed. Without keys it signs nothing.

    `fixed_header` and `body_prefix` are what all its messages share (`MessageTemplate` has both); without them every
    message is hashed from its beginning.
    """

    def __init__(self, keys: Sequence[SigningKey], *, fixed_header: bytes = b"", body_prefix: bytes = b"") -> None:
        order = list(Algorithm)
        self._keys = sorted(keys, key=lambda key: order.index(key.algorithm))
        self._fixed, self._prefix = fixed_header, body_prefix
        self._fixed_names, lines = _pick(fixed_header)
        self._fixed_hash, self._prefix_hash = hashlib.sha256(lines), hashlib.sha256(body_prefix)
        self._is_canonical = False

    def __bool__(self) -> bool:
        return bool(self._keys)

    def sign(self, message: bytes) -> bytes:
        """The message with its signatures before it."""
        return b"".join((*self.fields(message), message))

    def fields(self, message: bytes, *, at: int | None = None) -> list[bytes]:
        """The DKIM-Signature fields of `message`; `at` is the time they tell, in seconds, now where it is `None`."""
        if not self._keys:
            return []
        moment = int(time.time()) if at is None else at
        names, header_hash, body_start = self._hash_header(message)
        body_hash = base64.b64encode(self._hash_body(message, body_start)).decode()
        return [self._field(key, names, header_hash, body_hash, moment) for key in self._keys]

    @staticmethod
    def _field(key: SigningKey, names: tuple[str, ...], header_hash: "hashlib._Hash", body: str, moment: int) -> bytes:
        sent, hashed = _heads(key.algorithm, key.domain, key.selector, names)
        times = f"t={moment}; x={moment + VALID_SECONDS};"
        # Its own field is hashed last, with an empty b= and without a CRLF (RFC 6376 section 3.7).
        whole = header_hash.copy()
        whole.update(f"{hashed} {times} bh={body}; b=".encode())
        signature = base64.b64encode(key.sign(whole.digest())).decode()
        chunks = "\r\n ".join([signature[start : start + _CHUNK] for start in range(0, len(signature), _CHUNK)])
        return f"{sent}\r\n {times}\r\n bh={body};\r\n b={chunks}\r\n".encode()

    def _hash_header(self, message: bytes) -> tuple[tuple[str, ...], "hashlib._Hash", int]:
        """(names in order, hash of their canonical lines, where the body begins)."""
        end = message.find(b"\r\n\r\n")
        body_start = end + 4 if end >= 0 else len(message)
        own_end = body_start - len(self._fixed)
        if self._fixed and message.startswith(self._fixed, own_end):
            own_names, lines = _pick(message[:own_end])
            whole = self._fixed_hash.copy()
            whole.update(lines)
            return (*self._fixed_names, *own_names), whole, body_start
        names, lines = _pick(message[:body_start])
        return tuple(names), hashlib.sha256(lines), body_start

    def _hash_body(self, message: bytes, start: int) -> bytes:
        if self._is_canonical and message.startswith(self._prefix, start):
            whole = self._prefix_hash.copy()
            whole.update(memoryview(message)[start + len(self._prefix) :])
            return whole.digest()
        body = message[start:]
        relaxed = relax_body(body)
        # Bodies of one template differ in base64 only, which has no blanks: one that is canonical tells of all.
        self._is_canonical = bool(self._prefix) and relaxed == body and body.startswith(self._prefix)
        return hashlib.sha256(relaxed).digest()
