"""The way to approval: submit, sign, return, withdraw; and all that was done, for the files."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from mailer.accounts.models import Account
from mailer.db import now
from mailer.dispatch.models import Mailing
from mailer.newsletters import get_newsletter
from mailer.newsroom import approval
from mailer.newsroom.commenting import list_threads
from mailer.newsroom.editing import get_issue
from mailer.newsroom.editions import list_editions
from mailer.newsroom.rules import IssueState
from mailer.web.database import get_session
from mailer.web.desk import blueprint
from mailer.web.desk.issues import tell_stopped
from mailer.web.desk.rights import may_approve, may_edit, only
from mailer.web.desk.telling import commit_or_tell
from mailer.web.locale import gettext
from mailer.web.signing_in import get_account

NOTE_LENGTH = 2000


def _note() -> str:
    return request.form.get("note", "")[:NOTE_LENGTH]


def _back(issue_id: int) -> ResponseReturnValue:
    return redirect(url_for("desk.issue", issue_id=issue_id))


@blueprint.post("/issues/<int:issue_id>/submit")
@only(may_edit)
def issue_submit(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    with commit_or_tell(gettext("Submitted. It waits for a signature now.")):
        approval.submit(session, get_issue(session, issue_id), by=get_account(), note=_note())
    return _back(issue_id)


# Whose turn it is to sign, and who may return, is the newsroom's to say: a deputy need not be an approver.


@blueprint.post("/issues/<int:issue_id>/approve")
def issue_approve(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    with commit_or_tell():
        revision = request.form.get("revision", 0, type=int)
        edition = approval.sign(
            session,
            get_issue(session, issue_id),
            by=get_account(),
            note=_note(),
            revision=revision,
            seen=request.form.get("seen"),
        )
        if edition is None:
            flash(gettext("Signed. Whoever signs next has been told."), "success")
        else:
            flash(gettext("Approved. What you saw is what will be sent."), "success")
    return _back(issue_id)


@blueprint.post("/issues/<int:issue_id>/return")
def issue_return(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    with commit_or_tell(gettext("Returned to the editors with your note.")):
        approval.return_(
            session, get_issue(session, issue_id), by=get_account(), note=_note(), seen=request.form.get("seen")
        )
    return _back(issue_id)


@blueprint.post("/issues/<int:issue_id>/withdraw")
@only(lambda account: may_edit(account) or may_approve(account))
def issue_withdraw(issue_id: int) -> ResponseReturnValue:
    session, me = get_session(), get_account()
    # Whoever signs gives an issue back with a reason; taking a submission back is for those who write.
    if get_issue(session, issue_id).state == IssueState.IN_REVIEW and not may_edit(me):
        abort(403)
    with commit_or_tell():
        approval.withdraw(session, get_issue(session, issue_id), by=me, note=_note())
        flash(gettext("Withdrawn. The issue is a draft again."), "success")
        tell_stopped(issue_id)
    return _back(issue_id)


@blueprint.get("/issues/<int:issue_id>/history")
def issue_history(issue_id: int) -> ResponseReturnValue:
    """Everything that was done on the way to approval, oldest first, on one page to print and file."""
    session = get_session()
    found = get_issue(session, issue_id)
    return render_template(
        "desk/history.html",
        issue=found,
        newsletter=get_newsletter(session, found.newsletter_id),
        reviews=approval.list_reviews(session, issue_id)[::-1],
        editions=list_editions(session, issue_id),
        mailings=session.execute(
            select(Mailing, Account.name)
            .outerjoin(Account, Account.id == Mailing.created_by)
            .where(Mailing.issue_id == issue_id)
            .order_by(Mailing.id)
        ).all(),
        threads=list_threads(session, issue_id),
        titles={article.id: article.title for article in found.articles},
        printed_at=now(session),
    )
