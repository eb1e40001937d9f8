"""What PostgreSQL reads out of the arrays we write."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from mailer.dispatch import arrays

TEXTS = st.lists(st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=8)
CALM = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


def read(session: Session, kind: str, array: str) -> object:
    return session.scalar(text(f"SELECT CAST(:array AS {kind}[])"), {"array": array})


@CALM
@given(TEXTS)
def test_any_text_arrives_as_it_was(session: Session, values: list[str | None]) -> None:
    assert read(session, "text", arrays.of_texts(values)) == values


def test_words_that_mean_something_in_an_array_are_only_words(session: Session) -> None:
    values = ["NULL", "null", "", " ", "{}", 'a"b', "a\\", ",", None, "退信：邮箱\n不存在"]
    assert read(session, "varchar", arrays.of_texts(values)) == values


@CALM
@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=8))
def test_whole_numbers_arrive_as_they_were(session: Session, values: list[int | None]) -> None:
    assert read(session, "bigint", arrays.of_numbers(values)) == values


@CALM
@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=8))
def test_fractions_arrive_as_they_were(session: Session, values: list[float | None]) -> None:
    assert read(session, "double precision", arrays.of_numbers(values)) == values


def test_flags_arrive_as_they_were(session: Session) -> None:
    assert read(session, "boolean", arrays.of_flags([True, False, True])) == [True, False, True]
