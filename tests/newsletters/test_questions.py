from typing import Any

import pytest

from mailer.errors import RuleError
from mailer.newsletters.questions import (
    AnswerError,
    Question,
    QuestionKind,
    check_answer,
    check_answers,
    check_questions,
    merge_questions,
    question_of,
)

RANKS = {"key": "rank", "label": "职级", "kind": "choice", "choices": [" 处长 ", "科长", "科长", ""]}


def test_questions_are_tidied() -> None:
    assert check_questions([{"key": " Unit ", "label": " Your  unit "}, RANKS | {"is_required": True}]) == [
        {"key": "unit", "label": "Your unit", "kind": "text", "is_required": False},
        {"key": "rank", "label": "职级", "kind": "choice", "is_required": True, "choices": ["处长", "科长"]},
    ]
    assert check_questions([]) == []


@pytest.mark.parametrize(
    "entries",
    [
        [{"key": "Your unit", "label": "x"}],
        [{"key": "email", "label": "x"}],
        [{"key": "unit", "label": " "}],
        [{"key": "unit", "label": "x", "kind": "colour"}],
        [{"key": "unit", "label": "x", "kind": "choice", "choices": ["one"]}],
        [{"key": "unit", "label": "x", "kind": "choice", "choices": [str(number) for number in range(51)]}],
        [{"key": "unit", "label": "x"}, {"key": "UNIT", "label": "y"}],
        [{"key": f"k{number}", "label": "x"} for number in range(11)],
    ],
)
def test_what_cannot_be_asked_is_refused(entries: list[dict[str, Any]]) -> None:
    with pytest.raises(RuleError):
        check_questions(entries)


def test_a_question_kept_before_there_were_kinds_asks_for_a_text_and_needs_none() -> None:
    assert question_of({"key": "unit", "label": "Unit"}) == Question("unit", "Unit", QuestionKind.TEXT)


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("text", "  研发  一处 ", "研发 一处"),
        ("number", "12", "12"),
        ("number", "０12", "12"),
        ("number", "1,5", "1.5"),
        ("number", "－3．50", "-3.50"),
        ("date", "2026-03-31", "2026-03-31"),
        ("date", "２０２６-03-31", "2026-03-31"),
        ("choice", "科长", "科长"),
        ("choice", "", ""),
    ],
)
def test_an_answer_is_kept_in_one_form(kind: str, typed: str, kept: str) -> None:
    question = Question("x", "X", QuestionKind(kind), ("处长", "科长") if kind == "choice" else ())
    assert check_answer(question, typed) == kept
    assert check_answer(question, kept) == kept


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("text", "x" * 201),
        ("number", "twelve"),
        ("number", "1.2.3"),
        ("number", "1e5"),
        ("number", "١٢"),
        ("date", "31.3.2026"),
        ("date", "2026-02-30"),
        ("choice", "部长"),
    ],
)
def test_what_is_no_answer_is_refused_by_the_name_of_its_question(kind: str, typed: str) -> None:
    question = Question("x", "X", QuestionKind(kind), ("处长", "科长") if kind == "choice" else ())
    with pytest.raises(AnswerError) as caught:
        check_answer(question, typed)
    assert caught.value.key == "x"


def test_an_answer_that_is_needed_is_asked_for_and_others_may_be_left_out() -> None:
    questions = [Question("unit", "Unit", is_required=True), Question("rank", "Rank")]
    with pytest.raises(AnswerError, match="Please answer “Unit”"):
        check_answers(questions, {"unit": "  ", "rank": "x"})
    assert check_answers(questions, {"unit": "R&D", "rank": "", "other": "x"}) == {"unit": "R&D"}


def test_what_two_lists_ask_is_asked_once_and_needed_if_one_of_them_needs_it() -> None:
    first = check_questions([{"key": "unit", "label": "单位"}, RANKS])
    second = check_questions([{"key": "unit", "label": "Unit", "is_required": True}, {"key": "city", "label": "City"}])
    merged = merge_questions([first, second])
    assert [(each.key, each.label, each.is_required) for each in merged] == [
        ("unit", "单位", True),
        ("rank", "职级", False),
        ("city", "City", False),
    ]
