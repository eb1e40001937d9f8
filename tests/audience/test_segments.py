import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Text, func, select, text, update
from sqlalchemy.orm import Session

from mailer.accounts.models import AuditEntry
from mailer.audience import estimating, segments
from mailer.audience.conditions import MOST_CONDITIONS, read_tree
from mailer.audience.estimating import Certainty, glance
from mailer.audience.models import Engagement, Subscriber, Subscription
from mailer.audience.segmenting import condition, count_members, list_sample
from mailer.errors import NotFoundError, RuleError
from mailer.newsletters.models import List

NOW = dt.datetime.now(dt.UTC)


def never(_newsletter: int, _count: int) -> dt.datetime | None:
    return None


@pytest.fixture
def people(session: Session, double: List, single: List) -> dict[str, Subscriber]:
    """Ann reads, Bob has left, Eve is new and silent, Sue is erased."""
    made = {}
    for name, domain, locale, attributes in (
        ("ann", "example.org", "zh_CN", {"city": "北京", "age": 7}),
        ("bob", "mail.example.com", "en", {"city": "Kunming"}),
        ("eve", "example.com", "en", {}),
        ("sue", "erased.invalid", "zh_CN", {}),
    ):
        email = f"{name}@{domain}"
        made[name] = Subscriber(email=email, email_key=email, domain=domain, locale=locale, attributes=attributes)
    session.add_all(made.values())
    session.flush()
    made["sue"].erased_at = NOW
    old = NOW - dt.timedelta(days=100)
    for name, target, state, since in (
        ("ann", double, "confirmed", old), ("bob", double, "unsubscribed", old), ("eve", double, "confirmed", old),
        ("eve", single, "confirmed", NOW),
    ):  # fmt: skip
        session.add(
            Subscription(subscriber_id=made[name].id, list_id=target.id, state=state, source="test", confirmed_at=since)
        )
    session.add(
        Engagement(
            subscriber_id=made["ann"].id, newsletter_id=double.newsletter_id, last_open_at=NOW - dt.timedelta(days=3)
        )
    )
    session.execute(
        update(Subscriber)
        .where(Subscriber.id == made["bob"].id)
        .values(created_at=dt.datetime(2020, 5, 1, tzinfo=dt.UTC))
    )
    session.commit()
    return made


def who(session: Session, tree: object, times=never) -> set[str]:
    read = read_tree(tree)
    sample = {reader.email.partition("@")[0] for reader in list_sample(session, read, times)}
    assert count_members(session, read, times) == len(sample)
    return sample


ATTRIBUTE = {"is": "attribute", "test": "equals", "key": "city", "value": "北京"}


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (ATTRIBUTE, {"ann"}),
        ({"is": "attribute", "test": "equals", "key": "age", "value": "7"}, {"ann"}),
        ({"is": "attribute", "test": "contains", "key": "city", "value": "kun"}, {"bob"}),
        ({"is": "attribute", "test": "contains", "key": "city", "value": "%"}, set()),
        ({"is": "attribute", "test": "is_set", "key": "city"}, {"ann", "bob"}),
        ({"not": ATTRIBUTE}, {"bob", "eve"}),
        ({"is": "locale", "value": "en"}, {"bob", "eve"}),
        ({"is": "domain", "test": "equals", "value": "@Example.COM"}, {"eve"}),
        ({"is": "domain", "test": "contains", "value": "example.com"}, {"bob", "eve"}),
        ({"is": "signed_up", "test": "before", "value": "2020-05-02"}, {"bob"}),
        ({"is": "signed_up", "test": "since", "value": "2020-05-02"}, {"ann", "eve"}),
        ({"is": "signed_up", "test": "within", "days": "30"}, {"ann", "eve"}),
        ({"all": [{"is": "locale", "value": "en"}, {"is": "domain", "test": "contains", "value": "mail"}]}, {"bob"}),
        ({"any": [ATTRIBUTE, {"is": "domain", "test": "equals", "value": "example.com"}]}, {"ann", "eve"}),
        ({"not": {"any": [ATTRIBUTE, {"is": "locale", "value": "en"}]}}, set()),
    ],
)  # fmt: skip
def test_conditions_hold_whom_they_say_and_erased_readers_never(
    session: Session, people: dict[str, Subscriber], tree: object, expected: set[str]
) -> None:
    assert who(session, tree) == expected


def test_lists_and_states(session: Session, people: dict[str, Subscriber], double: List, single: List) -> None:
    assert who(session, {"is": "list", "list_id": double.id, "state": "confirmed"}) == {"ann", "eve"}
    assert who(session, {"is": "list", "list_id": double.id, "state": "unsubscribed"}) == {"bob"}
    assert who(session, {"not": {"is": "list", "list_id": str(single.id), "state": "confirmed"}}) == {"ann", "bob"}


def test_what_people_opened_and_clicked(session: Session, people: dict[str, Subscriber], double: List) -> None:
    paper = {"newsletter_id": double.newsletter_id}
    assert who(session, {"is": "opened", "test": "within", "days": 7} | paper) == {"ann"}
    assert who(session, {"is": "opened", "test": "within", "days": 2} | paper) == set()
    assert who(session, {"is": "opened", "test": "not_within", "days": 2} | paper) == {"ann", "bob", "eve"}
    assert who(session, {"is": "clicked", "test": "within", "days": 7} | paper) == set()


def test_silent_is_who_was_there_and_did_nothing_for_so_many_issues(
    session: Session, people: dict[str, Subscriber], double: List
) -> None:
    tree = {"is": "silent", "newsletter_id": double.newsletter_id, "issues": 2}
    assert who(session, tree) == set()
    asked = []

    def times(newsletter_id: int, count: int) -> dt.datetime | None:
        asked.append((newsletter_id, count))
        return NOW - dt.timedelta(days=10)

    assert who(session, tree, times) == {"eve"}
    assert asked[0] == (double.newsletter_id, 2)
    session.execute(update(Subscription).values(confirmed_at=NOW - dt.timedelta(days=9)))
    assert who(session, tree, times) == set()


@pytest.mark.parametrize(
    "tree",
    [
        None, [], {}, {"all": []}, {"any": "x"}, {"is": "sql", "value": "1=1"}, {"is": "attribute", "key": "a"},
        {"is": "attribute", "test": "equals", "key": "", "value": "x"},
        {"is": "attribute", "test": "equals", "key": "a\0", "value": "x"},
        {"is": "signed_up", "test": "before", "value": "yesterday"}, {"is": "locale", "value": "xx"},
        {"is": "opened", "test": "within", "newsletter_id": 1, "days": 0},
        {"is": "opened", "test": "within", "newsletter_id": 1, "days": 10**9},
        {"is": "list", "list_id": "x", "state": "confirmed"}, {"is": "list", "list_id": 1, "state": "gone"},
        {"all": [ATTRIBUTE], "any": [ATTRIBUTE]}, {"all": [ATTRIBUTE] * (MOST_CONDITIONS + 1)},
        {"not": {"not": {"not": {"not": {"not": {"not": {"not": ATTRIBUTE}}}}}}},
    ],
)  # fmt: skip
def test_what_is_no_tree_is_refused(tree: object) -> None:
    with pytest.raises(RuleError):
        read_tree(tree)


def test_more_than_was_asked_for_is_left_out() -> None:
    assert read_tree(ATTRIBUTE | {"sql": "DROP TABLE subscribers"}) == ATTRIBUTE


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["is", "all", "any", "not", "test", "key", "value", "days"]), inner, max_size=4
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_anything_is_a_tree_or_refused_and_a_tree_can_be_compiled(value: object) -> None:
    try:
        tree = read_tree(value)
    except RuleError:
        return
    assert read_tree(tree) == tree
    str(condition(tree, never).compile())


def test_segments_are_kept_changed_archived_and_audited(session: Session, double: List) -> None:
    made = segments.create_segment(session, name=" 北京 ", tree=ATTRIBUTE, by=None)
    with pytest.raises(RuleError, match="there already"):
        segments.create_segment(session, name="北京", tree=ATTRIBUTE, by=None)
    with pytest.raises(NotFoundError):
        segments.create_segment(session, name="x", tree={"is": "list", "list_id": 9999, "state": "confirmed"}, by=None)
    segments.change_segment(session, made, name="首都", tree={"not": ATTRIBUTE}, by=None)
    segments.archive_segment(session, made, by=None)
    session.commit()
    assert (made.name, made.tree) == ("首都", {"not": ATTRIBUTE})
    assert segments.list_segments(session) == []
    assert segments.list_segments(session, has_archived=True) == [made]
    acts = session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("segment.%")).order_by(AuditEntry.id))
    assert list(acts) == ["segment.created", "segment.changed", "segment.archived"]
    assert session.scalar(select(func.count()).select_from(Subscriber)) == 0


@pytest.fixture
def crowd(session: Session, double: List, monkeypatch: pytest.MonkeyPatch) -> None:
    """4,000 readers, every fourth of them in English, one in Peking: more than are counted without a sample."""
    session.execute(
        text(
            "INSERT INTO subscribers (email, email_key, domain, name, locale, attributes) "
            "SELECT n || '@example.org', n || '@example.org', 'example.org', '', "
            "CASE WHEN n % 4 = 0 THEN 'en' ELSE 'zh_CN' END, "
            "CASE WHEN n = 7 THEN '{\"city\": \"北京\"}' ELSE '{}' END::jsonb "
            "FROM generate_series(1, 4000) n"
        )
    )
    session.execute(text("ANALYZE subscribers"))
    monkeypatch.setattr(estimating, "EXACT_BELOW", 100)
    monkeypatch.setattr(estimating, "SAMPLE_ROWS", 2000)


@pytest.mark.usefixtures("crowd")
def test_many_readers_are_estimated_from_a_sample_and_few_members_are_counted(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    english = read_tree({"is": "locale", "value": "en"})
    many = glance(session, english, never)
    assert many.certainty is Certainty.ABOUT
    assert 500 <= many.count <= 1500
    few = glance(session, read_tree(ATTRIBUTE), never)
    assert (few.count, few.certainty) == (1, Certainty.EXACT)
    assert [reader.email for reader in few.readers] == ["7@example.org"]
    monkeypatch.setattr(estimating, "EXACT_BELOW", 10_000)
    counted = glance(session, english, never)
    assert (counted.count, counted.certainty, len(counted.readers)) == (1000, Certainty.EXACT, 5)


@pytest.mark.usefixtures("crowd")
def test_what_takes_too_long_to_count_is_told_as_a_bound_and_the_transaction_goes_on(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimating, "PATIENCE", 1)
    slow = func.pg_sleep(0.05).cast(Text) == ""
    monkeypatch.setattr(estimating, "count_members", lambda *_: session.scalars(select(slow)).one())
    monkeypatch.setattr(estimating, "list_sample", lambda *_, limit: session.scalars(select(slow).limit(limit)).all())
    few = glance(session, read_tree(ATTRIBUTE), never)
    assert few.certainty is Certainty.BELOW
    assert 1 < few.count < 200
    assert not few.are_newest
    assert {reader.email for reader in few.readers} <= {"7@example.org"}
    assert session.scalar(text("SHOW statement_timeout")) == "0"
