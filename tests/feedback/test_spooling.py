import datetime as dt

import pytest
from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.feedback.events import Event
from mailer.feedback.models import Open
from mailer.feedback.spooling import SPOOL, absorb, spool
from tests.factories import SENT_AT, make_sent_mailing


def test_what_came_while_the_database_was_away_is_recorded_later_and_once(redis: str, session: Session) -> None:
    sent = make_sent_mailing(session)
    event = Event("a", SENT_AT + dt.timedelta(hours=1), sent.deliveries[0].id, "GET", "Mozilla/5.0 Safari", None)
    assert spool(event) is True
    assert spool(event) is True
    with Redis.from_url(redis) as client:
        client.rpush(SPOOL, "not json", '{"at": 3}')
    assert absorb(session) == 4
    assert absorb(session) == 0
    assert [kept.at for kept in session.scalars(select(Open))] == [event.at]


def test_an_event_survives_its_way_through_the_spool() -> None:
    event = Event("a", SENT_AT, 7, "HEAD", "代理", "2001:db8::1", (3, 4))
    assert Event.from_json(event.to_json()) == event


@pytest.mark.parametrize("text", ["", "[]", "3", '{"link": null}', '{"at": "x", "link": null}'])
def test_what_is_no_event_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Event.from_json(text)
