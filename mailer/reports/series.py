"""Opens and clicks over time: by the hour for the first two days, by the day after that."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.feedback.models import Click, Open
from mailer.feedback.rules import Verdict

HOURLY_FOR = dt.timedelta(hours=48)
# A mail is read for a few weeks; what comes later is in the totals.
LONGEST = dt.timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Point:
    """Events that began in the step from `at` (local time of the zone asked for); machines apart from the rest."""

    at: dt.datetime
    opens: int
    clicks: int
    machines: int


@dataclass(frozen=True, slots=True)
class Series:
    """`step` is ``hour`` or ``day``; points without a gap, empty when nothing was opened or clicked."""

    step: str
    points: list[Point]


def opens_and_clicks(session: Session, mailing_id: int, zone: ZoneInfo) -> Series:
    """Steps from the first event to the last, the quiet ones between them too."""
    first, last = _span(session, mailing_id)
    if first is None or last is None:
        return Series("hour", [])
    last = min(last, first + LONGEST)
    step = "hour" if last - first <= HOURLY_FOR else "day"
    counts = {table: _counts(session, table, mailing_id, step, zone) for table in (Open, Click)}
    points = []
    for at in _steps(first.astimezone(zone), last.astimezone(zone), step):
        key = at.replace(tzinfo=None)
        opens, clicks = counts[Open].get(key, (0, 0)), counts[Click].get(key, (0, 0))
        points.append(Point(at, opens[0], clicks[0], opens[1] + clicks[1]))
    return Series(step, points)


def _span(session: Session, mailing_id: int) -> tuple[dt.datetime | None, dt.datetime | None]:
    moments: list[dt.datetime] = []
    for table in (Open, Click):
        row = session.execute(select(func.min(table.at), func.max(table.at)).where(table.mailing_id == mailing_id))
        moments += [moment for moment in row.one() if moment is not None]
    return (min(moments), max(moments)) if moments else (None, None)


def _counts(
    session: Session, table: type[Open | Click], mailing_id: int, step: str, zone: ZoneInfo
) -> dict[dt.datetime, tuple[int, int]]:
    """Local start of the step -> (people's and unsure events, machines' events)."""
    local = func.date_trunc(step, func.timezone(zone.key, table.at)).label("local")
    rows = session.execute(
        select(local, table.verdict, func.count()).where(table.mailing_id == mailing_id).group_by(local, table.verdict)
    )
    found: dict[dt.datetime, tuple[int, int]] = {}
    for at, verdict, count in rows:
        people, machines = found.get(at, (0, 0))
        is_machine = verdict == Verdict.MACHINE
        found[at] = (people, machines + count) if is_machine else (people + count, machines)
    return found


def _steps(first: dt.datetime, last: dt.datetime, step: str) -> list[dt.datetime]:
    start = first.replace(minute=0, second=0, microsecond=0)
    if step == "day":
        start = start.replace(hour=0)
    length = dt.timedelta(hours=1) if step == "hour" else dt.timedelta(days=1)
    return [start + length * n for n in range(int((last - start) / length) + 1)]
