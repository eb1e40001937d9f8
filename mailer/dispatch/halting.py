"""Mailings whose edition may not be sent any more, because its issue was taken back, changed or approved anew: what is
scheduled is a draft again, and of what was begun the rest is cancelled, so that its readers are free for the next
edition. The sweep does it within seconds; meanwhile nothing leaves, because the claim asks for the approval too. What
is being prepared is refused by `preparing`, and a retraction cancels by itself.
"""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from mailer.dispatch import launching
from mailer.dispatch.mailing_notices import tell_stopped
from mailer.dispatch.models import Mailing
from mailer.dispatch.rules import MailingState
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.editions import get_approved_edition
from mailer.newsroom.models import Issue
from mailer.newsroom.rules import IssueState

HALTED = N_(
    "The approval of this issue was withdrawn while it was being sent, so the rest is cancelled. Once the issue is "
    "approved again, a new mailing reaches those who have not had it, or as a correction those who have."
)
BEGUN = (MailingState.SENDING, MailingState.PAUSED)


def halt(session: Session, *, issue_id: int | None = None) -> list[int]:
    """The ids of those that it has stopped; each row is locked, so that no person acts on it meanwhile. Of one issue
    (`issue_id`) whoever holds a row is waited for, and all that it had queued is given up at once, not by the sweep.
    """
    newest = (
        select(Edition.id)
        .where(Edition.issue_id == Mailing.issue_id)
        .order_by(Edition.ordinal.desc())
        .limit(1)
        .scalar_subquery()
    )
    doomed = session.scalars(
        select(Mailing)
        .join(Issue, Issue.id == Mailing.issue_id)
        .where(
            Mailing.state.in_((MailingState.SCHEDULED, *BEGUN)),
            or_(Issue.state != IssueState.APPROVED, Mailing.edition_id != newest),
            *([Mailing.issue_id == issue_id] if issue_id is not None else []),
        )
        .order_by(Mailing.id)
        .with_for_update(of=Mailing, skip_locked=issue_id is None, key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    for mailing in doomed:
        if mailing.state in BEGUN:
            launching.cancel(session, mailing, reason=HALTED)
            while issue_id is not None and launching.skip_queued(session, mailing.id):
                continue
            tell_stopped(session, mailing, HALTED)
            continue
        try:
            get_approved_edition(session, mailing.edition_id)
        except RuleError as error:
            launching.refuse(session, mailing, error.message)
    return [mailing.id for mailing in doomed]
