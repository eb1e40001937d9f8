import datetime as dt
import itertools

import pytest

from mailer.errors import RuleError
from mailer.newsroom.rules import (
    STEPS,
    Act,
    IssueState,
    Numbering,
    ReviewAct,
    as_numbers,
    can,
    check_note,
    check_numbering,
    expires_at,
    propose_numbering,
    take_step,
)

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
DRAFT, IN_REVIEW, APPROVED = IssueState
# The whole machine, written a second time by hand: state, act, where it leads, the line it leaves.
EXPECTED = {
    (DRAFT, Act.EDIT): (DRAFT, None),
    (DRAFT, Act.SUBMIT): (IN_REVIEW, ReviewAct.SUBMITTED),
    (DRAFT, Act.RETURN): None,
    (DRAFT, Act.PASS): None,
    (DRAFT, Act.APPROVE): None,
    (DRAFT, Act.WITHDRAW): None,
    (DRAFT, Act.EXPIRE): None,
    (IN_REVIEW, Act.EDIT): (DRAFT, ReviewAct.CHANGED),
    (IN_REVIEW, Act.SUBMIT): None,
    (IN_REVIEW, Act.RETURN): (DRAFT, ReviewAct.RETURNED),
    (IN_REVIEW, Act.PASS): (IN_REVIEW, ReviewAct.PASSED),
    (IN_REVIEW, Act.APPROVE): (APPROVED, ReviewAct.APPROVED),
    (IN_REVIEW, Act.WITHDRAW): (DRAFT, ReviewAct.WITHDRAWN),
    (IN_REVIEW, Act.EXPIRE): None,
    (APPROVED, Act.EDIT): (DRAFT, ReviewAct.CHANGED),
    (APPROVED, Act.SUBMIT): None,
    (APPROVED, Act.RETURN): None,
    (APPROVED, Act.PASS): None,
    (APPROVED, Act.APPROVE): None,
    (APPROVED, Act.WITHDRAW): (DRAFT, ReviewAct.WITHDRAWN),
    (APPROVED, Act.EXPIRE): (DRAFT, ReviewAct.EXPIRED),
}


@pytest.mark.parametrize(("state", "act"), list(itertools.product(IssueState, Act)))
def test_every_act_in_every_state_leads_where_the_table_says(state: IssueState, act: Act) -> None:
    expected = EXPECTED[state, act]
    assert can(state, act) is (expected is not None)
    if expected is None:
        with pytest.raises(RuleError):
            take_step(state, act)
    else:
        step = take_step(state, act)
        assert (step.state, step.review) == expected


def test_nothing_but_an_approval_leads_to_approved() -> None:
    ways = [(state, act) for (state, act), step in STEPS.items() if step.state == APPROVED]
    assert ways == [(IN_REVIEW, Act.APPROVE)]


def test_an_approval_lasts_as_long_as_the_newsletter_lets_it() -> None:
    assert expires_at(NOON, 3) == NOON + dt.timedelta(days=3)
    assert expires_at(NOON, None) is None
    assert expires_at(None, 3) is None


def test_a_return_says_why() -> None:
    assert check_note("  Title of article 2 \n") == "Title of article 2"
    with pytest.raises(RuleError, match="Say what should be changed"):
        check_note(" \n\t")


def test_the_next_number_is_one_more_than_the_highest_of_the_year() -> None:
    others = [Numbering(2024, "8", "104"), Numbering(2024, "增刊", None), Numbering(2023, "12", "96")]
    assert propose_numbering(2024, others) == Numbering(2024, "9", "105")
    assert propose_numbering(2025, others) == Numbering(2025, "1", "105")
    assert propose_numbering(2024, []) == Numbering(2024, "1", None)
    assert propose_numbering(2024, [Numbering(None, None)]) == Numbering(2024, "1", None)


def remarks(this: Numbering, *others: Numbering) -> list[str]:
    return [remark.message % remark.params for remark in check_numbering(this, others)]


def test_a_number_used_twice_is_remarked() -> None:
    assert remarks(Numbering(2024, "9"), Numbering(2024, "8"), Numbering(2024, "9")) == [
        "No. 9 of 2024 exists already."
    ]
    assert remarks(Numbering(2024, "增刊"), Numbering(2024, "增刊")) == ["No. 增刊 of 2024 exists already."]
    assert remarks(Numbering(2025, "9"), Numbering(2024, "9")) == []


def test_a_gap_in_the_numbers_is_remarked() -> None:
    assert remarks(Numbering(2024, "9"), Numbering(2024, "7")) == ["No. 8 of 2024 is missing."]
    assert remarks(Numbering(2024, "1"), Numbering(2023, "12")) == []
    assert remarks(Numbering(2024, "5")) == []  # the first issue a newsletter brings along from elsewhere
    assert remarks(Numbering(None, "5"), Numbering(2024, "1")) == []


def test_a_joint_issue_has_all_its_numbers() -> None:
    joint = Numbering(2024, "10—11", "106—107")
    assert [list(as_numbers(text)) for text in ("9", "10-11", "10—11期合刊", "7、8", "12/13")] == [
        [9], [10, 11], [10, 11], [7, 8], [12, 13]
    ]  # fmt: skip
    assert [list(as_numbers(text)) for text in (None, "", "增刊", "2024-2099", "9-8", "9a")] == [[]] * 6
    assert propose_numbering(2024, [Numbering(2024, "9", "105"), joint]) == Numbering(2024, "12", "108")
    assert remarks(Numbering(2024, "12", "108"), Numbering(2024, "9", "105"), joint) == []
    assert remarks(joint, Numbering(2024, "9", "105")) == []
    assert remarks(joint, Numbering(2024, "8", "104")) == [
        "No. 9 of 2024 is missing.",
        "Running number 105 is missing.",
    ]
    assert remarks(Numbering(2024, "11"), Numbering(2024, "10—11")) == ["No. 11 of 2024 exists already."]


def test_running_numbers_are_checked_over_the_years() -> None:
    december = Numbering(2023, "12", "96")
    assert remarks(Numbering(2024, "1", "97"), december) == []
    assert remarks(Numbering(2024, "1", "96"), december) == ["Running number 96 exists already."]
    assert remarks(Numbering(2024, "1", "99"), december) == ["Running number 98 is missing."]
    assert remarks(Numbering(2024, "1", "99"), Numbering(2023, "12")) == []
