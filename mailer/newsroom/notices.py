"""Letters to colleagues: an issue waits for approval, came back, or has been approved. An act of the service itself
(the demo, a migration) writes none.
"""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import letters, links
from mailer.accounts.models import Account
from mailer.accounts.rules import AccountState, Role
from mailer.i18n import N_, translate
from mailer.newsletters.models import Newsletter
from mailer.newsroom.models import Issue, Review
from mailer.newsroom.rules import ReviewAct
from mailer.newsroom.wording import issue_name

# A withdrawal needs no letter: whoever withdraws is at work on the issue, and the history shows it.
SUBJECTS: dict[ReviewAct, str] = {
    ReviewAct.SUBMITTED: N_("Waiting for approval: %(issue)s"),
    ReviewAct.RETURNED: N_("Returned: %(issue)s"),
    ReviewAct.APPROVED: N_("Approved: %(issue)s"),
}
LINES: dict[ReviewAct, str] = {
    ReviewAct.SUBMITTED: N_("%(name)s has submitted “%(issue)s” for approval."),
    ReviewAct.RETURNED: N_("%(name)s has returned “%(issue)s”."),
    ReviewAct.APPROVED: N_("%(name)s has approved “%(issue)s”. It can be sent now."),
}


def tell_colleagues(session: Session, issue: Issue, newsletter: Newsletter, review: Review, by: Account | None) -> None:
    """Writes to those who are to act next, in their own language, in the transaction of the act itself."""
    if by is None or review.act not in SUBJECTS:
        return
    called = issue_name(issue, newsletter.language)
    for account in _receivers(session, issue, review, by):
        parameters = {
            "subject": translate(account.locale, SUBJECTS[review.act], issue=called),
            "lines": [
                translate(account.locale, LINES[review.act], name=by.name, issue=called),
                *(line for line in review.note.splitlines() if line.strip()),
            ],
            "url": links.desk_issue_url(issue.id),
        }
        letters.write(
            session, letters.LetterKind.NOTICE, address=account.email, locale=account.locale, parameters=parameters
        )


def _receivers(session: Session, issue: Issue, review: Review, by: Account) -> Iterable[Account]:
    active = select(Account).where(Account.state == AccountState.ACTIVE).order_by(Account.id)
    if review.act != ReviewAct.SUBMITTED:
        return session.scalars(active.where(Account.id == issue.submitted_by, Account.id != by.id)).all()
    approvers = session.scalars(active.where(Account.roles.contains([Role.APPROVER]))).all()
    return [account for account in approvers if account.id != by.id]
