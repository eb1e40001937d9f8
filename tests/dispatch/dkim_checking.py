"""Receivers' side: dkimpy checks a message against the keys that a DNS of ours publishes."""

from collections.abc import Iterable

import dkim

from mailer.dispatch.dkim.models import DkimKey
from mailer.dispatch.dkim.rules import record_name, record_value


def publish(keys: Iterable[DkimKey]) -> dict[bytes, bytes]:
    """Name (with its last dot) -> TXT."""
    return {
        f"{record_name(key.domain, key.selector)}.".encode(): record_value(key.algorithm, key.public_key).encode()
        for key in keys
    }


def verify(message: bytes, records: dict[bytes, bytes]) -> list[bool]:
    """Whether each signature of `message` holds, in order."""
    # dkimpy speaks of 'DKIM-Signature' fields by their number from the top.
    count = message.partition(b"\r\n\r\n")[0].count(b"DKIM-Signature:")
    checker = dkim.DKIM(message, minkey=1024, timeout=1)
    return [_is_good(checker, number, records) for number in range(count)]


def _is_good(checker: dkim.DKIM, number: int, records: dict[bytes, bytes]) -> bool:
    try:
        return bool(checker.verify(idx=number, dnsfunc=lambda name, **_: records.get(name)))
    except dkim.DKIMException:
        return False
