"""Suppressions from a file: another system's blocklist, addresses that asked by phone. Whole or not at all.

Suppressing twice is once; a stronger reason takes the place of a weaker one, as by hand.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.addresses import parse_address
from mailer.audience.headings import Target, fold
from mailer.audience.layouts import propose, tidy
from mailer.audience.models import Suppression
from mailer.audience.rules import SuppressionReason
from mailer.audience.suppressing import suppress
from mailer.audience.tables import detect_shape, read_head, read_rows
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsletters.rules import check_text

# Each is looked at under lock, about a thousand a second: more would keep the page waiting.
MOST_ROWS = 20_000
REFUSALS_KEPT = 200
NOTE_LENGTH = 1000

_REASON_HEADINGS = frozenset({"reason", "原因", "status", "state", "状态"})
_NOTE_HEADINGS = frozenset({"note", "source", "comment", "备注", "来源", "说明"})
_EXPIRY_HEADINGS = frozenset({"expiresat", "expires", "until", "到期", "有效期至"})
_LIFTED_HEADINGS = frozenset({"liftedat", "解除时间"})
_REASONS: dict[str, SuppressionReason] = {
    **{reason.value: reason for reason in SuppressionReason if reason is not SuppressionReason.ERASED},
    "bounced": SuppressionReason.HARD_BOUNCE,
    "cleaned": SuppressionReason.HARD_BOUNCE,
    "complained": SuppressionReason.COMPLAINT,
    "spam": SuppressionReason.COMPLAINT,
    "unsubscribed": SuppressionReason.UNSUBSCRIBED_ALL,
}


@dataclass(slots=True)
class Outcome:
    """What became of the file's rows; `refusals` are (line, value, gettext id) of the first that were none."""

    added: int = 0
    present: int = 0
    lifted: int = 0
    refused: int = 0
    refusals: list[tuple[int, str, str]] = field(default_factory=list)

    def refuse(self, line: int, value: str, reason: str) -> None:
        self.refused += 1
        if len(self.refusals) < REFUSALS_KEPT:
            self.refusals.append((line, tidy(value, 320), reason))


def import_suppressions(
    session: Session,
    file: BinaryIO,
    *,
    filename: str,
    newsletter_id: int | None,
    note: str,
    by: Account | None,
    ip: str | None = None,
) -> Outcome:
    """Suppresses every address in the file, everywhere or for one newsletter; audited.

    A column for the reason, the note and the expiry (a day) is obeyed, ``manual`` and `note` stand where it is empty;
    what the file says was lifted is left out. Raises `UnreadableError`, `RuleError` for more rows than fit, or without
    a note.
    """
    note = check_text(note, length=NOTE_LENGTH, is_required=True)
    shape = detect_shape(file)
    head = read_head(file, shape, 1)[0]
    columns, has_header = _columns(head)
    outcome = Outcome()
    # Rows that are there already have a smaller id; a second line of the same address finds the first one's.
    newest = session.scalar(select(func.max(Suppression.id))) or 0
    seen: set[int] = set()
    for number, (line, cells) in enumerate(read_rows(file, shape)):
        if number == 0 and has_header:
            continue
        if number > MOST_ROWS:
            raise RuleError(N_("At most %(count)s addresses in one file, please: split it."), count=MOST_ROWS)
        _take(
            session,
            line,
            columns.read(cells),
            outcome,
            newsletter_id=newsletter_id,
            note=note,
            newest=newest,
            seen=seen,
        )
    record(
        session,
        by=by,
        action="suppressions.imported",
        subject_type="suppression",
        subject_id=None,
        ip=ip,
        filename=tidy(filename, 255),
        note=note,
        number=outcome.added,
    )
    return outcome


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where each thing stands; `None` where the file has no such column."""

    email: int
    reason: int | None
    note: int | None
    expiry: int | None
    lifted: int | None

    def read(self, cells: Sequence[str]) -> dict[str, str]:
        places = {
            "email": self.email, "reason": self.reason, "note": self.note, "expiry": self.expiry, "lifted": self.lifted,
        }  # fmt: skip
        return {
            name: cells[place].strip() if place is not None and place < len(cells) else ""
            for name, place in places.items()
        }


def _columns(head: Sequence[str]) -> tuple[_Columns, bool]:
    layout = propose(head)
    folded = [fold(cell) for cell in head] if layout.has_header else []

    def find(known: frozenset[str]) -> int | None:
        return next((place for place, heading in enumerate(folded) if heading in known), None)

    return (
        _Columns(
            layout.targets.index(Target.EMAIL),
            find(_REASON_HEADINGS),
            find(_NOTE_HEADINGS),
            find(_EXPIRY_HEADINGS),
            find(_LIFTED_HEADINGS),
        ),
        layout.has_header,
    )


def _take(
    session: Session,
    line: int,
    said: dict[str, str],
    outcome: Outcome,
    *,
    newsletter_id: int | None,
    note: str,
    newest: int,
    seen: set[int],
) -> None:
    if said["lifted"]:
        outcome.lifted += 1
        return
    try:
        address = parse_address(said["email"])
        reason = _reason(said["reason"])
        expires_at = _expiry(said["expiry"])
    except RuleError as error:
        outcome.refuse(line, said["email"], error.message)
        return
    row = suppress(
        session,
        email_key=address.key,
        reason=reason,
        newsletter_id=newsletter_id,
        note=tidy(said["note"], NOTE_LENGTH) or note,
        expires_at=expires_at,
    )
    if row.id > newest and row.id not in seen:
        seen.add(row.id)
        outcome.added += 1
    else:
        outcome.present += 1


def _reason(said: str) -> SuppressionReason:
    if not said:
        return SuppressionReason.MANUAL
    try:
        return _REASONS[said.casefold()]
    except KeyError:
        raise RuleError(N_("This is not a reason for a suppression.")) from None


def _expiry(said: str) -> dt.datetime | None:
    if not said:
        return None
    try:
        moment = dt.datetime.fromisoformat(said)
    except ValueError:
        raise RuleError(N_("This is not a day, as in 2027-12-31.")) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
