"""Secrets at rest: sealed with a key derived from `MAILER_SECRET_KEY`, one for each purpose (HKDF, RFC 5869)."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mailer.settings import get_settings

RELAY_PASSWORDS = b"mailer.dispatch.relays/password"
DKIM_KEYS = b"mailer.dispatch.dkim/private-key"
DIRECTORY_SECRETS = b"mailer.audience.directories/secret"


class UnsealableError(Exception):
    """Sealed with another secret key, for another purpose, or tampered with."""


def _sealer(purpose: bytes) -> Fernet:
    secret = get_settings().secret_key.get_secret_value().encode()
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret)
    return Fernet(base64.urlsafe_b64encode(key))


def seal(secret: bytes, purpose: bytes) -> bytes:
    """`secret` as it is stored; empty stays empty."""
    return _sealer(purpose).encrypt(secret) if secret else b""


def unseal(sealed: bytes, purpose: bytes) -> bytes:
    """The secret. Raises `UnsealableError`; its caller says what to do about it."""
    if not sealed:
        return b""
    try:
        return _sealer(purpose).decrypt(sealed)
    except InvalidToken:
        raise UnsealableError from None
