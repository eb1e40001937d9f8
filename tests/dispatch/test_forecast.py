import datetime as dt

import pytest
from sqlalchemy import text

from mailer.db import now
from mailer.dispatch import launching
from mailer.dispatch.forecast import ASSUMED_PER_CONNECTION, Forecast, LimitedBy, forecast, forecast_mailing
from mailer.dispatch.models import Attempt
from mailer.dispatch.pace import windows
from mailer.dispatch.pace.window_hours import Window
from mailer.dispatch.preparing import prepare
from mailer.dispatch.relays import registry as relays
from mailer.dispatch.rules import Outcome
from mailer.dispatch.suspending import suspend_relay
from mailer.errors import NotFoundError
from tests.dispatch.conftest import House


def ask(house: House, *lists: int, **options: object) -> Forecast:
    chosen = [house.lists[number].id for number in lists or (0,)]
    return forecast(house.session, house.edition.id, chosen, **options)  # type: ignore[arg-type]


def test_it_counts_whom_the_roster_will_hold_and_whom_not(house: House) -> None:
    both = house.subscribe(3, lists=(0, 1))
    house.subscribe(2, lists=(1,))
    house.suppress(both[0])
    found = ask(house, 0, 1)
    assert (found.recipients, found.exclusions) == (4, {"suppressed": 1})
    mailing = house.mailing(0)
    prepare(mailing.id)
    again = ask(house, 0, 1)
    assert (again.recipients, again.exclusions) == (2, {"suppressed": 1, "already_sent": 2})
    assert ask(house, 0, 1, is_repeat=True).recipients == 4
    prepared = prepare(house.mailing(0, 1).id)
    assert prepared is not None
    assert prepared.roster_size == again.recipients


def test_netease_takes_its_time_and_is_named(house: House) -> None:
    house.subscribe(100)
    house.subscribe(50, domain="163.com")
    start = now(house.session)
    found = ask(house, start=start)
    assert (found.limited_by, found.provider) == (LimitedBy.PROVIDER, "netease.com")
    assert found.seconds == pytest.approx(50 / (3000 / 3600))
    assert found.finish_at == start + dt.timedelta(seconds=found.seconds)
    shares = {item.provider: (item.recipients, item.limited_by) for item in found.providers}
    assert shares == {"other": (100, LimitedBy.ASSUMED), "netease.com": (50, LimitedBy.PROVIDER)}


def test_without_experience_the_connections_are_counted(house: House) -> None:
    house.subscribe(200)
    found = ask(house)
    assert found.limited_by is LimitedBy.ASSUMED
    assert found.rate == 10 * ASSUMED_PER_CONNECTION
    assert found.seconds == pytest.approx(2)


def test_the_tightest_of_the_rates_decides(house: House) -> None:
    house.subscribe(100)
    relays.create_relay(
        house.session, by=None, name="main", host="relay.test", port=25, security="none", username="", rate=20.0
    )
    found = ask(house)
    assert (found.limited_by, found.rate, found.seconds) == (LimitedBy.RELAY, 20.0, 5.0)
    slower = ask(house, rate=10.0)
    assert (slower.limited_by, slower.seconds) == (LimitedBy.MAILING, 10.0)
    assert ask(house, rate=50.0).limited_by is LimitedBy.RELAY


def test_the_last_unhindered_mailing_tells_how_fast_the_relay_is(house: House) -> None:
    house.subscribe(300)
    mailing = house.mailing(0)
    prepare(mailing.id)
    house.session.execute(
        text("UPDATE mailings SET state = 'finished', finished_at = now(), started_at = now() - interval '10 seconds'")
    )
    house.session.commit()
    found = ask(house, is_repeat=True)
    assert (found.limited_by, found.rate, found.seconds) == (LimitedBy.OBSERVED, 30.0, 10.0)


def test_nobody_takes_no_time(house: House) -> None:
    found = ask(house)
    assert (found.recipients, found.seconds, found.providers) == (0, 0.0, ())


def test_an_edition_that_is_not_there_is_said_so(house: House) -> None:
    with pytest.raises(NotFoundError):
        forecast(house.session, 4711, [])


def test_a_provider_takes_no_more_at_once_than_it_has_places(house: House) -> None:
    house.subscribe(400, domain="qq.com")
    house.subscribe(100)
    house.session.add_all(
        Attempt(
            delivery_id=number, provider=provider, at=now(house.session), relay="main", outcome=Outcome.ACCEPTED,
            duration_ms=milliseconds,
        )
        for provider, milliseconds in (("qq.com", 2000), ("other", 50)) for number in range(10)
    )  # fmt: skip
    found = ask(house)
    # Four places, two seconds each.
    assert (found.limited_by, found.provider, found.seconds) == (LimitedBy.PROVIDER, "qq.com", 200.0)
    assert {item.provider: item.limited_by for item in found.providers}["other"] is LimitedBy.ASSUMED


def test_a_mailing_is_forecast_with_all_that_was_chosen_for_it(house: House) -> None:
    house.subscribe(3600)
    mailing = launching.create_mailing(
        house.session, edition_id=house.edition.id, list_ids=[house.lists[0].id], by=None, rate=1.0
    )
    utc = dt.UTC
    launching.schedule(house.session, mailing, dt.datetime(2050, 1, 3, 9, 45, tzinfo=utc))
    everyday = frozenset(range(7))
    windows.set_window(
        house.session,
        Window(everyday, dt.time(0, 0), dt.time(12, 0), "UTC"),
        newsletter_id=house.newsletter.id,
        by=None,
    )
    found = forecast_mailing(house.session, mailing)
    assert (found.limited_by, found.finish_at) == (LimitedBy.MAILING, dt.datetime(2050, 1, 3, 10, 45, tzinfo=utc))
    own = Window(everyday, dt.time(9, 0), dt.time(10, 0), "UTC")
    windows.set_window(house.session, own, mailing_id=mailing.id, by=None)
    found = forecast_mailing(house.session, mailing)
    # A quarter of an hour of the first day's, and the rest of the next day's.
    assert (found.limited_by, found.finish_at) == (LimitedBy.WINDOW, dt.datetime(2050, 1, 4, 9, 45, tzinfo=utc))


def test_the_relays_it_would_take_are_named_and_that_none_of_them_answers(house: House) -> None:
    house.subscribe(10)
    for name, weight in (("main", 2), ("second", 1), ("reserve", 0)):
        relays.create_relay(
            house.session, by=None, name=name, host="relay.test", port=25, security="none", username="", weight=weight
        )
    found = ask(house)
    assert (found.relays, found.is_relay_away) == (("main", "second"), False)
    suspend_relay(house.session, relay="main", reply_class="connection", reply="")
    suspend_relay(house.session, relay="second", reply_class="connection", reply="")
    found = ask(house)
    assert (found.relays, found.is_relay_away) == (("reserve",), False)
    suspend_relay(house.session, relay="reserve", reply_class="connection", reply="")
    found = ask(house)
    assert (found.relays, found.is_relay_away, found.recipients) == (("main", "second"), True, 10)
