"""What lists ask on their sign-up forms: checked, kept until the mailbox says yes, nobody's to change for others."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import links, newsletters
from mailer.audience import entrance, leaving
from mailer.audience.confirming import confirm, find_confirmation
from mailer.audience.models import Subscriber, SubscriberChange, Subscription
from mailer.audience.preferences import save_preferences
from mailer.errors import RuleError
from mailer.newsletters.models import List
from mailer.newsletters.questions import AnswerError
from tests.audience.conftest import SignUp, confirm_token, letters, reader, states

UNIT = {"key": "unit", "label": "所在单位", "is_required": True}
STAFF = {"key": "staff", "label": "人数", "kind": "number"}


@pytest.fixture
def asking(session: Session, double: List) -> List:
    """The double opt-in list wants to know a unit, and may be told a number."""
    newsletters.change_list(session, double, required_attributes=[UNIT, STAFF])
    session.commit()
    return double


def waiting(session: Session) -> dict[str, str]:
    return session.scalars(select(Subscription)).one().answers


def changes(session: Session) -> list[tuple[str, dict[str, object], dict[str, object]]]:
    rows = session.scalars(select(SubscriberChange).order_by(SubscriberChange.id))
    return [(str(row.how), row.old, row.new) for row in rows]


def test_answers_wait_for_the_button_and_are_the_readers_then(session: Session, asking: List, fill_in: SignUp) -> None:
    fill_in(asking, answers={"unit": " 研发处 ", "staff": "１２", "rank": "x"})
    assert waiting(session) == {"unit": "研发处", "staff": "12"}
    assert reader(session).attributes == {}
    shown = find_confirmation(session, confirm_token(session))
    assert shown.answers == (("所在单位", "研发处"), ("人数", "12"))
    confirm(session, confirm_token(session))
    session.commit()
    assert reader(session).attributes == {"unit": "研发处", "staff": "12"}
    assert waiting(session) == {}
    [(how, old, new)] = changes(session)
    assert (how, old) == ("confirmed", {"attributes": {"unit": None, "staff": None}})
    assert new == {"attributes": {"unit": "研发处", "staff": "12"}}


def test_the_letter_does_not_carry_what_was_answered(session: Session, asking: List, fill_in: SignUp) -> None:
    fill_in(asking, answers={"unit": "http://spam.example"})
    assert "spam" not in str(letters(session)[0].parameters)


@pytest.mark.parametrize("answers", [{}, {"unit": " "}, {"unit": "研发处", "staff": "many"}])
def test_what_is_missing_or_wrong_is_told_and_nothing_is_stored(
    session: Session, asking: List, fill_in: SignUp, answers: dict[str, str]
) -> None:
    with pytest.raises(AnswerError):
        fill_in(asking, answers=answers)
    session.rollback()
    assert session.scalar(select(Subscriber)) is None


def test_it_is_told_at_the_door_before_a_place_is_taken(session: Session, asking: List, redis: str) -> None:
    knock = entrance.Knock(email="ann@example.org", list_ids=[asking.id], locale="en", wording="x")
    with pytest.raises(AnswerError):
        entrance.enter(session, knock)
    assert letters(session) == []


def test_only_what_a_list_itself_asks_waits_beside_it(
    session: Session, asking: List, single: List, fill_in: SignUp
) -> None:
    newsletters.change_list(session, single, required_attributes=[{"key": "city", "label": "City"}])
    fill_in(asking, single, answers={"unit": "研发处", "city": "昆明"})
    rows = {row.list_id: row.answers for row in session.scalars(select(Subscription))}
    assert rows == {asking.id: {"unit": "研发处"}, single.id: {}}
    assert reader(session).attributes == {"city": "昆明"}


def test_a_stranger_fills_gaps_at_most_where_nobody_is_asked(session: Session, single: List, fill_in: SignUp) -> None:
    newsletters.change_list(session, single, required_attributes=[UNIT, STAFF])
    ann = Subscriber(email="ann@example.org", email_key="ann@example.org", domain="example.org")
    ann.attributes = {"unit": "真实单位"}
    session.add(ann)
    session.commit()
    fill_in(single, answers={"unit": "另一单位", "staff": "3"})
    session.refresh(ann)
    assert ann.attributes == {"unit": "真实单位", "staff": "3"}
    assert changes(session) == [("sign_up", {"attributes": {"staff": None}}, {"attributes": {"staff": "3"}})]
    fill_in(single, answers={"unit": "第三单位", "staff": "4"})
    session.refresh(ann)
    assert ann.attributes == {"unit": "真实单位", "staff": "3"}


def test_a_second_form_does_not_change_a_confirmed_reader(session: Session, asking: List, fill_in: SignUp) -> None:
    fill_in(asking, answers={"unit": "研发处"})
    confirm(session, confirm_token(session))
    session.commit()
    fill_in(asking, answers={"unit": "某处"})
    assert reader(session).attributes == {"unit": "研发处"}
    assert waiting(session) == {}


def test_answers_to_a_sign_up_that_was_left_are_forgotten(session: Session, asking: List, fill_in: SignUp) -> None:
    fill_in(asking, answers={"unit": "研发处"})
    leaving.leave_all(session, reader(session).id)
    session.commit()
    assert states(session) == {asking.id: "unsubscribed"}
    assert waiting(session) == {}


def test_settings_ask_who_joins_and_do_not_hold_up_who_was_imported_without_an_answer(
    session: Session, asking: List, single: List, fill_in: SignUp
) -> None:
    newsletters.change_list(session, asking, required_attributes=[])
    fill_in(asking)
    confirm(session, confirm_token(session))
    newsletters.change_list(session, asking, required_attributes=[UNIT, STAFF])
    session.commit()
    token = links.make_preferences_token(reader(session).id)

    def save(*list_ids: int, **attributes: str) -> None:
        save_preferences(session, token, list_ids=list_ids, locale="zh_CN", name="", attributes=attributes)
        session.commit()

    save(asking.id, unit="", staff="")
    assert reader(session).attributes == {}
    save(asking.id, unit="研发处", staff="5")
    assert reader(session).attributes == {"unit": "研发处", "staff": "5"}
    with pytest.raises(AnswerError):
        save(asking.id, unit="", staff="")
    session.rollback()
    save(asking.id, unit="研发处", staff="")
    assert reader(session).attributes == {"unit": "研发处"}
    newsletters.change_list(
        session, single, required_attributes=[{"key": "city", "label": "City", "is_required": True}]
    )
    session.commit()
    with pytest.raises(AnswerError):
        save(asking.id, single.id, unit="研发处", city="")
    session.rollback()
    # An unticked list needs nothing, and is told nothing.
    save(asking.id, unit="研发处", city="")
    save(unit="", city="大理")
    assert reader(session).attributes == {"unit": "研发处"}


def test_what_an_import_brought_stays_although_it_is_none_of_the_choices(
    session: Session, single: List, fill_in: SignUp
) -> None:
    fill_in(single)
    rank = {"key": "rank", "label": "职级", "kind": "choice", "choices": ["处长", "科长"]}
    newsletters.change_list(session, single, required_attributes=[rank])
    reader(session).attributes = {"rank": "主任"}
    session.commit()
    token = links.make_preferences_token(reader(session).id)
    save_preferences(session, token, list_ids=[single.id], locale="en", name="", attributes={"rank": "主任"})
    assert reader(session).attributes == {"rank": "主任"}
    with pytest.raises(RuleError):
        save_preferences(session, token, list_ids=[single.id], locale="en", name="", attributes={"rank": "部长"})
