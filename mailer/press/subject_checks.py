"""The two lines an inbox shows: subject and preheader."""

import re
from collections.abc import Collection

from mailer.i18n import N_
from mailer.press.content import Content
from mailer.press.plaintext import width
from mailer.press.proofreading import PREHEADER, SUBJECT, Finding, Severity

# A phone's inbox shows some 20 Chinese characters of a subject, a desktop's some 40.
SUBJECT_COLUMNS = 80
PREHEADER_COLUMNS = 200
_ISSUE_NUMBER = re.compile(
    r"第\s*([0-9]+(?:\s*[-—–~至、]\s*[0-9]+)?|[〇零一二三四五六七八九十百]+)\s*(?:期|号)"
    r"|\b(?:no|issue)\b[.\s#]*([0-9]+)",
    re.IGNORECASE,
)
_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0}


def check_subject(content: Content, earlier_subjects: Collection[str] = ()) -> list[Finding]:
    """`earlier_subjects` are those of the newsletter's other issues."""
    findings = []
    if width(content.subject) > SUBJECT_COLUMNS:
        message = N_("The subject is long: inboxes show about 40 Chinese characters of it. Put what matters first.")
        findings.append(Finding(Severity.WARNING, SUBJECT, message))
    if content.subject.strip() and content.subject.strip() in {subject.strip() for subject in earlier_subjects}:
        message = N_("An earlier issue has the same subject: inboxes would join the two. Give each issue its own.")
        findings.append(Finding(Severity.WARNING, SUBJECT, message))
    findings += _check_number(content)
    if not content.preheader.strip():
        message = N_("There is no preheader. One sentence shows beside the subject in the inbox.")
        findings.append(Finding(Severity.HINT, PREHEADER, message))
    elif content.preheader.strip() == content.subject.strip():
        message = N_("The preheader says the same as the subject. Tell what else is in the issue.")
        findings.append(Finding(Severity.HINT, PREHEADER, message))
    elif width(content.preheader) > PREHEADER_COLUMNS:
        message = N_("The preheader is long: inboxes show about 50 Chinese characters of it.")
        findings.append(Finding(Severity.HINT, PREHEADER, message))
    return findings


def _check_number(content: Content) -> list[Finding]:
    """The subject names this issue, and no other."""
    marks = [mark for mark in (content.number, content.total_number) if mark]
    if not marks or not content.subject.strip():
        return []
    named = [match[1] or match[2] for match in _ISSUE_NUMBER.finditer(content.subject)]
    numbers = set().union(*map(issue_numbers, named))
    ours = set().union(*map(issue_numbers, marks))
    if numbers and ours and not numbers & ours:
        message = N_("The subject names issue %(named)s, but this is issue %(number)s.")
        return [Finding(Severity.WARNING, SUBJECT, message, {"named": named[0], "number": " / ".join(marks)})]
    if not numbers & ours and not any(mark in content.subject for mark in marks):
        message = N_("The subject does not name the issue. Give each issue its own subject, such as its number.")
        return [Finding(Severity.HINT, SUBJECT, message)]
    return []


def issue_numbers(text: str) -> set[int]:
    """The whole numbers in `text`, written in digits or as Chinese numerals up to 999: ``10—11`` gives both."""
    found = {int(digits) for digits in re.findall(r"[0-9]+", text)}
    return found | {_chinese_number(numeral) for numeral in re.findall("[〇零一二三四五六七八九十百]+", text)}


def _chinese_number(numeral: str) -> int:
    if not set(numeral) & {"十", "百"}:  # digit by digit, as in 二〇二四
        return int("".join(str(_DIGITS[character]) for character in numeral))
    hundreds, _, rest = numeral.rpartition("百")
    tens, ten, ones = rest.rpartition("十")
    value = 100 * (_digit(hundreds) or 1) if "百" in numeral else 0
    return value + (10 * (_digit(tens) or 1) if ten else 0) + _digit(ones)


def _digit(text: str) -> int:
    """The last digit of `text`, 0 where there is none."""
    return _DIGITS.get(text[-1:], 0)
