"""Segments narrow a mailing: who is outside is excluded with the reason, and the sums add up."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update

from mailer.audience import segments
from mailer.audience.models import Engagement, Subscriber, Subscription
from mailer.db import now
from mailer.dispatch.forecast import forecast
from mailer.dispatch.models import Mailing
from mailer.dispatch.preparing import prepare
from mailer.dispatch.segmentation import Narrowing, issue_times
from mailer.errors import NotFoundError, RuleError
from tests.dispatch.conftest import House


def in_city(house: House, readers: list[int], city: str) -> int:
    """A segment of these readers."""
    house.session.execute(update(Subscriber).where(Subscriber.id.in_(readers)).values(attributes={"city": city}))
    tree = {"is": "attribute", "test": "equals", "key": "city", "value": city}
    made = segments.create_segment(house.session, name=city, tree=tree, by=None)
    house.session.commit()
    return made.id


def test_only_members_of_every_target_get_it_and_nobody_of_an_exclusion(house: House) -> None:
    here, there, nowhere = house.subscribe(3), house.subscribe(2), house.subscribe(1)
    kunming, beijing = in_city(house, here, "昆明"), in_city(house, there, "北京")
    targeted = house.mailing(0, narrowing=Narrowing(targets=(kunming,)))
    prepare(targeted.id)
    assert sorted(delivery.subscriber_id for delivery in house.deliveries(targeted)) == here
    assert house.exclusions(targeted) == dict.fromkeys([*there, *nowhere], "segment")
    excluding = house.mailing(0, is_repeat=True, narrowing=Narrowing(exclusions=(kunming, beijing)))
    prepare(excluding.id)
    assert [delivery.subscriber_id for delivery in house.deliveries(excluding)] == nowhere
    nobody = house.mailing(0, is_repeat=True, narrowing=Narrowing(targets=(kunming, beijing)))
    prepared = prepare(nobody.id)
    assert prepared is not None
    assert prepared.roster_size == 0
    assert len(house.exclusions(nobody)) == 6


def test_the_forecast_and_the_roster_say_the_same(house: House) -> None:
    here = house.subscribe(3)
    house.subscribe(2)
    house.suppress(here[0])
    narrowing = Narrowing(targets=(in_city(house, here, "昆明"),))
    expected = forecast(house.session, house.edition.id, [house.lists[0].id], narrowing=narrowing)
    again = forecast(house.session, house.edition.id, [house.lists[0].id], narrowing=narrowing)
    assert (expected.recipients, expected.exclusions) == (again.recipients, again.exclusions)
    house.session.rollback()
    mailing = house.mailing(0, narrowing=narrowing)
    prepared = prepare(mailing.id)
    assert prepared is not None
    assert (expected.recipients, expected.exclusions) == (2, {"suppressed": 1, "segment": 2})
    assert prepared.roster_size == 2
    assert sorted(house.exclusions(mailing).values()) == ["segment", "segment", "suppressed"]


def test_segments_that_contradict_or_are_gone_are_refused(house: House) -> None:
    readers = house.subscribe(1)
    made = in_city(house, readers, "昆明")
    with pytest.raises(RuleError):
        house.mailing(0, narrowing=Narrowing(targets=(made,), exclusions=(made,)))
    with pytest.raises(NotFoundError):
        house.mailing(0, narrowing=Narrowing(targets=(9999,)))
    segments.archive_segment(house.session, segments.get_segment(house.session, made), by=None)
    with pytest.raises(RuleError):
        house.mailing(0, narrowing=Narrowing(targets=(made,)))


def test_silence_is_counted_in_issues_that_were_sent(house: House) -> None:
    quiet, awake = house.subscribe(2)
    mailing = house.mailing(0)
    prepare(mailing.id)
    times = issue_times(house.session)
    assert times(house.newsletter.id, 2) is None
    sent_at = times(house.newsletter.id, 1)
    assert sent_at is not None
    house.session.execute(update(Mailing).values(started_at=sent_at - dt.timedelta(days=1)))
    house.session.execute(update(Subscription).values(confirmed_at=sent_at - dt.timedelta(days=30)))
    house.session.add(
        Engagement(subscriber_id=awake, newsletter_id=house.newsletter.id, last_click_at=now(house.session))
    )
    tree = {"is": "silent", "newsletter_id": house.newsletter.id, "issues": 1}
    silent = segments.create_segment(house.session, name="silent", tree=tree, by=None)
    house.session.commit()
    again = house.mailing(0, is_repeat=True, narrowing=Narrowing(targets=(silent.id,)))
    prepare(again.id)
    assert [delivery.subscriber_id for delivery in house.deliveries(again)] == [quiet]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=8))
def test_candidates_are_always_roster_and_exclusions(house: House, marks: list[tuple[bool, bool, bool]]) -> None:
    """Whatever readers are suppressed, in a target, in an exclusion: nobody is lost, nobody is there twice, and nobody
    who is suppressed is on the roster.
    """
    house.session.execute(text("TRUNCATE subscribers, mailings, segments, suppressions CASCADE"))
    house.session.commit()
    readers = [house.subscribe(1)[0] for _ in marks]
    targets = [reader for reader, mark in zip(readers, marks, strict=True) if mark[0]]
    outside = [reader for reader, mark in zip(readers, marks, strict=True) if mark[1]]
    for reader in targets:
        house.session.execute(update(Subscriber).where(Subscriber.id == reader).values(locale="en"))
    tree = {"is": "locale", "value": "en"}
    target = segments.create_segment(house.session, name="en", tree=tree, by=None)
    exclusion = in_city(house, outside, "昆明")
    suppressed = [reader for reader, mark in zip(readers, marks, strict=True) if mark[2]]
    for reader in suppressed:
        house.suppress(reader)
    mailing = house.mailing(0, narrowing=Narrowing((target.id,), (exclusion,)))
    prepare(mailing.id)
    roster = {delivery.subscriber_id for delivery in house.deliveries(mailing)}
    excluded = house.exclusions(mailing)
    assert roster | set(excluded) == set(readers)
    assert not roster & set(excluded)
    assert roster == set(targets) - set(outside) - set(suppressed)
    assert {reader for reader, reason in excluded.items() if reason == "suppressed"} == set(suppressed)
