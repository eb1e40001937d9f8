"""States of an issue, which act leads from which to which, and how issues are numbered: plain decisions."""

import datetime as dt
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
    WITHDRAWN = "withdrawn"
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
    (IssueState.IN_REVIEW, Act.EDIT): Step(IssueState.DRAFT, ReviewAct.WITHDRAWN),
    (IssueState.IN_REVIEW, Act.RETURN): Step(IssueState.DRAFT, ReviewAct.RETURNED),
    (IssueState.IN_REVIEW, Act.PASS): Step(IssueState.IN_REVIEW, ReviewAct.PASSED),
    (IssueState.IN_REVIEW, Act.APPROVE): Step(IssueState.APPROVED, ReviewAct.APPROVED),
    (IssueState.IN_REVIEW, Act.WITHDRAW): Step(IssueState.DRAFT, ReviewAct.WITHDRAWN),
    (IssueState.APPROVED, Act.EDIT): Step(IssueState.DRAFT, ReviewAct.WITHDRAWN),
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


def as_number(text: str | None) -> int | None:
    """A plain number, or `None` for 增刊, 9-10 and the like, which count for nothing here."""
    return int(text) if text and text.isascii() and text.isdigit() else None


def propose_numbering(year: int, others: Iterable[Numbering]) -> Numbering:
    """The next issue's numbers in `year`: one more than the highest so far; a running number only where the
    newsletter has one.
    """
    known = list(others)
    numbers = [n for other in known if other.year == year and (n := as_number(other.number)) is not None]
    totals = [n for other in known if (n := as_number(other.total_number)) is not None]
    return Numbering(year, str(max(numbers, default=0) + 1), str(max(totals) + 1) if totals else None)


def check_numbering(this: Numbering, others: Iterable[Numbering]) -> tuple[Remark, ...]:
    """Repeats and gaps that `this` makes among the newsletter's `others`."""
    known = list(others)
    remarks = []
    if this.year is not None and this.number:
        taken = [other.number for other in known if other.year == this.year]
        year = str(this.year)
        if this.number in taken:
            remarks.append(
                Remark(N_("No. %(number)s of %(year)s exists already."), {"number": this.number, "year": year})
            )
        if (missing := _gap(this.number, taken)) is not None:
            remarks.append(Remark(N_("No. %(number)s of %(year)s is missing."), {"number": missing, "year": year}))
    if this.total_number:
        totals = [other.total_number for other in known]
        if this.total_number in totals:
            remarks.append(Remark(N_("Running number %(number)s exists already."), {"number": this.total_number}))
        if (missing := _gap(this.total_number, totals)) is not None:
            remarks.append(Remark(N_("Running number %(number)s is missing."), {"number": missing}))
    return tuple(remarks)


def _gap(text: str, others: list[str | None]) -> str | None:
    """The number just below `text`, where none of `others` has it and some have lower ones: a newsletter that brings
    older issues along begins where it begins.
    """
    number = as_number(text)
    if number is None:
        return None
    below = [other for other in map(as_number, others) if other is not None and other < number]
    return str(number - 1) if below and max(below) < number - 1 else None
