"""A sent issue is retracted: no reader gets it any more, and the archive says so."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.dispatch import launching
from mailer.dispatch.models import Mailing
from mailer.dispatch.rules import MailingState
from mailer.newsroom import archiving
from mailer.newsroom.models import Issue


def list_open_mailings(session: Session, issue_id: int) -> list[Mailing]:
    """Mailings of the issue that have not come to their end, the oldest first."""
    return list(session.scalars(_open_mailings(issue_id)))


def retract(session: Session, issue: Issue, note: str, *, by: Account | None) -> int:
    """Retracts the issue (`archiving.retract`) and cancels its mailings that are under way or planned; how many. What
    is on the wire at that moment still arrives. Raises `RuleError`.
    """
    # Locked before the issue's row, in the order in which those who send lock them.
    stopped = list(session.scalars(_open_mailings(issue.id).with_for_update(key_share=True)))
    for mailing in stopped:
        launching.cancel(session, mailing, by=by)
    archiving.retract(session, issue, note, by=by)
    return len(stopped)


def _open_mailings(issue_id: int) -> Select[Mailing]:
    over = (MailingState.FINISHED, MailingState.CANCELLED)
    return select(Mailing).where(Mailing.issue_id == issue_id, Mailing.state.not_in(over)).order_by(Mailing.id)
