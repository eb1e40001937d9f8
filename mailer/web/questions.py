"""What lists ask, on forms: which question belongs to which lists, and the answers out of a form that was sent.

Fields are named ``attribute-<key>``, because each list's questions are its own: they are no part of a form's class.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request

from mailer.audience.answers import questions_of
from mailer.newsletters.models import List
from mailer.newsletters.questions import Question
from mailer.web.forms import strip

PREFIX = "attribute-"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a form shows it; `askers` are the names of the lists that ask, empty where all of them do."""

    question: Question
    askers: tuple[str, ...]


def list_asked(lists: Sequence[List]) -> list[Asked]:
    """The questions of these lists, each once."""
    asked = []
    for question in questions_of(lists):
        askers = [each for each in lists if any(entry["key"] == question.key for entry in each.required_attributes)]
        names = () if len(askers) == len(lists) else tuple(_called(each) for each in askers)
        asked.append(Asked(question, names))
    return asked


def _called(each: List) -> str:
    title = each.newsletter.title
    return title if each.name == title else f"{title} · {each.name}"


def sent_answers() -> dict[str, str]:
    """Key -> what was typed into the form of this request."""
    return {
        name.removeprefix(PREFIX): (strip(value) or "")[:5_000]
        for name, value in request.form.items()
        if name.startswith(PREFIX)
    }
