"""The audit trail: who did what to what, when and from where. Rows are added, never changed: a trigger sees to it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account, AuditEntry

# The actor of what the service does by itself, or an operator at the terminal.
SYSTEM = "system"
PAGE_SIZE = 50


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
    `by` is `None` for the service itself.
    """
    entry = AuditEntry(
        at=func.clock_timestamp(),
        account_id=None if by is None else by.id,
        actor=SYSTEM if by is None else by.name,
        action=action,
        subject_type=subject_type,
        subject_id=subject_id,
        details=details,
        ip=ip,
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
