"""The audit trail: who did what to what, when and from where. Rows are added, never changed: a trigger sees to it."""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account, AuditEntry

# Who acts where nobody has signed in: the service by itself, an operator at the terminal, a reader by a mailed link.
SYSTEM, TERMINAL, READER = "system", "terminal", "reader"
_actor = ContextVar("actor", default=SYSTEM)
PAGE_SIZE = 50


@contextmanager
def acting_as(actor: str) -> Iterator[None]:
    """What is recorded in this block without an account is `actor`'s doing."""
    before = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(before)


def record(
    session: Session,
    *,
    by: Account | None,
    action: str,
    subject_type: str,
    subject_id: int | None,
    ip: str | None = None,
    **details: Any,
) -> AuditEntry:
    """Adds one act to the trail, in the caller's transaction: what is rolled back was not done.

    `action` is ``thing.done`` (``account.invited``); `details` are plain JSON values, ids rather than addresses;
    `by` is `None` where nobody has signed in: see `acting_as`. Of a reader the network address is not kept: the trail
    outlives their erasure.
    """
    actor = _actor.get()
    entry = AuditEntry(
        at=func.clock_timestamp(),
        account_id=None if by is None else by.id,
        actor=actor if by is None else by.name,
        action=action,
        subject_type=subject_type,
        subject_id=subject_id,
        details=details,
        ip=None if by is None and actor == READER else ip,
    )
    session.add(entry)
    return entry


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted; `None` means any. `since` is inclusive, `until` is not."""

    account_id: int | None = None
    action: str | None = None
    subject_type: str | None = None
    subject_id: int | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    def narrow(self, entries: Select[Any]) -> Select[Any]:
        """`entries` with these conditions."""
        for column, value in (
            (AuditEntry.account_id, self.account_id),
            (AuditEntry.action, self.action),
            (AuditEntry.subject_type, self.subject_type),
            (AuditEntry.subject_id, self.subject_id),
        ):
            if value is not None:
                entries = entries.where(column == value)
        if self.since is not None:
            entries = entries.where(AuditEntry.at >= self.since)
        if self.until is not None:
            entries = entries.where(AuditEntry.at < self.until)
        return entries


def list_audit_entries(
    session: Session, wanted: AuditFilter, *, before_id: int | None = None, limit: int = PAGE_SIZE
) -> Sequence[AuditEntry]:
    """The newest first; `before_id` is the last id of the page before. The trail only grows, so paging by id neither
    skips nor repeats an entry while others are added.
    """
    entries = wanted.narrow(select(AuditEntry)).order_by(AuditEntry.id.desc()).limit(limit)
    if before_id is not None:
        entries = entries.where(AuditEntry.id < before_id)
    return session.scalars(entries).all()
