import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from mailer import links, newsletters
from mailer.audience import leaving, suppressing
from mailer.audience.models import Subscriber
from mailer.audience.preferences import get_preferences, save_preferences
from mailer.db import now
from mailer.errors import LinkError, RuleError
from mailer.newsletters.models import List, Newsletter
from tests.audience.conftest import SignUp, consents, kinds, reader, states


@pytest.fixture
def token(session: Session, single: List, fill_in: SignUp) -> str:
    """The preferences link of Ann, who reads the single opt-in list."""
    fill_in(single)
    return links.make_preferences_token(reader(session).id)


def save(session: Session, token: str, *list_ids: int, locale: str = "zh_CN", name: str = "Ann") -> list[int]:
    changes = save_preferences(session, token, list_ids=list_ids, locale=locale, name=name, wording="保存")
    session.commit()
    return [change.list_id for change in changes]


def test_the_page_shows_public_lists_and_the_private_ones_that_are_theirs(
    session: Session, token: str, newsletter: Newsletter, double: List, single: List
) -> None:
    newsletters.create_list(session, newsletter, slug="board", name="董事会", visibility="private")
    choices = {choice.list.id: choice.is_chosen for choice in get_preferences(session, token).choices}
    assert choices == {single.id: True, double.id: False}
    newsletters.change_list(session, single, visibility="private")
    assert {choice.list.id for choice in get_preferences(session, token).choices} == {single.id, double.id}


def test_a_ticked_list_is_joined_at_once_because_the_link_was_mailed(
    session: Session, token: str, double: List, single: List
) -> None:
    assert save(session, token, double.id, single.id) == [double.id]
    assert states(session) == {double.id: "confirmed", single.id: "confirmed"}
    assert consents(session)[-1] == (double.id, "confirmed")
    assert kinds(session) == ["welcome"]


def test_an_unticked_list_is_left_and_the_name_and_language_are_kept(
    session: Session, token: str, single: List
) -> None:
    assert save(session, token, locale="en", name="  安 娜 ") == [single.id]
    ann = reader(session)
    assert (ann.name, ann.locale) == ("安 娜", "en")
    assert states(session) == {single.id: "unsubscribed"}
    assert save(session, token, locale="en", name="安娜") == []


def test_coming_back_here_takes_back_that_everything_was_left(session: Session, token: str, single: List) -> None:
    leaving.leave_all(session, reader(session).id)
    session.commit()
    save(session, token, single.id)
    assert states(session) == {single.id: "confirmed"}
    assert not suppressing.is_suppressed(session, "ann@example.org")


def test_a_sign_up_that_waits_for_its_letter_is_not_cancelled_by_saving(
    session: Session, token: str, double: List, single: List, fill_in: SignUp
) -> None:
    fill_in(double)
    assert save(session, token, single.id) == []
    assert states(session)[double.id] == "unconfirmed"


def test_an_archived_list_can_be_left_but_not_joined(session: Session, token: str, double: List, single: List) -> None:
    for each in (single, double):
        newsletters.archive_list(session, each, at=now(session))
    session.commit()
    assert [choice.list.id for choice in get_preferences(session, token).choices] == [single.id]
    with pytest.raises(RuleError):
        save(session, token, double.id)
    session.rollback()
    assert save(session, token) == [single.id]
    assert get_preferences(session, token).choices == ()


@pytest.mark.parametrize("bad", [{"locale": "xx"}, {"name": "x" * 121}])
def test_impossible_values_are_refused_and_change_nothing(
    session: Session, token: str, single: List, bad: dict[str, str]
) -> None:
    with pytest.raises(RuleError):
        save(session, token, single.id, **bad)  # type: ignore[arg-type]
    session.rollback()
    assert reader(session).locale == "zh_CN"


def test_the_link_of_an_erased_reader_is_no_link_any_more(session: Session, token: str, single: List) -> None:
    reader(session).erased_at = now(session)
    session.commit()
    with pytest.raises(LinkError):
        get_preferences(session, token)
    with pytest.raises(LinkError):
        save(session, token)
    session.execute(delete(Subscriber))
    with pytest.raises(LinkError):
        get_preferences(session, token)
