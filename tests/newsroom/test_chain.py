import pytest

from mailer.accounts.rules import Role
from mailer.errors import RuleError
from mailer.newsroom.chain import (
    PLAIN_CHAIN,
    Signatory,
    SigningStep,
    chain_of,
    check_chain,
    check_eyes,
    find_capacity,
    whose_turn,
)

THREE = (SigningStep("编审", Role.EDITOR), SigningStep("审核"), SigningStep("签发", Role.APPROVER, (7,)))


def test_nothing_written_is_one_signature_of_any_approver() -> None:
    assert chain_of([]) == PLAIN_CHAIN
    assert chain_of([step.as_json() for step in THREE]) == THREE


@pytest.mark.parametrize(
    ("signed", "name", "is_last"), [(0, "编审", False), (1, "审核", False), (2, "签发", True), (3, "签发", True)]
)
def test_the_turns_follow_each_other(signed: int, name: str, is_last: bool) -> None:
    step, last = whose_turn(THREE, signed)
    assert (step.name, last) == (name, is_last)


def test_a_step_is_signed_by_its_role_or_by_those_it_names_and_by_nobody_else() -> None:
    approver, editor, named = Signatory(1, ["approver"]), Signatory(2, ["editor"]), Signatory(7, [])
    assert find_capacity(THREE[1], approver, []) == 1
    assert find_capacity(THREE[1], editor, []) is None
    assert find_capacity(THREE[2], approver, []) is None
    assert find_capacity(THREE[2], named, []) == 7


def test_a_deputy_signs_in_the_right_of_whom_they_stand_in_for() -> None:
    editor, named = Signatory(2, ["editor"]), Signatory(7, [])
    assert find_capacity(THREE[2], editor, [named]) == 7
    # Who may sign by themselves signs as themselves.
    assert find_capacity(THREE[0], editor, [named]) == 2


def test_each_signature_is_another_pair_of_eyes() -> None:
    with pytest.raises(RuleError, match="another pair of eyes to approve"):
        check_eyes(is_four_eyes=True, submitted_by=1, signed_by=[], signer=1)
    with pytest.raises(RuleError, match="signed an earlier step"):
        check_eyes(is_four_eyes=True, submitted_by=1, signed_by=[2], signer=2)
    check_eyes(is_four_eyes=True, submitted_by=1, signed_by=[2], signer=3)
    check_eyes(is_four_eyes=False, submitted_by=1, signed_by=[1], signer=1)
    check_eyes(is_four_eyes=True, submitted_by=None, signed_by=[], signer=None)


def test_a_chain_has_one_to_three_steps_with_names_of_their_own() -> None:
    assert check_chain([SigningStep()]) == PLAIN_CHAIN
    assert check_chain([SigningStep(" 审 核 "), SigningStep("签发")])[0].name == "审 核"
    for steps, problem in (
        ([], "one to three"),
        ([SigningStep(str(number)) for number in range(4)], "one to three"),
        ([SigningStep("审核"), SigningStep("")], "name of its own"),
        ([SigningStep("审核"), SigningStep("审核")], "name of its own"),
        ([SigningStep("长" * 41)], "at most 40"),
    ):
        with pytest.raises(RuleError, match=problem):
            check_chain(steps)
