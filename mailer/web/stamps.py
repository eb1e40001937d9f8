"""How long a form has been open: a signed moment in a hidden field. Who is faster than a person can be is none."""

import math

from itsdangerous import BadSignature, URLSafeSerializer

from mailer.settings import get_settings


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(get_settings().secret_key.get_secret_value(), salt="mailer.web.portal/stamp")


def make_stamp(now: float) -> str:
    """The field's value for a form shown at `now` (seconds since the epoch)."""
    return str(_serializer().dumps(math.floor(now * 10) / 10))


def seconds_open(stamp: str | None, now: float) -> float:
    """For how long. A stamp that is missing or forged was never shown by us: no time at all."""
    try:
        shown = float(_serializer().loads(stamp or ""))
    except (BadSignature, TypeError, ValueError):
        return -1.0
    return now - shown
