"""What was changed about a reader, by whom and how: for the line of time on their page."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account, AuditEntry
from mailer.audience.directories.models import Directory
from mailer.audience.import_models import ImportRun
from mailer.audience.models import AddressChange, LeaveReason, SubscriberChange

# Said by the consent that came of it.
_TOLD_ELSEWHERE = ("subscriber.added",)


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """`kind` is ``joined``, ``consent``, ``suppression``, ``lifted``, ``delivery``, ``excluded``, ``open``, ``click``,
    ``letter``, ``change``, ``address``, ``left`` or ``act``; `what` names its sort within the kind (an act, a state, a
    verdict); `details` are what the line can tell besides.
    """

    at: dt.datetime
    kind: str
    what: str
    details: dict[str, Any] = field(default_factory=dict)


def list_changes(session: Session, ids: Sequence[int]) -> Iterator[TimelineEntry]:
    """Name, language, answers, pause, address, reasons for leaving, and what accounts did, of the reader whose rows are
    `ids`.
    """
    yield from _changes(session, ids)
    yield from _addresses(session, ids)
    for row in session.scalars(select(LeaveReason).where(LeaveReason.subscriber_id.in_(ids))):
        yield TimelineEntry(row.created_at, "left", row.reason, {"note": row.note})
    acts = select(AuditEntry).where(
        AuditEntry.subject_type == "subscriber",
        AuditEntry.subject_id.in_(ids),
        AuditEntry.action.not_in(_TOLD_ELSEWHERE),
    )
    for entry in session.scalars(acts):
        details = {"by": _person(entry), "list_id": entry.details.get("list_id")}
        yield TimelineEntry(entry.at, "act", entry.action, details)


def _changes(session: Session, ids: Sequence[int]) -> Iterator[TimelineEntry]:
    rows = session.execute(
        select(SubscriberChange, Account.name, func.coalesce(ImportRun.filename, Directory.name))
        .outerjoin(Account, Account.id == SubscriberChange.account_id)
        .outerjoin(ImportRun, ImportRun.id == SubscriberChange.import_id)
        .outerjoin(Directory, Directory.id == SubscriberChange.directory_id)
        .where(SubscriberChange.subscriber_id.in_(ids))
        # Those of one moment in the order of the line of time: the last first.
        .order_by(SubscriberChange.id.desc())
    )
    for change, by, origin in rows:
        details = {"what": list(_differences(change)), "by": by or "", "origin": origin or ""}
        yield TimelineEntry(change.created_at, "change", change.how, details)


def _differences(change: SubscriberChange) -> Iterator[tuple[str, str, Any, Any]]:
    """(field, attribute or blank, before, after), moments as such."""
    for name in ("name", "locale", "paused_until"):
        if name in change.new:
            values = (change.old.get(name), change.new[name])
            old, new = (dt.datetime.fromisoformat(each) if name == "paused_until" and each else each for each in values)
            yield name, "", old, new
    for key, value in change.new.get("attributes", {}).items():
        yield "attribute", key, change.old.get("attributes", {}).get(key), value


def _addresses(session: Session, ids: Sequence[int]) -> Iterator[TimelineEntry]:
    for change in session.scalars(select(AddressChange).where(AddressChange.subscriber_id.in_(ids))):
        details = {"old": change.old_key, "new": change.email}
        # The second yes and the move are of one moment: what came of it first, as the line of time keeps it.
        moments = {
            "cancelled": change.cancelled_at,
            "done": change.done_at,
            "new_agreed": change.new_confirmed_at,
            "old_agreed": change.old_confirmed_at,
            "asked": change.created_at,
        }
        for what, at in moments.items():
            if at is not None:
                yield TimelineEntry(at, "address", what, details)


def find_actors(session: Session, suppression_ids: Iterable[int]) -> dict[tuple[int, str], str]:
    """(suppression, ``added`` or ``lifted``) -> the account that did it, where one did."""
    rows = session.scalars(
        select(AuditEntry).where(
            AuditEntry.subject_type == "suppression", AuditEntry.subject_id.in_(list(suppression_ids))
        )
    )
    return {(row.subject_id or 0, row.action.rpartition(".")[2]): _person(row) for row in rows}


def _person(entry: AuditEntry) -> str:
    return "" if entry.account_id is None else entry.actor
