import datetime as dt

import pytest
from sqlalchemy import text

from mailer.db import now
from mailer.dispatch.finishing import list_due
from mailer.dispatch.forecast import LimitedBy, forecast
from mailer.dispatch.pace import windows
from mailer.dispatch.pace.window_hours import EVERY_DAY, Window
from mailer.dispatch.preparing import prepare
from mailer.dispatch.progress import get_progress
from mailer.dispatch.sending import send
from mailer.errors import RuleError
from tests.dispatch.conftest import House
from tests.dispatch.sink import Late, Sink

WEEKDAYS = frozenset(range(5))
OFFICE = Window(WEEKDAYS, dt.time(9), dt.time(17), "Asia/Shanghai")


def utc(day: int, hour: int, minute: int = 0, *, month: int = 6) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, minute, tzinfo=dt.UTC)


def test_a_window_is_open_by_the_clocks_of_its_zone() -> None:
    # Friday 2026-06-05: nine to five in Shanghai is one to nine in UTC.
    assert OFFICE.closes_at(utc(5, 1)) == utc(5, 9)
    assert OFFICE.closes_at(utc(5, 0, 59)) is None
    assert OFFICE.closes_at(utc(5, 9)) is None
    assert OFFICE.opens_at(utc(5, 3)) == utc(5, 3)
    assert OFFICE.opens_at(utc(5, 9)) == utc(8, 1)


def test_a_night_reaches_into_the_next_day() -> None:
    night = Window(frozenset({4}), dt.time(22), dt.time(6), "UTC")
    assert night.closes_at(utc(6, 5)) == utc(6, 6)
    assert night.opens_at(utc(6, 6)) == utc(12, 22)


def test_whole_days_in_a_row_are_one_window() -> None:
    days = Window(frozenset({5, 6}), dt.time(0), dt.time(0), "UTC")
    assert days.closes_at(utc(6, 12)) == utc(8, 0)


def test_summer_time_moves_neither_end() -> None:
    berlin = Window(EVERY_DAY, dt.time(1), dt.time(4), "Europe/Berlin")
    # On 2026-03-29 the clocks go from two to three: that night has two hours from one to four.
    assert berlin.closes_at(utc(29, 0, 30, month=3)) == utc(29, 2, month=3)
    assert berlin.finish(utc(29, 0, month=3), 2.5 * 3600) == utc(29, 23, 30, month=3)


def test_work_is_spread_over_the_open_hours() -> None:
    assert OFFICE.finish(utc(5, 8), 1800) == utc(5, 8, 30)
    assert OFFICE.finish(utc(5, 8), 3 * 3600) == utc(8, 3)
    assert OFFICE.finish(utc(6, 12), 0) == utc(8, 1)


def shut(house: House, **owner: int) -> Window:
    """A window that opens in two hours by the database's clock."""
    opens = now(house.session) + dt.timedelta(hours=2)
    window = Window(EVERY_DAY, opens.time().replace(microsecond=0), (opens + dt.timedelta(hours=1)).time(), "UTC")
    windows.set_window(house.session, window, by=None, **(owner or {"newsletter_id": house.newsletter.id}))
    house.session.commit()
    return window


def test_outside_its_window_nothing_is_claimed_and_the_page_says_until_when(house: House, relay, redis: str) -> None:
    house.subscribe(5)
    mailing = house.mailing(0)
    prepare(mailing.id)
    window = shut(house)
    with Sink() as sink:
        relay(sink.url)
        assert send(mailing.id) is None
        assert house.states(mailing) == {"queued": 5}
        assert list_due(house.session) == []
        progress = get_progress(house.session, mailing)
        assert progress.opens_at == window.opens_at(now(house.session))
        assert (progress.closes_at, progress.stall) == (None, None)
        # The mailing's own is asked before its newsletter's.
        windows.set_window(
            house.session, Window(EVERY_DAY, dt.time(0), dt.time(0), "UTC"), mailing_id=mailing.id, by=None
        )
        house.session.commit()
        assert list_due(house.session) == [mailing.id]
        send(mailing.id)
        assert house.states(mailing) == {"accepted": 5}


def test_a_stall_of_the_night_is_none(house: House, redis: str) -> None:
    house.subscribe(1)
    mailing = house.mailing(0)
    prepare(mailing.id)
    house.session.execute(text("UPDATE mailings SET started_at = now() - interval '9 hours'"))
    opened = now(house.session) - dt.timedelta(minutes=2)
    window = Window(
        EVERY_DAY,
        opens := opened.time(),
        (dt.datetime.combine(dt.date.min, opens) + dt.timedelta(hours=3)).time(),
        "UTC",
    )
    windows.set_window(house.session, window, newsletter_id=house.newsletter.id, by=None)
    house.session.commit()
    house.session.refresh(mailing)
    progress = get_progress(house.session, mailing)
    assert progress.closes_at is not None
    assert progress.stall is None


def test_a_window_that_ends_in_mid_send_stops_it(
    house: House, relay, redis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough that it is not the run's own time that ends it.
    monkeypatch.setattr("mailer.dispatch.sending.RUN_SECONDS", 120.0)
    house.subscribe(600)
    mailing = house.mailing(0)
    prepare(mailing.id)
    closes = now(house.session) + dt.timedelta(seconds=5)
    window = Window(EVERY_DAY, (closes - dt.timedelta(hours=1)).time(), closes.time(), "UTC")
    windows.set_window(house.session, window, mailing_id=mailing.id, by=None)
    house.session.commit()
    with Sink() as sink:
        relay(sink.url)
        sink.answer("content", Late(0.2))
        send(mailing.id)
        states = house.states(mailing)
        assert set(states) == {"accepted", "queued"}
        # Ten connections at five a second each until it closes, and what was on its way.
        assert states["accepted"] <= 270
        assert states["accepted"] == len(sink.messages)
        assert {row.attempts for row in house.deliveries(mailing) if row.state == "queued"} == {0}
        assert send(mailing.id) is None


def test_the_forecast_counts_open_hours_only(house: House) -> None:
    house.subscribe(50, domain="163.com")
    windows.set_window(house.session, OFFICE, newsletter_id=house.newsletter.id, by=None)
    # One minute's work at half a minute before five: half of it waits for Monday.
    found = forecast(
        house.session, house.edition.id, [house.lists[0].id], start=utc(5, 8, 59) + dt.timedelta(seconds=30)
    )
    assert found.finish_at == utc(8, 1) + dt.timedelta(seconds=30)
    assert found.limited_by is LimitedBy.WINDOW


@pytest.mark.parametrize(
    ("window", "said"),
    [
        (Window(frozenset(), dt.time(9), dt.time(10), "UTC"), "one day"),
        (Window(EVERY_DAY, dt.time(9), dt.time(10), "Mars/Base"), "time zone"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(house: House, window: Window, said: str) -> None:
    with pytest.raises(RuleError, match=said):
        windows.set_window(house.session, window, newsletter_id=house.newsletter.id, by=None)


def test_a_window_can_be_taken_away(house: House) -> None:
    shut(house)
    windows.set_window(house.session, None, newsletter_id=house.newsletter.id, by=None)
    assert windows.find_window(house.session, newsletter_id=house.newsletter.id) is None
