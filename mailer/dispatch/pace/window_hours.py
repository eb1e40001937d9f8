"""Sending windows on the calendar: on which days, between which hours, on whose clock. Pure."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

DAY = dt.timedelta(days=1)
# A forecast looks no further: a window of an hour a week serves 52 of them in so many days.
HORIZON_DAYS = 366
EVERY_DAY = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class Window:
    """Open from `starts` to `ends` on each of `days` (0 is Monday) by the clocks of `zone`.

    One that ends before it starts reaches into the next day; one that ends as it starts lasts a whole day.
    """

    days: frozenset[int]
    starts: dt.time
    ends: dt.time
    zone: str

    def spans(self, after: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """(opens, closes) in UTC of each time it is open that is not over at `after` (aware); touching ones are one."""
        held: tuple[dt.datetime, dt.datetime] | None = None
        for opens, closes in self._single(after):
            if held is not None and opens <= held[1]:
                held = (held[0], max(closes, held[1]))
                continue
            if held is not None:
                yield held
            held = (opens, closes)
        if held is not None:
            yield held

    def _single(self, after: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        zone = ZoneInfo(self.zone)
        first = after.astimezone(zone).date() - DAY
        for number in range(HORIZON_DAYS + 1):
            day = first + number * DAY
            if day.weekday() not in self.days:
                continue
            # Times on the wall, so that a change of the clocks moves neither end.
            opens = dt.datetime.combine(day, self.starts, zone).astimezone(dt.UTC)
            last = day if self.ends > self.starts else day + DAY
            closes = dt.datetime.combine(last, self.ends, zone).astimezone(dt.UTC)
            if closes > after and closes > opens:
                yield opens, closes

    def closes_at(self, at: dt.datetime) -> dt.datetime | None:
        """When it closes, if it is open at `at`; else `None`."""
        opens, closes = next(self.spans(at))
        return closes if opens <= at else None

    def opened_at(self, at: dt.datetime) -> dt.datetime:
        """When the span began that is open at `at`; where none is, when the next one does."""
        return next(self.spans(at))[0]

    def opens_at(self, at: dt.datetime) -> dt.datetime:
        """`at` itself where it is open then, else when it opens next."""
        return max(at, next(self.spans(at))[0])

    def finish(self, start: dt.datetime, seconds: float) -> dt.datetime:
        """When `seconds` of open time have passed since `start`; the horizon where they do not fit before it."""
        left = dt.timedelta(seconds=min(seconds, HORIZON_DAYS * DAY.total_seconds()))
        closes = start
        for opens, closes in self.spans(start):
            begins = max(opens, start)
            if left <= closes - begins:
                return begins + left
            left -= closes - begins
        return closes
