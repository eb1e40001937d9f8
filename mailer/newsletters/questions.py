"""What a list asks of its readers, and which answers do. Pure.

A list keeps its questions as plain values (`List.required_attributes`); an answer is kept as a text, an attribute of
the reader named by the question's key.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsletters.rules import check_text

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
# What every reader has besides.
RESERVED_KEYS = frozenset({"name", "email", "locale"})
MOST_QUESTIONS = 10
MOST_CHOICES = 50
LABEL_LENGTH = 120
ANSWER_LENGTH = 200
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}([.,][0-9]{1,6})?")
# Digits and signs of Chinese input methods.
_HALF_WIDTH = str.maketrans("０１２３４５６７８９．－＋，", "0123456789.-+,")


class QuestionKind(StrEnum):
    """What an answer must look like."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"


class AnswerError(RuleError):
    """An answer that cannot be, or is missing; `key` names the question."""

    def __init__(self, key: str, message: str, **params: object) -> None:
        super().__init__(message, **params)
        self.key = key


@dataclass(frozen=True, slots=True)
class Question:
    """`key` names the attribute, `label` is what readers are asked; `choices` are the answers of a choice."""

    key: str
    label: str
    kind: QuestionKind = QuestionKind.TEXT
    choices: tuple[str, ...] = ()
    is_required: bool = False


def question_of(entry: Mapping[str, Any]) -> Question:
    """As `List.required_attributes` keeps it."""
    return Question(
        entry["key"],
        entry["label"],
        QuestionKind(entry.get("kind", QuestionKind.TEXT)),
        tuple(entry.get("choices", ())),
        bool(entry.get("is_required", False)),
    )


def check_questions(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What a list may ask: at most ten things, each key once. Raises `RuleError`."""
    cleaned = [_clean(entry) for entry in entries]
    if len({entry["key"] for entry in cleaned}) < len(cleaned):
        raise RuleError(N_("Each attribute can be asked for once."))
    if len(cleaned) > MOST_QUESTIONS:
        raise RuleError(N_("A list can ask for at most %(count)s things."), count=MOST_QUESTIONS)
    return cleaned


def _clean(entry: Mapping[str, Any]) -> dict[str, Any]:
    key = str(entry["key"]).strip().lower()
    if not KEY.fullmatch(key) or key in RESERVED_KEYS:
        raise RuleError(N_("An attribute's short name has small letters, digits and _ only, such as department."))
    label = check_text(entry["label"], length=LABEL_LENGTH, is_required=True)
    try:
        kind = QuestionKind(entry.get("kind", QuestionKind.TEXT))
    except ValueError:
        raise RuleError(N_("There is no such choice.")) from None
    cleaned: dict[str, Any] = {
        "key": key,
        "label": label,
        "kind": kind.value,
        "is_required": bool(entry.get("is_required", False)),
    }
    if kind is QuestionKind.CHOICE:
        cleaned["choices"] = _clean_choices(label, entry.get("choices", ()))
    return cleaned


def _clean_choices(label: str, choices: Iterable[str]) -> list[str]:
    named = (check_text(choice, length=ANSWER_LENGTH) for choice in choices)
    kept = list(dict.fromkeys(choice for choice in named if choice))
    if not 2 <= len(kept) <= MOST_CHOICES:
        raise RuleError(
            N_("“%(label)s” is a choice: name its answers, from 2 to %(count)s."), label=label, count=MOST_CHOICES
        )
    return kept


def merge_questions(asked: Iterable[Sequence[Mapping[str, Any]]]) -> tuple[Question, ...]:
    """The questions of several lists, each thing once: as the first list words it, needed if one of them needs it."""
    found: dict[str, Question] = {}
    for entries in asked:
        for question in map(question_of, entries):
            known = found.get(question.key, question)
            is_required = known.is_required or question.is_required
            found[question.key] = Question(known.key, known.label, known.kind, known.choices, is_required)
    return tuple(found.values())


def check_answers(questions: Iterable[Question], given: Mapping[str, str]) -> dict[str, str]:
    """Key -> answer as it is kept, of what was asked and answered. Raises `AnswerError`."""
    answers = {question.key: check_answer(question, given.get(question.key, "")) for question in questions}
    return {key: answer for key, answer in answers.items() if answer}


def check_answer(question: Question, given: str) -> str:
    """The answer as it is kept, empty where none was given and none is needed. Raises `AnswerError`."""
    try:
        text = check_text(given, length=ANSWER_LENGTH)
    except RuleError as error:
        raise AnswerError(question.key, error.message, **error.params) from None
    if not text:
        if question.is_required:
            raise AnswerError(question.key, N_("Please answer “%(label)s”."), label=question.label)
        return ""
    return _READERS[question.kind](question, text)


def _number(question: Question, text: str) -> str:
    plain = text.translate(_HALF_WIDTH).replace(" ", "")
    if not _NUMBER.fullmatch(plain):
        raise AnswerError(question.key, N_("“%(label)s” asks for a number, such as 12 or 3.5."), label=question.label)
    whole, _, rest = plain.replace(",", ".").partition(".")
    return f"{int(whole)}.{rest}" if rest else str(int(whole))


def _date(question: Question, text: str) -> str:
    try:
        return dt.date.fromisoformat(text.translate(_HALF_WIDTH)).isoformat()
    except ValueError:
        raise AnswerError(
            question.key, N_("“%(label)s” asks for a date, such as 2026-03-31."), label=question.label
        ) from None


def _choice(question: Question, text: str) -> str:
    if text not in question.choices:
        raise AnswerError(
            question.key, N_("“%(label)s” asks for one of the answers that are offered."), label=question.label
        )
    return text


def _text(_question: Question, text: str) -> str:
    return text


_READERS: dict[QuestionKind, Callable[[Question, str], str]] = {
    QuestionKind.TEXT: _text,
    QuestionKind.NUMBER: _number,
    QuestionKind.DATE: _date,
    QuestionKind.CHOICE: _choice,
}
