"""The way to approval: submit, approve, return, withdraw."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from mailer.newsroom import approval
from mailer.newsroom.editing import get_issue
from mailer.web.database import get_session
from mailer.web.desk import blueprint
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
    with commit_or_tell(gettext("Submitted. An approver can decide now.")):
        approval.submit(session, get_issue(session, issue_id), by=get_account(), note=_note())
    return _back(issue_id)


@blueprint.post("/issues/<int:issue_id>/approve")
@only(may_approve)
def issue_approve(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    with commit_or_tell(gettext("Approved. What you saw is what will be sent.")):
        revision = request.form.get("revision", 0, type=int)
        approval.approve(session, get_issue(session, issue_id), by=get_account(), note=_note(), revision=revision)
    return _back(issue_id)


@blueprint.post("/issues/<int:issue_id>/return")
@only(may_approve)
def issue_return(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    with commit_or_tell(gettext("Returned to the editors with your note.")):
        approval.return_(session, get_issue(session, issue_id), by=get_account(), note=_note())
    return _back(issue_id)


@blueprint.post("/issues/<int:issue_id>/withdraw")
@only(lambda account: may_edit(account) or may_approve(account))
def issue_withdraw(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    with commit_or_tell(gettext("Withdrawn. The issue is a draft again.")):
        approval.withdraw(session, get_issue(session, issue_id), by=get_account(), note=_note())
    return _back(issue_id)
