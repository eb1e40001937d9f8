"""The words of the admin's pages keep up with the rooms."""

import re
from enum import StrEnum
from pathlib import Path

import pytest

from mailer.accounts.rules import AccountState, Role
from mailer.audience.rules import ConsentAct, ImportState, SubscriptionState, SuppressionReason
from mailer.dispatch.rules import DeliveryState, MailingState, Outcome, SkipReason
from mailer.feedback.rules import Verdict
from mailer.letters.rules import LetterKind, LetterState
from mailer.newsletters.rules import OptIn, Visibility
from mailer.newsroom.rules import ReviewAct
from mailer.reports.health import Verdict as Health
from mailer.web.admin.audit_words import ACTIONS
from mailer.web.admin.words import WORDS

MAILER = Path(__file__).parents[2] / "mailer"


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("role", Role), ("account", AccountState), ("opt_in", OptIn), ("visibility", Visibility),
        ("subscription", SubscriptionState), ("suppression", SuppressionReason), ("consent", ConsentAct),
        ("import", ImportState), ("mailing", MailingState), ("delivery", DeliveryState), ("delivery", Outcome),
        ("delivery", LetterState), ("letter", LetterKind), ("skip", SkipReason), ("verdict", Verdict),
        ("health", Health),
    ],
)  # fmt: skip
def test_every_state_and_choice_has_its_word(kind: str, values: type[StrEnum]) -> None:
    assert {value.value for value in values} <= set(WORDS[kind])


def test_every_act_that_is_recorded_has_its_word() -> None:
    """Acts stand in the source as `action="thing.done"`, or as the last part that a room's own `_record` completes."""
    said: set[str] = set()
    for path in MAILER.glob("*/*.py"):
        source = path.read_text()
        said |= set(re.findall(r'action="([a-z_]+\.[a-z_]+)"', source))
        said |= set(re.findall(r'_record\(\s*session, \w+, by, "([a-z_]+\.[a-z_]+)"', source))
        if path.parent.name == "dispatch":
            thing = "delivery" if path.name == "settling.py" else "mailing"
            said |= {f"{thing}.{act}" for act in re.findall(r'_record\(session, \w+, "([a-z_]+)"', source)}
    for path in MAILER.glob("web/*/*.py"):
        said |= set(re.findall(r'(?:action=|_record\()"([a-z_]+\.[a-z_]+)"', path.read_text()))
    said |= {f"issue.{act}" for act in ReviewAct}
    assert len(said) > 45
    assert said - set(ACTIONS) == set()


def test_every_kind_of_subject_has_its_word() -> None:
    source = "".join(path.read_text() for path in MAILER.glob("*/*.py"))
    source += "".join(path.read_text() for path in MAILER.glob("web/*/*.py"))
    subjects = set(re.findall(r'subject_type="([a-z_]+)"', source))
    assert len(subjects) > 7
    assert subjects - set(WORDS["subject"]) == set()


def test_no_word_is_left_of_an_act_that_nobody_records() -> None:
    source = "".join(path.read_text() for path in MAILER.glob("**/*.py") if path.name != "audit_words.py")
    unused = {action for action in ACTIONS if action not in source and f'"{action.split(".")[1]}"' not in source}
    assert unused == set()
