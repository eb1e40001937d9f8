"""A sent issue is never changed in silence: it is taken back to a draft in the open, with what was wrong, and the next
edition says so. The one that was sent stays as it was.
"""

from sqlalchemy.orm import Session

from mailer import accounts
from mailer.accounts.models import Account
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsroom import approval, editing
from mailer.newsroom.fields import CORRECTION_LIMIT, clean_text
from mailer.newsroom.models import Issue
from mailer.newsroom.rules import IssueState


def begin(session: Session, issue: Issue, note: str, *, by: Account | None) -> Issue:
    """A draft again, whose readers will be told `note`. Raises `RuleError` for an issue that was not sent, and without
    a note.
    """
    editing.lock_issue(session, issue)
    if issue.first_sent_at is None:
        raise RuleError(N_("This issue has not been sent yet: simply change it."))
    words = clean_text(note, CORRECTION_LIMIT)
    if not words:
        raise RuleError(N_("Say what was wrong: readers are told it."))
    if issue.state != IssueState.DRAFT:
        approval.withdraw(session, issue, by=by, note=words)
    editing.change_issue(session, issue, revision=issue.masthead_revision, by=by, correction=words)
    accounts.record(
        session, by=by, action="issue.correction_begun", subject_type="issue", subject_id=issue.id, note=words[:200]
    )
    return issue
