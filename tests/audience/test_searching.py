import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from mailer.audience import leaving, searching, suppressing
from mailer.audience.models import Subscriber, Subscription
from mailer.audience.rules import SubscriptionState, SuppressionReason
from mailer.db import now
from mailer.errors import NotFoundError
from mailer.newsletters.models import List
from tests.audience.conftest import SignUp, reader


@pytest.fixture
def people(session: Session, double: List, single: List) -> list[int]:
    """Ten readers: the even ones on the double list, the odd ones on both and unsubscribed from the single one."""
    made = []
    for number in range(10):
        person = Subscriber(email=f"R_{number}@example.org", email_key=f"r_{number}@example.org", domain="example.org")
        person.subscriptions.append(Subscription(list_id=double.id, state=SubscriptionState.CONFIRMED, source="test"))
        if number % 2:
            person.subscriptions.append(
                Subscription(list_id=single.id, state=SubscriptionState.UNSUBSCRIBED, source="test")
            )
        session.add(person)
        session.flush()
        made.append(person.id)
    session.commit()
    return made


def test_pages_by_id_neither_skip_nor_repeat_anybody(session: Session, people: list[int]) -> None:
    seen: list[int] = []
    before = None
    while page := searching.list_subscribers(session, before_id=before, limit=3):
        seen += [each.id for each in page]
        before = seen[-1]
    assert seen == people[::-1]


def test_any_part_of_an_address_finds_its_reader_literally(session: Session, people: list[int]) -> None:
    def find(search: str) -> list[int]:
        return [each.id for each in searching.list_subscribers(session, search=search)]

    assert find("R_3@EXAMPLE") == find("_3@") == find(" r_3＠example．org ") == [people[3]]
    assert len(find("example")) == 10
    assert find("r%3") == []


@pytest.mark.parametrize("window", [1, 3, 7])
def test_what_the_newest_have_and_what_only_few_have_are_found_alike(
    session: Session, people: list[int], monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr(searching, "WINDOW", window)

    def pages(search: str, **wanted: object) -> list[int]:
        seen: list[int] = []
        before = None
        while page := searching.list_subscribers(session, search=search, before_id=before, limit=3, **wanted):  # type: ignore[arg-type]
            seen += [each.id for each in page]
            before = seen[-1]
        return seen

    assert pages("example") == people[::-1]
    assert pages("_2@") == [people[2]]
    assert pages("nobody") == []
    assert pages("example", state=SubscriptionState.UNSUBSCRIBED) == people[9::-2]


def test_readers_are_narrowed_by_list_and_state(
    session: Session, people: list[int], double: List, single: List
) -> None:
    def count(**wanted: object) -> int:
        return len(searching.list_subscribers(session, **wanted))  # type: ignore[arg-type]

    assert count(list_id=double.id) == 10
    assert count(list_id=single.id) == 5
    assert count(list_id=single.id, state=SubscriptionState.CONFIRMED) == 0
    assert count(state=SubscriptionState.UNSUBSCRIBED) == 5


def test_the_erased_are_not_found(session: Session, people: list[int]) -> None:
    session.get_one(Subscriber, people[0]).erased_at = now(session)
    assert people[0] not in [each.id for each in searching.list_subscribers(session)]


def test_the_search_can_use_its_index(session: Session, people: list[int]) -> None:
    session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = session.scalars(text("EXPLAIN SELECT id FROM subscribers WHERE email_key LIKE '%@exam%'")).all()
    assert "ix_subscribers_email_key_trgm" in "\n".join(plan)


def test_the_history_tells_consents_and_suppressions_newest_first(
    session: Session, single: List, fill_in: SignUp
) -> None:
    fill_in(single)
    ann = reader(session)
    leaving.unsubscribe(session, leaving.UnsubscribeTarget(ann.id, 0, (single.id,)), ip="192.0.2.7")
    session.commit()
    row = suppressing.suppress(
        session, email_key=ann.email_key, reason=SuppressionReason.MANUAL, note="by phone", newsletter_id=None
    )
    session.commit()
    suppressing.lift(session, row)
    session.commit()
    history = searching.get_history(session, ann.id)
    assert [entry.kind for entry in history] == [
        "suppression.lifted", "suppression.manual", "consent.withdrawn", "consent.confirmed",
    ]  # fmt: skip
    assert [entry.at for entry in history] == sorted((entry.at for entry in history), reverse=True)
    assert history[2].details["ip"] == "192.0.2.7"
    assert history[2].newsletter_id == single.newsletter_id
    with pytest.raises(NotFoundError):
        searching.get_history(session, 9999)
