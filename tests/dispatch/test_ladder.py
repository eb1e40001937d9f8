import datetime as dt

import pytest

from mailer.dispatch.ladder import is_spent, is_spent_by_faults, wait_after, wait_after_fault


def test_waits_grow_and_then_stay_at_four_hours() -> None:
    minutes = [wait_after(count) / dt.timedelta(minutes=1) for count in range(9)]
    assert minutes == [5, 15, 30, 60, 120, 240, 240, 240, 240]


def test_a_fault_is_never_waited_for_longer_than_an_hour() -> None:
    assert [wait_after_fault(count) / dt.timedelta(minutes=1) for count in range(6)] == [5, 15, 30, 60, 60, 60]


@pytest.mark.parametrize("hours", [1, 24, 48, 72, 240])
def test_the_last_attempt_comes_within_the_hours_and_the_next_would_not(hours: int) -> None:
    limit, waited, count = dt.timedelta(hours=hours), dt.timedelta(), 0
    while not is_spent(count + 1, hours):
        waited += wait_after(count)
        count += 1
    assert waited <= limit < waited + wait_after(count)


def test_faults_have_a_budget_of_their_own_that_ends_too() -> None:
    assert not is_spent_by_faults(70, 72)
    assert is_spent_by_faults(80, 72)
