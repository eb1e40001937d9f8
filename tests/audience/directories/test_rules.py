import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.audience.directories.rules import Mapping, is_too_many, next_night
from mailer.audience.headings import Target
from mailer.errors import UnreadableError

SHANGHAI = "Asia/Shanghai"


def utc(*when: int) -> dt.datetime:
    return dt.datetime(*when, tzinfo=dt.UTC)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        (utc(2026, 3, 1, 12, 0), utc(2026, 3, 1, 19, 0)),
        (utc(2026, 3, 1, 18, 59, 59), utc(2026, 3, 1, 19, 0)),
        (utc(2026, 3, 1, 19, 0), utc(2026, 3, 2, 19, 0)),
        (utc(2026, 3, 1, 20, 0), utc(2026, 3, 2, 19, 0)),
    ],
)
def test_a_night_is_the_next_time_the_clock_shows_its_hour(moment: dt.datetime, due: dt.datetime) -> None:
    assert next_night(moment, 3, SHANGHAI) == due


@given(
    st.integers(0, 20 * 365 * 86_400).map(lambda seconds: utc(2020, 1, 1) + dt.timedelta(seconds=seconds)),
    st.integers(0, 23),
    st.sampled_from([SHANGHAI, "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_the_next_night_is_later_and_near(moment: dt.datetime, hour: int, zone: str) -> None:
    due = next_night(moment, hour, zone)
    assert moment < due <= moment + dt.timedelta(hours=26)


@pytest.mark.parametrize(
    ("removals", "members", "percent", "count", "expected"),
    [
        (0, 0, 0, 0, False),
        (1, 100, 0, 100, True),
        (10, 100, 10, 100, False),
        (11, 100, 10, 100, True),
        (5, 1000, 100, 5, False),
        (6, 1000, 100, 5, True),
        (3, 3, 100, 100, False),
    ],
)
def test_either_bound_stops(removals: int, members: int, percent: int, count: int, *, expected: bool) -> None:
    assert is_too_many(removals, members, percent=percent, count=count) is expected


def test_columns_are_found_by_their_headings_in_any_case_and_order() -> None:
    mapping = Mapping("Mail", "姓名", "preferredLanguage", {"department": "unit"})
    layout = mapping.layout(["UNIT", "mail", "phone", "姓名", "PreferredLanguage"])
    assert layout.targets == (Target.ATTRIBUTE, Target.EMAIL, Target.IGNORE, Target.NAME, Target.LOCALE)
    row = layout.read(2, ["Physics", "ann@example.org", "1", "Ann", "en"])
    assert (row.email, row.name, row.locale, row.attributes) == (
        "ann@example.org", "Ann", "en", {"department": "Physics"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("mapping", "headings"),
    [
        (Mapping("mail"), ["e-mail"]),
        (Mapping("mail", "cn"), ["mail"]),
        (Mapping("mail", "mail"), ["mail"]),
        (Mapping("mail", "", "", {"unit": "ou"}), ["mail", "unit"]),
    ],
)
def test_a_table_without_a_column_or_with_one_for_two_things_is_broken(mapping: Mapping, headings: list[str]) -> None:
    with pytest.raises(UnreadableError):
        mapping.layout(headings)


def test_a_mapping_is_kept_as_it_is() -> None:
    mapping = Mapping("mail", "cn", "lang", {"department": "ou"})
    assert Mapping.from_json(mapping.as_json()) == mapping
