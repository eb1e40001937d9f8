import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.audience import leaving
from mailer.audience.models import LeaveReason, Subscriber
from mailer.errors import RuleError


@pytest.fixture
def ann(session: Session) -> Subscriber:
    made = Subscriber(email="ann@example.org", email_key="ann@example.org", domain="example.org")
    session.add(made)
    session.commit()
    return made


def test_one_departure_has_one_reason_the_last(session: Session, ann: Subscriber) -> None:
    leaving.say_why(session, ann.id, [2, 1], "too_many")
    leaving.say_why(session, ann.id, [2, 1], "other", " Moved\r\naway ")
    said = session.scalars(select(LeaveReason)).one()
    assert (said.reason, said.note, said.list_ids) == ("other", "Moved\naway", [1, 2])


@pytest.mark.parametrize(("reason", "note"), [("", ""), ("because", ""), ("other", "x" * 1001)])
def test_what_cannot_be_is_refused(session: Session, ann: Subscriber, reason: str, note: str) -> None:
    with pytest.raises(RuleError):
        leaving.say_why(session, ann.id, [1], reason, note)


def test_nobody_says_nothing(session: Session, ann: Subscriber) -> None:
    leaving.say_why(session, 4711, [1], "other")
    assert session.scalars(select(LeaveReason)).all() == []
