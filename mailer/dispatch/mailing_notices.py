"""Letters about a mailing that does not go out, or stops, without anybody's having asked for it: to who made it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import letters, links
from mailer.accounts.models import Account
from mailer.accounts.rules import AccountState
from mailer.dispatch.models import Mailing
from mailer.i18n import N_, translate
from mailer.newsletters import get_newsletter
from mailer.newsroom.models import Issue, Review
from mailer.newsroom.rules import IssueState
from mailer.newsroom.wording import issue_name

NOT_LAUNCHED = (N_("Not sent: %(issue)s"), N_("The mailing of “%(issue)s” that you made does not go out."))
STOPPED = (N_("Stopped: %(issue)s"), N_("The mailing of “%(issue)s” that you made has been stopped."))


def tell_not_launched(session: Session, mailing: Mailing, reason: str) -> None:
    """It is a draft again, and `reason` (a gettext id) says why."""
    _tell(session, mailing, NOT_LAUNCHED, reason)


def tell_stopped(session: Session, mailing: Mailing, reason: str) -> None:
    """It was being sent and is paused."""
    _tell(session, mailing, STOPPED, reason)


def _tell(session: Session, mailing: Mailing, words: tuple[str, str], reason: str) -> None:
    account = session.get(Account, mailing.created_by) if mailing.created_by is not None else None
    issue = session.get_one(Issue, mailing.issue_id)
    if account is None or account.state != AccountState.ACTIVE or _knows(session, account, issue):
        return
    called = issue_name(issue, get_newsletter(session, mailing.newsletter_id).language)
    subject, line = (translate(account.locale, message, issue=called) for message in words)
    parameters = {
        "subject": subject,
        "lines": [line, translate(account.locale, reason)],
        "url": links.desk_mailing_url(mailing.id),
    }
    letters.write(
        session, letters.LetterKind.NOTICE, address=account.email, locale=account.locale, parameters=parameters
    )


def _knows(session: Session, account: Account, issue: Issue) -> bool:
    """Whether it was they who took the issue back."""
    newest = select(Review).where(Review.issue_id == issue.id).order_by(Review.id.desc()).limit(1)
    review = session.scalar(newest)
    return issue.state != IssueState.APPROVED and review is not None and review.account_id == account.id
