import datetime as dt

import pytest
from sqlalchemy.orm import Session

from mailer import links
from mailer.audience import pausing
from mailer.audience.models import Subscriber
from mailer.db import now
from mailer.errors import LinkError, RuleError


@pytest.fixture
def ann(session: Session) -> Subscriber:
    made = Subscriber(email="ann@example.org", email_key="ann@example.org", domain="example.org")
    session.add(made)
    session.commit()
    return made


def test_a_pause_lasts_until_the_day_begins_where_the_service_is(session: Session, ann: Subscriber) -> None:
    day = (now(session) + dt.timedelta(days=20)).date()
    pausing.pause(session, links.make_preferences_token(ann.id), day, zone="Asia/Shanghai")
    assert ann.paused_until == dt.datetime.combine(day, dt.time(), dt.timezone(dt.timedelta(hours=8)))
    assert pausing.is_paused(ann, now(session))
    assert not pausing.is_paused(ann, ann.paused_until)


def test_it_ends_when_the_reader_says_so(session: Session, ann: Subscriber) -> None:
    token = links.make_preferences_token(ann.id)
    pausing.pause(session, token, (now(session) + dt.timedelta(days=5)).date(), zone="UTC")
    pausing.resume(session, token)
    pausing.resume(session, token)
    assert not pausing.is_paused(ann, now(session))


@pytest.mark.parametrize("days", [0, -1, 400])
def test_days_gone_by_or_too_far_away_are_refused(session: Session, ann: Subscriber, days: int) -> None:
    day = (now(session) + dt.timedelta(days=days)).date()
    with pytest.raises(RuleError):
        pausing.pause(session, links.make_preferences_token(ann.id), day, zone="UTC")
    assert ann.paused_until is None


def test_only_a_mailed_link_pauses(session: Session, ann: Subscriber) -> None:
    with pytest.raises(LinkError):
        pausing.pause(session, "x", dt.date(2030, 1, 1), zone="UTC")
    ann.erased_at = now(session)
    session.flush()
    with pytest.raises(LinkError):
        pausing.resume(session, links.make_preferences_token(ann.id))
