"""Segments as targets and exclusions of a mailing: which of its candidates are outside.

A candidate is inside when every target segment holds them and no excluded one does. Who is outside is noted in a
temporary table, once, so that the roster and the forecast ask one question of it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, insert, not_, or_, select, text
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table
from sqlalchemy.orm import Session

from mailer.audience.models import Subscriber, Subscription
from mailer.audience.rules import SubscriptionState
from mailer.audience.segmenting import IssueTimes, condition
from mailer.audience.segments import get_segment
from mailer.dispatch.models import Mailing, MailingSegment
from mailer.errors import RuleError
from mailer.i18n import N_

_OUTSIDERS = sql_table("segment_outsiders", sql_column("subscriber_id"))
_CREATE = text("CREATE TEMPORARY TABLE segment_outsiders (subscriber_id bigint NOT NULL) ON COMMIT DROP")


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Ids of the segments a reader must be in, all of them, and of those a reader must not be in."""

    targets: tuple[int, ...] = ()
    exclusions: tuple[int, ...] = ()

    @classmethod
    def of(cls, mailing: Mailing) -> "Narrowing":
        return cls(
            tuple(sorted(row.segment_id for row in mailing.segments if not row.is_exclusion)),
            tuple(sorted(row.segment_id for row in mailing.segments if row.is_exclusion)),
        )

    def rows(self, session: Session) -> list[MailingSegment]:
        """For a new mailing. Raises `NotFoundError`, `RuleError` for a segment that is both or is archived."""
        if set(self.targets) & set(self.exclusions):
            raise RuleError(N_("A segment cannot be both who gets it and who does not."))
        for segment_id in {*self.targets, *self.exclusions}:
            segment = get_segment(session, segment_id)
            if segment.archived_at is not None:
                raise RuleError(N_("The segment “%(name)s” is archived."), name=segment.name)
        return [MailingSegment(segment_id=each, is_exclusion=False) for each in sorted(set(self.targets))] + [
            MailingSegment(segment_id=each, is_exclusion=True) for each in sorted(set(self.exclusions))
        ]


def issue_times(session: Session) -> IssueTimes:
    """When the n-th last issue of a newsletter was first sent."""

    def time_of(newsletter_id: int, ordinal: int) -> dt.datetime | None:
        first = func.min(Mailing.started_at)
        return session.scalar(
            select(first)
            .where(Mailing.newsletter_id == newsletter_id, Mailing.started_at.is_not(None))
            .group_by(Mailing.issue_id)
            .order_by(first.desc())
            .offset(ordinal - 1)
            .limit(1)
        )

    return time_of


def note_outsiders(session: Session, narrowing: Narrowing, list_ids: Sequence[int]) -> bool:
    """Notes who of the lists' confirmed readers is outside; `False`, and no table, where there are no segments."""
    if not narrowing.targets and not narrowing.exclusions:
        return False
    session.execute(text("DROP TABLE IF EXISTS pg_temp.segment_outsiders"))
    session.execute(_CREATE)
    candidates = select(Subscription.subscriber_id).where(
        Subscription.state == SubscriptionState.CONFIRMED, Subscription.list_id.in_(list_ids)
    )
    outside = select(Subscriber.id).where(Subscriber.id.in_(candidates), _is_outside(session, narrowing))
    session.execute(insert(_OUTSIDERS).from_select(["subscriber_id"], outside))
    session.execute(text("ANALYZE segment_outsiders"))
    return True


def _is_outside(session: Session, narrowing: Narrowing) -> ColumnElement[bool]:
    times = issue_times(session)

    def holds(segment_id: int) -> ColumnElement[bool]:
        return condition(get_segment(session, segment_id).tree, times)

    return or_(
        *(not_(holds(segment_id)) for segment_id in narrowing.targets),
        *(holds(segment_id) for segment_id in narrowing.exclusions),
    )
