"""States of an issue, which act leads from which to which, and how issues are numbered: plain decisions."""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mailer.errors import RuleError
from mailer.i18n import N_


class IssueState(StrEnum):
    """``draft -> in_review -> approved``; returned, edited or withdrawn, an issue is a draft again."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"


class ReviewAct(StrEnum):
    """What people do to an issue on its way to approval, as its history tells it."""

    SUBMITTED = "submitted"
    RETURNED = "returned"
    # Signed, and the next of the chain has to sign too.
    PASSED = "passed"
    APPROVED = "approved"
    # Taken back by hand; `CHANGED` is taken back by a change of its content.
    WITHDRAWN = "withdrawn"
    CHANGED = "changed"
    EXPIRED = "expired"


class Act(StrEnum):
    """What may be done to an issue."""

    EDIT = "edit"
    SUBMIT = "submit"
    RETURN = "return"
    PASS = "pass"  # noqa: S105
    APPROVE = "approve"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True)
class Step:
    """Where an act leads, and the line it leaves in the issue's history, if any."""

    state: IssueState
    review: ReviewAct | None = None


# Every act that is allowed; what is not here is refused. An edit of what others are reading, or have approved, takes
# it back in the open: nothing can be changed between the approval and the sending without a trace.
STEPS: dict[tuple[IssueState, Act], Step] = {
    (IssueState.DRAFT, Act.EDIT): Step(IssueState.DRAFT),
    (IssueState.DRAFT, Act.SUBMIT): Step(IssueState.IN_REVIEW, ReviewAct.SUBMITTED),
    (IssueState.IN_REVIEW, Act.EDIT): Step(IssueState.DRAFT, ReviewAct.CHANGED),
    (IssueState.IN_REVIEW, Act.RETURN): Step(IssueState.DRAFT, ReviewAct.RETURNED),
    (IssueState.IN_REVIEW, Act.PASS): Step(IssueState.IN_REVIEW, ReviewAct.PASSED),
    (IssueState.IN_REVIEW, Act.APPROVE): Step(IssueState.APPROVED, ReviewAct.APPROVED),
    (IssueState.IN_REVIEW, Act.WITHDRAW): Step(IssueState.DRAFT, ReviewAct.WITHDRAWN),
    (IssueState.APPROVED, Act.EDIT): Step(IssueState.DRAFT, ReviewAct.CHANGED),
    (IssueState.APPROVED, Act.WITHDRAW): Step(IssueState.DRAFT, ReviewAct.WITHDRAWN),
    (IssueState.APPROVED, Act.EXPIRE): Step(IssueState.DRAFT, ReviewAct.EXPIRED),
}

REFUSALS: dict[Act, str] = {
    Act.EDIT: N_("This issue cannot be changed now."),
    Act.SUBMIT: N_("This issue has been submitted already."),
    Act.RETURN: N_("This issue is not waiting for approval any more."),
    Act.PASS: N_("This issue is not waiting for approval any more."),
    Act.APPROVE: N_("This issue is not waiting for approval any more."),
    Act.WITHDRAW: N_("This issue is a draft; there is nothing to withdraw."),
    Act.EXPIRE: N_("This issue is not approved."),
}


def take_step(state: IssueState, act: Act) -> Step:
    """Where `act` leads from `state`. Raises `RuleError` where it may not be done."""
    step = STEPS.get((state, act))
    if step is None:
        raise RuleError(REFUSALS[act])
    return step


def can(state: IssueState, act: Act) -> bool:
    """Whether `act` is open in `state`: what a page offers as a button."""
    return (state, act) in STEPS


def expires_at(approved_at: dt.datetime | None, days: int | None) -> dt.datetime | None:
    """Until when an approval counts; `None` is for good, or that there is none."""
    return None if approved_at is None or days is None else approved_at + dt.timedelta(days=days)


def check_note(note: str) -> str:
    """What an issue is returned for, trimmed. Raises `RuleError` when nothing is said: a return without a reason
    leaves the editor guessing.
    """
    text = note.strip()
    if not text:
        raise RuleError(N_("Say what should be changed: the note is what the editor works from."))
    return text


# ---- numbering ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Numbering:
    """Year, number in the year, and running number (总第N期) of an issue, as far as known."""

    year: int | None
    number: str | None
    total_number: str | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """Something an editor should look at; `message` is a gettext id, `params` fill it."""

    message: str
    params: dict[str, Any]


# 10-11, 10—11, 10、11 or 10/11: numbers that appeared as one issue (合刊).
_JOINT = re.compile(r"(\d{1,6})\s*(?:[-‐-―－~～〜]{1,2}|[、,，/／&＆和与至])\s*(\d{1,6})")
# More numbers than this in one issue are something else: a year, a phone number.
MOST_JOINT = 12


def as_numbers(text: str | None) -> range:
    """The numbers that an issue has: one, several for a joint issue (10—11), none for 增刊 and the like, which count
    for nothing here.
    """
    if not text:
        return range(0)
    line = text.strip().removesuffix("合刊").removesuffix("期")
    if line.isascii() and line.isdigit():
        return range(int(line), int(line) + 1)
    if (joint := _JOINT.fullmatch(line)) is None:
        return range(0)
    first, last = int(joint[1]), int(joint[2])
    return range(first, last + 1) if 0 < last - first < MOST_JOINT else range(0)


def propose_numbering(year: int, others: Iterable[Numbering]) -> Numbering:
    """The next issue's numbers in `year`: one more than the highest so far; a running number only where the
    newsletter has one.
    """
    known = list(others)
    numbers = [n for other in known if other.year == year for n in as_numbers(other.number)]
    totals = [n for other in known for n in as_numbers(other.total_number)]
    return Numbering(year, str(max(numbers, default=0) + 1), str(max(totals) + 1) if totals else None)


def check_numbering(this: Numbering, others: Iterable[Numbering]) -> tuple[Remark, ...]:
    """Repeats and gaps that `this` makes among the newsletter's `others`."""
    known = list(others)
    remarks = []
    if this.year is not None and this.number:
        taken = [other.number for other in known if other.year == this.year]
        year = str(this.year)
        if _is_taken(this.number, taken):
            remarks.append(
                Remark(N_("No. %(number)s of %(year)s exists already."), {"number": this.number, "year": year})
            )
        if (missing := _gap(this.number, taken)) is not None:
            remarks.append(Remark(N_("No. %(number)s of %(year)s is missing."), {"number": missing, "year": year}))
    if this.total_number:
        totals = [other.total_number for other in known]
        if _is_taken(this.total_number, totals):
            remarks.append(Remark(N_("Running number %(number)s exists already."), {"number": this.total_number}))
        if (missing := _gap(this.total_number, totals)) is not None:
            remarks.append(Remark(N_("Running number %(number)s is missing."), {"number": missing}))
    return tuple(remarks)


def _is_taken(text: str, others: list[str | None]) -> bool:
    """Whether one of `others` is called the same, or shares a number with a joint issue."""
    numbers = set(as_numbers(text))
    return any(other == text or not numbers.isdisjoint(as_numbers(other)) for other in others)


def _gap(text: str, others: list[str | None]) -> str | None:
    """The number just below `text`, where none of `others` has it and some have lower ones: a newsletter that brings
    older issues along begins where it begins.
    """
    numbers = as_numbers(text)
    if not numbers:
        return None
    below = [number for other in others for number in as_numbers(other) if number < numbers[0]]
    return str(numbers[0] - 1) if below and max(below) < numbers[0] - 1 else None
