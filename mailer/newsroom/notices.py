"""Letters to colleagues: an issue waits for a signature, came back, has been approved, or its approval has run out. An
act of the service itself (the demo, a migration) writes none, except that time is nobody's act.
"""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import letters, links
from mailer.accounts.models import Account
from mailer.accounts.rules import AccountState
from mailer.i18n import N_, translate
from mailer.newsletters.models import Newsletter
from mailer.newsroom.chain import SigningStep
from mailer.newsroom.house import get_house_rules
from mailer.newsroom.models import Issue, Review
from mailer.newsroom.rules import IssueState, ReviewAct
from mailer.newsroom.signatories import get_next_step, list_signatories
from mailer.newsroom.wording import issue_name

# Taken back by who submitted it, no letter goes out: they are at work on the issue. By anybody else, they have to know.
SUBJECTS: dict[ReviewAct, str] = {
    ReviewAct.SUBMITTED: N_("Waiting for approval: %(issue)s"),
    ReviewAct.PASSED: N_("Waiting for approval: %(issue)s"),
    ReviewAct.RETURNED: N_("Returned: %(issue)s"),
    ReviewAct.APPROVED: N_("Approved: %(issue)s"),
    ReviewAct.EXPIRED: N_("The approval has expired: %(issue)s"),
    ReviewAct.WITHDRAWN: N_("Withdrawn: %(issue)s"),
    ReviewAct.CHANGED: N_("Withdrawn by a change: %(issue)s"),
}
LINES: dict[ReviewAct, str] = {
    ReviewAct.SUBMITTED: N_("%(name)s has submitted “%(issue)s” for approval."),
    ReviewAct.PASSED: N_("%(name)s has signed “%(issue)s” (%(step)s). The next signature is yours."),
    ReviewAct.RETURNED: N_("%(name)s has returned “%(issue)s”."),
    ReviewAct.APPROVED: N_("%(name)s has approved “%(issue)s”. It can be sent now."),
    ReviewAct.EXPIRED: N_("Nobody has sent “%(issue)s” in time. It is a draft again: submit it once more."),
    ReviewAct.WITHDRAWN: N_(
        "%(name)s has taken “%(issue)s” back. It is a draft again; what was scheduled does not go out."
    ),
    ReviewAct.CHANGED: N_(
        "%(name)s has changed “%(issue)s”. It is a draft again: it has to be submitted and signed anew."
    ),
}
STEP = N_("Your step: %(step)s")
WAITING = N_("“%(issue)s” waits for your signature, because the rules of the newsletter have been changed.")


def tell_colleagues(session: Session, issue: Issue, newsletter: Newsletter, review: Review, by: Account | None) -> None:
    """Writes to those who are to act next, in their own language, in the transaction of the act itself."""
    if review.act not in SUBJECTS or (by is None and review.act != ReviewAct.EXPIRED):
        return
    called = issue_name(issue, newsletter.language)
    next_step = get_next_step(session, issue) if review.act in {ReviewAct.SUBMITTED, ReviewAct.PASSED} else None
    for account in _receivers(session, issue, newsletter, next_step, by):
        words = {"name": by.name if by else "", "issue": called, "step": review.step}
        lines = [translate(account.locale, LINES[review.act], **words)]
        if next_step is not None and next_step.name:
            lines.append(translate(account.locale, STEP, step=next_step.name))
        lines += [line for line in review.note.splitlines() if line.strip()]
        _write(session, account, translate(account.locale, SUBJECTS[review.act], issue=called), lines, issue)


def tell_signatories(
    session: Session, issue: Issue, newsletter: Newsletter, *, but: Collection[int], by: Account | None
) -> None:
    """Writes to those who may sign since the newsletter's rules were changed; `but` could do so before."""
    called, step = issue_name(issue, newsletter.language), get_next_step(session, issue)
    for account in list_signatories(session, issue, newsletter):
        if account.id in but or (by is not None and account.id == by.id):
            continue
        lines = [translate(account.locale, WAITING, issue=called)]
        lines += [translate(account.locale, STEP, step=step.name)] if step.name else []
        _write(session, account, translate(account.locale, SUBJECTS[ReviewAct.SUBMITTED], issue=called), lines, issue)


def _write(session: Session, account: Account, subject: str, lines: Sequence[str], issue: Issue) -> None:
    parameters = {"subject": subject, "lines": list(lines), "url": links.desk_issue_url(issue.id)}
    letters.write(
        session, letters.LetterKind.NOTICE, address=account.email, locale=account.locale, parameters=parameters
    )


def _receivers(
    session: Session, issue: Issue, newsletter: Newsletter, next_step: SigningStep | None, by: Account | None
) -> Iterable[Account]:
    if next_step is None:
        # Once it is approved it is the senders' turn, where the newsletter names some.
        is_approved = issue.state == IssueState.APPROVED
        senders = get_house_rules(session, issue.newsletter_id).sender_ids if is_approved else []
        active = select(Account).where(Account.state == AccountState.ACTIVE).order_by(Account.id)
        found: Iterable[Account] = session.scalars(active.where(Account.id.in_([issue.submitted_by, *senders])))
    else:
        found = list_signatories(session, issue, newsletter)
    return [account for account in found if by is None or account.id != by.id]
