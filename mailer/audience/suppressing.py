"""The suppression list: addresses we will not send to, and how it is asked."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from mailer.audience.models import Subscriber, Suppression
from mailer.audience.rules import TAKEN_BACK_BY_CONFIRMING, SuppressionReason, replaces
from mailer.settings import get_settings

ERASED = "erased:"


def is_erased_key(email_key: str) -> bool:
    """Whether it is a hash, which nobody can read."""
    return email_key.startswith(ERASED)


def erased_key(email_key: str) -> str:
    """What stands in place of the address of a person who was erased: a keyed hash, which tells nothing without the
    service's secret and still recognises the address when somebody brings it again.
    """
    secret = get_settings().secret_key.get_secret_value().encode()
    return ERASED + hmac.digest(secret, b"mailer.audience/erased/" + email_key.encode(), hashlib.sha256).hex()


def active_suppression(
    newsletter_id: Any,
    *,
    email_key: InstrumentedAttribute[str] | ColumnElement[str] | None = None,
    reasons: Collection[SuppressionReason] | None = None,
) -> ColumnElement[bool]:
    """An SQL condition for set-based queries: the address is suppressed, everywhere or for `newsletter_id`.

    `newsletter_id` is a number, a column, or `None` for suppressions that hold everywhere only; `email_key` the column
    compared, `Subscriber.email_key` of the surrounding query when not given.
    """
    scope: ColumnElement[bool] = Suppression.newsletter_id.is_(None)
    if newsletter_id is not None:
        scope = or_(scope, Suppression.newsletter_id == newsletter_id)
    compared = Subscriber.email_key if email_key is None else email_key
    found = exists().where(Suppression.email_key == compared, _is_active(), scope)
    return found.where(Suppression.reason.in_(reasons)) if reasons is not None else found


def _is_active() -> ColumnElement[bool]:
    return Suppression.lifted_at.is_(None) & or_(
        Suppression.expires_at.is_(None), Suppression.expires_at > func.clock_timestamp()
    )


def find_suppressions(session: Session, email_key: str, newsletter_id: int | None = None) -> list[Suppression]:
    """The active ones that keep `newsletter_id` (or everything) from this address, those of an erased reader too."""
    scope: ColumnElement[bool] = Suppression.newsletter_id.is_(None)
    if newsletter_id is not None:
        scope = or_(scope, Suppression.newsletter_id == newsletter_id)
    keys = [email_key, erased_key(email_key)]
    query = select(Suppression).where(Suppression.email_key.in_(keys), _is_active(), scope).order_by(Suppression.id)
    return list(session.scalars(query))


def find_all_suppressions(session: Session, email_key: str) -> list[Suppression]:
    """Every active one of this address, those for one newsletter too."""
    keys = [email_key, erased_key(email_key)]
    query = select(Suppression).where(Suppression.email_key.in_(keys), _is_active()).order_by(Suppression.id)
    return list(session.scalars(query))


def is_suppressed(session: Session, email_key: str, newsletter_id: int | None = None) -> bool:
    """Whether nothing may be sent to this address, everywhere or for one newsletter."""
    return bool(find_suppressions(session, email_key, newsletter_id))


def suppress(
    session: Session,
    *,
    email_key: str,
    reason: SuppressionReason,
    newsletter_id: int | None = None,
    note: str = "",
    delivery_id: int | None = None,
    expires_at: dt.datetime | None = None,
) -> Suppression:
    """Suppresses an address, everywhere or for one newsletter, and gives back the row that now holds.

    Twice is once: an active suppression of the same scope stays, unless its reason is weaker or its time is over;
    then it is lifted and a new row tells the new reason.
    """
    while True:
        old = _lock_open_row(session, email_key, newsletter_id)
        if old is not None:
            moment = session.scalar(select(func.clock_timestamp()))
            is_over = old.expires_at is not None and moment is not None and old.expires_at <= moment
            if not is_over and not replaces(reason, old.reason):
                return old
            old.lifted_at = moment
            session.flush()
        values = {
            "email_key": email_key, "reason": reason, "newsletter_id": newsletter_id, "note": note,
            "delivery_id": delivery_id, "expires_at": expires_at,
        }  # fmt: skip
        statement = (
            insert(Suppression)
            .values(**values)
            .on_conflict_do_nothing(
                index_elements=[Suppression.email_key, text("coalesce(newsletter_id, 0)")],
                index_where=Suppression.lifted_at.is_(None),
            )
            .returning(Suppression)
        )
        made = session.scalar(statement)
        # Nothing came back when another transaction was faster: look at its row and decide again.
        if made is not None:
            return made


def _lock_open_row(session: Session, email_key: str, newsletter_id: int | None) -> Suppression | None:
    return session.scalar(
        select(Suppression)
        .where(
            Suppression.email_key == email_key,
            func.coalesce(Suppression.newsletter_id, 0) == (newsletter_id or 0),
            Suppression.lifted_at.is_(None),
        )
        .with_for_update()
    )


def lift(session: Session, suppression: Suppression, *, note: str = "") -> None:
    """Ends a suppression; its row stays and tells that it was. `note` says why, beside what brought it."""
    if suppression.lifted_at is None:
        suppression.lifted_at = session.scalar(select(func.clock_timestamp()))
        if note:
            suppression.note = f"{suppression.note}\n{note}".strip()
        session.flush()


def has_departed(session: Session, email_key: str) -> bool:
    """Whether the owner of this address left everything, or had everything erased."""
    return bool(_departures(session, email_key))


def take_back_departure(session: Session, email_key: str) -> None:
    """The reader came back by an act of their own: what held only because they had left is lifted."""
    for suppression in _departures(session, email_key):
        lift(session, suppression)


def _departures(session: Session, email_key: str) -> list[Suppression]:
    return [each for each in find_suppressions(session, email_key) if each.reason in TAKEN_BACK_BY_CONFIRMING]


def list_suppressions(
    session: Session, *, email_key: str | None = None, before_id: int | None = None, limit: int = 50
) -> list[Suppression]:
    """Newest first, lifted ones too; `before_id` is the last id of the page before. `email_key` may be a part."""
    query = select(Suppression).order_by(Suppression.id.desc()).limit(limit)
    if email_key:
        query = query.where(Suppression.email_key.contains(email_key.strip().casefold(), autoescape=True))
    if before_id is not None:
        query = query.where(Suppression.id < before_id)
    return list(session.scalars(query))
