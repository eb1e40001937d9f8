"""SMTP AUTH (RFC 4954): PLAIN (RFC 4616), LOGIN, and CRAM-MD5 (RFC 2195)."""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable

from mailer.dispatch.smtp.reply import Reply
from mailer.errors import DeferredError
from mailer.i18n import N_

NO_MECHANISM = N_("The relay offers no way of signing in that Mailer knows.")
BAD_CHALLENGE = N_("The relay's challenge cannot be read.")

Exchange = Callable[[bytes], Awaitable[Reply]]


async def authenticate(
    exchange: Exchange, mechanisms: frozenset[str], user: str, password: str, *, is_tls: bool
) -> None:
    """Signs in by the best offered mechanism. `exchange` sends one line and gives its reply.

    Within TLS that is PLAIN, the simplest; without it CRAM-MD5, which does not show the password. Raises
    `DeferredError` of stage ``auth`` where it fails: no recipient is at fault.
    """
    order = ("PLAIN", "LOGIN", "CRAM-MD5") if is_tls else ("CRAM-MD5", "PLAIN", "LOGIN")
    chosen = next((name for name in order if name in mechanisms), None)
    if chosen == "PLAIN":
        reply = await exchange(b"AUTH PLAIN " + _encode(f"\0{user}\0{password}"))
    elif chosen == "LOGIN":
        reply = await exchange(b"AUTH LOGIN")
        for answer in (user, password):
            if reply.code == 334:
                reply = await exchange(_encode(answer))
    elif chosen == "CRAM-MD5":
        reply = await exchange(b"AUTH CRAM-MD5")
        if reply.code == 334:
            reply = await exchange(_encode(_digest(reply, user, password)))
    else:
        raise DeferredError(NO_MECHANISM, stage="auth")
    if not reply.is_positive:
        raise DeferredError(reply.text, code=reply.code, enhanced=reply.enhanced, stage="auth")


def _digest(reply: Reply, user: str, password: str) -> str:
    try:
        challenge = base64.b64decode(reply.lines[-1], validate=True)
    except binascii.Error:
        raise DeferredError(BAD_CHALLENGE, stage="auth") from None
    return f"{user} {hmac.new(password.encode(), challenge, 'md5').hexdigest()}"


def _encode(text: str) -> bytes:
    return base64.b64encode(text.encode())
