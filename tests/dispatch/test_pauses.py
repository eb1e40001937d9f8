"""A reader who is away is not sent to: not put on a roster, and passed over in a claim that was prepared before."""

import datetime as dt

from mailer.audience.models import Subscriber
from mailer.db import now
from mailer.dispatch.claiming import recheck
from mailer.dispatch.forecast import forecast
from mailer.dispatch.preparing import prepare
from tests.dispatch.conftest import House
from tests.dispatch.test_claiming import take


def pause(house: House, reader: int, days: int) -> None:
    house.session.get_one(Subscriber, reader).paused_until = now(house.session) + dt.timedelta(days=days)
    house.session.commit()


def test_who_is_away_is_no_part_of_a_roster_and_the_sums_add_up(house: House) -> None:
    away, back, here = house.subscribe(3)
    pause(house, away, 3)
    pause(house, back, -1)
    mailing = house.mailing(0)
    assert forecast(house.session, mailing.edition_id, [house.lists[0].id]).exclusions == {"paused": 1}
    prepare(mailing.id)
    assert sorted(row.subscriber_id for row in house.deliveries(mailing)) == [back, here]
    assert house.exclusions(mailing) == {away: "paused"}


def test_a_pause_takes_effect_inside_a_running_send(house: House) -> None:
    first, second, third = house.subscribe(3)
    mailing = house.mailing(0)
    prepare(mailing.id)
    pause(house, first, 1)
    taken = take(house.session, mailing)
    assert (taken.skipped, {each.subscriber_id for each in taken.claims}) == (1, {second, third})
    pause(house, second, 1)
    looked = recheck(house.session, "host-1", [each.delivery_id for each in taken.claims])
    assert {each.subscriber_id: looked[each.delivery_id] for each in taken.claims} == {second: "paused", third: None}
