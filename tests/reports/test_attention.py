import datetime as dt

import pytest
from sqlalchemy import select

from mailer.audience.import_models import ImportRun
from mailer.db import now
from mailer.dispatch.models import Delivery, Suspension
from mailer.dispatch.rules import MailingState
from mailer.letters.models import Letter
from mailer.reports.attention import get_attention
from tests.web.admin_scene import make_list, make_mailing, make_readers


@pytest.fixture
def weekly(session):
    return make_list(session)


@pytest.fixture
def readers(session, weekly):
    return make_readers(session, weekly, 3)


def test_an_empty_service_is_calm(session):
    assert get_attention(session).is_calm


def test_unknown_deliveries_are_counted_by_mailing_until_somebody_decides(session, weekly, readers):
    first = make_mailing(session, weekly, readers, ["unknown", "accepted", "unknown"])
    second = make_mailing(session, weekly, readers, ["accepted", "accepted", "unknown"], number="10")
    unknown = get_attention(session).unknown
    assert {key: (issue.number, count) for key, (issue, count) in unknown.items()} == {
        first.id: ("9", 2),
        second.id: ("10", 1),
    }
    for delivery in session.scalars(select(Delivery).where(Delivery.state == "unknown")):
        delivery.kept_at = now(session)
    session.commit()
    assert get_attention(session).is_calm


@pytest.mark.parametrize(
    ("state", "minutes", "is_held", "is_stalled"),
    [
        (MailingState.SENDING, 6, True, True),
        (MailingState.SENDING, 4, False, False),
        (MailingState.PREPARING, 6, True, True),
        (MailingState.PAUSED, 1, True, False),
        (MailingState.FINISHED, 60, False, False),
        (MailingState.CANCELLED, 60, False, False),
    ],
)
def test_a_mailing_that_should_move_and_does_not_is_told(session, weekly, readers, state, minutes, is_held, is_stalled):
    mailing = make_mailing(session, weekly, readers, ["accepted"] * 3, state=state)
    mailing.progressed_at = now(session) - dt.timedelta(minutes=minutes)
    session.commit()
    held = get_attention(session).held
    assert [(each.id, each.is_stalled) for each in held] == ([(mailing.id, is_stalled)] if is_held else [])


@pytest.mark.parametrize(
    ("state", "days", "counted"),
    [
        ("rejected", 1, 1),
        ("expired", 6, 1),
        ("unknown", 1, 1),
        ("accepted", 1, 0),
        ("skipped", 1, 0),
        ("rejected", 8, 0),
    ],
)
def test_letters_that_failed_within_a_week_are_counted(session, state, days, counted):
    settled = now(session) - dt.timedelta(days=days)
    session.add(
        Letter(
            kind="confirm",
            locale="en",
            address="a@example.org",
            address_key="a@example.org",
            state=state,
            message_id="<a@example.org>",
            next_attempt_at=settled,
            settled_at=settled,
        )
    )
    session.commit()
    assert get_attention(session).failed_letters == counted


def test_imports_that_failed_and_suspensions_that_last_are_told(session, weekly):
    moment = now(session)
    for days in (1, 8):
        session.add(
            ImportRun(
                list_id=weekly.id,
                filename="x.csv",
                basis="consent",
                state="failed",
                finished_at=moment - dt.timedelta(days=days),
            )
        )
    for provider, minutes in (("qq", 5), ("gone", -5)):
        session.add(Suspension(provider=provider, until=moment + dt.timedelta(minutes=minutes), reply_class="rate"))
    session.commit()
    attention = get_attention(session)
    assert attention.failed_imports == 1
    assert [each.provider for each in attention.suspensions] == ["qq"]
    assert not attention.is_calm
