"""Proof of work for sign-ups under pressure: the ALTCHA protocol, version 2 (https://altcha.org/docs/v2/).

The browser finds a counter whose PBKDF2 key begins as the signed challenge says: a second or two of its time, nothing
for the server to keep. A proof is spent once; the rows that say so are forgotten with the admissions.
"""

import datetime as dt
import secrets
from typing import Any

import altcha
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mailer.audience.door_models import SpentProof
from mailer.db import now
from mailer.settings import get_settings

ALGORITHM = "PBKDF2/SHA-256"
# PBKDF2 rounds for each guess, and how many guesses it takes: about two seconds on a phone of 2020.
COST = 1_000
GUESSES = (1_000, 3_000)
LIFETIME = dt.timedelta(minutes=20)
# A payload is some 700 bytes; nobody needs to send us books.
MOST_CHARACTERS = 4_000


def _secret(purpose: str) -> str:
    return f"mailer.audience/proofs/{purpose}/" + get_settings().secret_key.get_secret_value()


def make_challenge(
    session: Session, *, cost: int | None = None, guesses: tuple[int, int] | None = None
) -> dict[str, Any]:
    """A fresh challenge as JSON values, for the widget or another program."""
    least, most = guesses or GUESSES
    challenge = altcha.create_challenge(
        ALGORITHM,
        cost or COST,
        counter=least + secrets.randbelow(most - least + 1),
        expires_at=now(session) + LIFETIME,
        hmac_secret=_secret("challenge"),
        hmac_key_secret=_secret("key"),
    )
    return challenge.to_dict()


def spend(session: Session, payload: str | None) -> bool:
    """Whether `payload` proves the work, for the first time. A proof is spent with the caller's transaction."""
    if not payload or len(payload) > MOST_CHARACTERS:
        return False
    result = altcha.verify_solution(payload, _secret("challenge"), hmac_key_secret=_secret("key"))
    if not result.verified:
        return False
    signature = _signature_of(payload)
    made = session.scalar(
        insert(SpentProof)
        .values(signature=signature)
        .on_conflict_do_nothing(index_elements=[SpentProof.signature])
        .returning(SpentProof.signature)
    )
    return made is not None


def _signature_of(payload: str) -> str:
    """The challenge's own signature: what is proven twice is the same challenge, however the payload is written."""
    return str(altcha.Payload.from_base64(payload).challenge.signature)
