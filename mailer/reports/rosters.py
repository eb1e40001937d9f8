"""Who was a candidate of a mailing and is not on its roster, and why: to look through and to take away.

Sums add up: candidates = roster + exclusions. Pages walk an index of the exclusions, however many there are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Row as Found
from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from mailer.addresses import readable
from mailer.audience.models import Segment, Subscriber
from mailer.audience.searching import is_found
from mailer.audience.spreadsheets import Row
from mailer.audience.subscriptions import find_subscriber
from mailer.dispatch.exclusions import get_exclusions
from mailer.dispatch.models import Exclusion, Mailing, MailingSegment
from mailer.dispatch.rules import ExclusionReason

PAGE = 50


@dataclass(frozen=True, slots=True)
class RosterSums:
    """Of a prepared mailing: everybody who confirmed one of its lists, and what became of them."""

    roster: int
    exclusions: dict[ExclusionReason, int]

    @property
    def excluded(self) -> int:
        """All reasons together."""
        return sum(self.exclusions.values())

    @property
    def candidates(self) -> int:
        """Each reader once, however many of the lists they are on."""
        return self.roster + self.excluded


@dataclass(frozen=True, slots=True)
class Excluded:
    """Somebody who did not get it. `email` is what they are reached at now, `None` of who was erased since."""

    subscriber_id: int
    email: str | None
    name: str
    reason: ExclusionReason


@dataclass(frozen=True, slots=True)
class ExcludedPage:
    """In the order of the roster; `before` and `after` are the ids to ask the neighbouring pages with."""

    people: list[Excluded]
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The segments of a mailing by name: who had to be in all of `targets`, and in none of `exclusions`."""

    targets: tuple[str, ...]
    exclusions: tuple[str, ...]


def get_sums(session: Session, mailing: Mailing) -> RosterSums:
    """Every reason that occurs, the most frequent first."""
    return RosterSums(mailing.roster_size or 0, get_exclusions(session, mailing))


def get_narrowing(session: Session, mailing: Mailing) -> Narrowed:
    """What the mailing's segments are called now."""
    rows = session.execute(
        select(Segment.name, MailingSegment.is_exclusion)
        .join(Segment, Segment.id == MailingSegment.segment_id)
        .where(MailingSegment.mailing_id == mailing.id)
        .order_by(Segment.name)
    ).all()
    return Narrowed(
        tuple(name for name, is_exclusion in rows if not is_exclusion),
        tuple(name for name, is_exclusion in rows if is_exclusion),
    )


def list_excluded(
    session: Session,
    mailing_id: int,
    *,
    reason: ExclusionReason | None = None,
    search: str = "",
    after: int | None = None,
    before: int | None = None,
) -> ExcludedPage:
    """`search` is a part of an address. `PAGE` people, by subscriber id: no page skips anybody."""
    place = Exclusion.subscriber_id
    if before is not None:
        query = _query(mailing_id, reason, search, before=before).order_by(place.desc())
        rows = session.execute(query.limit(PAGE + 1)).all()
        has_more, shown = len(rows) > PAGE, rows[:PAGE][::-1]
        previous = shown[0].subscriber_id if shown and has_more else None
        following = shown[-1].subscriber_id if shown else None
    else:
        query = _query(mailing_id, reason, search, after=after).order_by(place)
        rows = session.execute(query.limit(PAGE + 1)).all()
        has_more, shown = len(rows) > PAGE, rows[:PAGE]
        previous = shown[0].subscriber_id if shown and after is not None else None
        following = shown[-1].subscriber_id if shown and has_more else None
    return ExcludedPage([_excluded(session, row) for row in shown], previous, following)


def export_excluded(
    session: Session,
    mailing_id: int,
    *,
    words: Mapping[ExclusionReason, str],
    reason: ExclusionReason | None = None,
    search: str = "",
) -> Iterator[Row]:
    """Address, name, reason in finished words. Streamed: a million people never stand in memory."""
    query = _query(mailing_id, reason, search).order_by(Exclusion.subscriber_id).execution_options(yield_per=1000)
    for row in session.execute(query):
        person = _excluded(session, row)
        yield (readable(person.email) if person.email else "", person.name, words.get(person.reason, person.reason))


def _query(
    mailing_id: int, reason: ExclusionReason | None, search: str, *, after: int | None = None, before: int | None = None
) -> Select[int, ExclusionReason, str, str, bool, int | None]:
    beyond = [Exclusion.subscriber_id > after] if after is not None else []
    beyond += [Exclusion.subscriber_id < before] if before is not None else []
    # Said of both sides, or a merge join walks the readers from the first.
    same = [Subscriber.id == Exclusion.subscriber_id]
    same += [Subscriber.id > after] if after is not None else []
    same += [Subscriber.id < before] if before is not None else []
    query = (
        select(
            Exclusion.subscriber_id,
            Exclusion.reason,
            Subscriber.email,
            Subscriber.name,
            Subscriber.erased_at.is_not(None).label("is_erased"),
            Subscriber.merged_into_id,
        )
        .outerjoin(Subscriber, and_(*same))
        .where(Exclusion.mailing_id == mailing_id, *beyond)
    )
    if reason is not None:
        query = query.where(Exclusion.reason == reason)
    if search.strip():
        query = query.where(is_found(search))
    return query


def _excluded(session: Session, row: Found[int, ExclusionReason, str, str, bool, int | None]) -> Excluded:
    email, name = (None, "") if row.is_erased else (row.email, row.name or "")
    if row.merged_into_id is not None:
        # Their address has become another reader's, who is them.
        person = find_subscriber(session, row.subscriber_id)
        email, name = (person.email, person.name) if person else (None, "")
    return Excluded(row.subscriber_id, email, name, ExclusionReason(row.reason))
