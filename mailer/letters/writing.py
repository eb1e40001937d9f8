"""Writing a letter: a row in the caller's transaction, and a hint once that is committed."""

import json
import secrets
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Session

from mailer.addresses import parse_address
from mailer.i18n import LOCALES
from mailer.letters.models import Letter
from mailer.letters.rules import LetterKind
from mailer.queue import TaskName, enqueue_after_commit
from mailer.settings import get_settings


def write(
    session: Session,
    kind: LetterKind,
    *,
    address: str,
    locale: str,
    parameters: dict[str, Any],
    newsletter_id: int | None = None,
) -> Letter:
    """Puts a letter into the outbox: it is sent if, and only if, the caller's transaction is committed.

    `parameters` are what the kind's template needs: plain JSON values and finished links. `newsletter_id` says under
    whose name it goes out; `None` is the service itself. Raises `RuleError` for an address that cannot be written to,
    `TypeError` for parameters that are not plain JSON.
    """
    receiver = parse_address(address)
    json.dumps(parameters)  # Fails here, where the mistake is, and not at the flush.
    letter = Letter(
        kind=kind,
        locale=locale if locale in LOCALES else LOCALES[0],
        address=receiver.email,
        address_key=receiver.key,
        newsletter_id=newsletter_id,
        parameters=parameters,
        message_id=_new_message_id(),
        next_attempt_at=func.now(),
    )
    session.add(letter)
    session.flush()
    enqueue_after_commit(session, TaskName.LETTERS_SEND)
    return letter


def _new_message_id() -> str:
    """Decided before sending and the same in every attempt, so that a second copy is recognisable."""
    domain = get_settings().sender_address.rpartition("@")[2]
    return f"<{secrets.token_hex(12)}.letter@{domain}>"
