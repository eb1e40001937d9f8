"""Who decided, and when, that people are written to who did not ask for it themselves: part of the evidence."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from mailer.db import now
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsletters.rules import check_text
from mailer.settings import get_settings

# The one basis by which the readers decided themselves.
CONSENT = "consent"
NAME_LENGTH = 200


class DecisionError(RuleError):
    """`field` says what is missing or wrong: ``decided_by`` or ``decided_on``."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Decision:
    """A person or an office, and the day. Both may be missing where the readers consented."""

    by: str = ""
    on: dt.date | None = None


def check_decision(session: Session, basis: str, decision: Decision) -> Decision:
    """`decision`, tidied. Raises `DecisionError` where it is needed and incomplete, or of a day that is to come."""
    by = check_text(decision.by, length=NAME_LENGTH)
    if basis != CONSENT and not by:
        raise DecisionError("decided_by", N_("Say who decided it: with this legal basis it is the proof."))
    if basis != CONSENT and decision.on is None:
        raise DecisionError("decided_on", N_("Say on which day it was decided."))
    today = now(session).astimezone(ZoneInfo(get_settings().time_zone)).date()
    if decision.on is not None and decision.on > today:
        raise DecisionError("decided_on", N_("This day is still to come."))
    return Decision(by, decision.on)
