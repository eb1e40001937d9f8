import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.audience.engagement import note_click, note_open
from mailer.audience.models import Engagement
from mailer.db import now
from mailer.newsletters.models import List
from tests.audience.conftest import SignUp, reader

EARLY, LATE = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 2, 1, tzinfo=dt.UTC)


@pytest.fixture
def ann_id(session: Session, single: List, fill_in: SignUp) -> int:
    fill_in(single)
    return reader(session).id


def test_the_latest_time_stays_whatever_the_order(session: Session, ann_id: int, single: List) -> None:
    for at in (EARLY, LATE, EARLY):
        note_open(session, ann_id, single.newsletter_id, at)
    note_click(session, ann_id, single.newsletter_id, EARLY)
    fact = session.scalars(select(Engagement)).one()
    assert (fact.last_open_at, fact.last_click_at) == (LATE, EARLY)


def test_nothing_is_noted_of_unknown_or_erased_readers(session: Session, ann_id: int, single: List) -> None:
    note_open(session, ann_id + 1, single.newsletter_id, LATE)
    reader(session).erased_at = now(session)
    session.flush()
    note_click(session, ann_id, single.newsletter_id, LATE)
    assert session.scalars(select(Engagement)).all() == []
