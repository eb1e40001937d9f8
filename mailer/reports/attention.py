"""What wants a person's attention: asked by the admin's first page, each with a number and nothing when all is well."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.audience.directories.models import Directory, DirectoryRun
from mailer.audience.directories.runs import list_troubled
from mailer.audience.import_models import ImportRun
from mailer.audience.rules import ImportState
from mailer.db import now
from mailer.dispatch.models import Delivery, Mailing, Suspension
from mailer.dispatch.rules import DeliveryState, MailingState, SuspensionKind
from mailer.letters.models import Letter
from mailer.letters.rules import LetterState
from mailer.newsroom.models import Issue

# Sending rule 15: no progress for so long is a stall.
STALL = dt.timedelta(minutes=5)
# What failed longer ago than this has been seen, or no longer matters.
RECENT = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class HeldMailing:
    """A mailing that does not move though it should, and why. `is_stalled` means that nobody paused it."""

    id: int
    issue: Issue
    is_stalled: bool
    since: dt.datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Attention:
    """Everything of it; empty tuples and zeros when all is well."""

    unknown: dict[int, tuple[Issue, int]]  # mailing id -> (its issue, deliveries that wait for a decision)
    held: tuple[HeldMailing, ...]
    failed_imports: int
    failed_letters: int
    late_letters: int
    suspensions: tuple[Suspension, ...]
    directories: tuple[tuple[Directory, DirectoryRun], ...]  # whose newest run stopped or failed

    @property
    def is_calm(self) -> bool:
        """Whether nothing waits for anybody."""
        return not any(
            (
                self.unknown,
                self.held,
                self.failed_imports,
                self.failed_letters,
                self.late_letters,
                self.suspensions,
                self.directories,
            )
        )


def get_attention(session: Session) -> Attention:
    """A few counts over partial indexes; cheap enough for every visit."""
    moment = now(session)
    return Attention(
        unknown=_unknown(session),
        held=_held(session, moment),
        failed_imports=_count(session, ImportRun.state == ImportState.FAILED, ImportRun.finished_at > moment - RECENT),
        failed_letters=_count(
            session,
            Letter.state.in_([LetterState.REJECTED, LetterState.UNKNOWN, LetterState.EXPIRED]),
            Letter.settled_at > moment - RECENT,
        ),
        late_letters=_count(session, Letter.state == LetterState.QUEUED, Letter.created_at < moment - STALL),
        suspensions=tuple(
            session.scalars(
                select(Suspension)
                .where(Suspension.kind == SuspensionKind.SUSPENDED, Suspension.until > moment)
                .order_by(Suspension.provider)
            )
        ),
        directories=tuple(list_troubled(session)),
    )


def _count(session: Session, *conditions: object) -> int:
    return session.scalar(select(func.count()).where(*conditions)) or 0  # type: ignore[arg-type]


def _unknown(session: Session) -> dict[int, tuple[Issue, int]]:
    counted = (
        select(Delivery.mailing_id, func.count().label("count"))
        .where(Delivery.state == DeliveryState.UNKNOWN, Delivery.kept_at.is_(None))
        .group_by(Delivery.mailing_id)
        .subquery()
    )
    rows = session.execute(
        select(counted.c.mailing_id, Issue, counted.c.count)
        .join(Mailing, Mailing.id == counted.c.mailing_id)
        .join(Issue, Issue.id == Mailing.issue_id)
        .order_by(counted.c.mailing_id)
    )
    return {mailing_id: (issue, count) for mailing_id, issue, count in rows}


def _held(session: Session, moment: dt.datetime) -> tuple[HeldMailing, ...]:
    moved_at = func.coalesce(Mailing.progressed_at, Mailing.started_at, Mailing.created_at)
    stalled = Mailing.state.in_([MailingState.SENDING, MailingState.PREPARING]) & (moved_at < moment - STALL)
    rows = session.execute(
        select(Mailing, Issue, moved_at)
        .join(Issue, Issue.id == Mailing.issue_id)
        .where((Mailing.state == MailingState.PAUSED) | stalled)
        .order_by(Mailing.id)
    )
    return tuple(
        HeldMailing(
            id=mailing.id,
            issue=issue,
            is_stalled=mailing.state != MailingState.PAUSED,
            since=moved if mailing.state != MailingState.PAUSED else mailing.paused_at,
            reason=mailing.pause_reason if mailing.state == MailingState.PAUSED else "",
        )
        for mailing, issue, moved in rows
    )
