"""How long a form has been open: a signed moment in a hidden field. Who is faster than a person can be is none."""

import math

from itsdangerous import BadSignature, URLSafeSerializer

from mailer.settings import get_settings

# Even with the browser's help it takes a person longer to read the page, tick the box and press the button.
LEAST_SECONDS = 2.0


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(get_settings().secret_key.get_secret_value(), salt="mailer.web.portal/stamp")


def make_stamp(now: float) -> str:
    """The field's value for a form shown at `now` (seconds since the epoch)."""
    return str(_serializer().dumps(math.floor(now * 10) / 10))


def is_human_pace(stamp: str | None, now: float) -> bool:
    """Whether a form with this stamp was open long enough. One that is missing or forged was never shown by us."""
    try:
        shown = float(_serializer().loads(stamp or ""))
    except (BadSignature, TypeError, ValueError):
        return False
    return now - shown >= LEAST_SECONDS
