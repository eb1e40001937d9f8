"""A sent issue in the archive: which edition readers find there, its retraction, and what became of it."""

from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer import links
from mailer.dispatch.retracting import list_open_mailings, retract
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsletters import get_newsletter
from mailer.newsroom import archiving
from mailer.newsroom.editing import get_issue
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.editions import get_edition
from mailer.newsroom.models import Issue
from mailer.web.database import get_session
from mailer.web.desk import blueprint
from mailer.web.desk.rights import may_send, may_send_issues_of, only
from mailer.web.desk.telling import commit_or_tell
from mailer.web.locale import gettext, ngettext
from mailer.web.signing_in import get_account

NOTE_LENGTH = 2000
ACTS = {
    "sent": (N_("Shown with its first mailing"), "blue"),
    "released": (N_("Shown without a mailing"), "blue"),
    "retracted": (N_("Retracted"), "orange"),
    "reinstated": (N_("Retraction lifted"), "green"),
}


@dataclass(frozen=True, slots=True)
class ArchivePlace:
    """Which edition of a sent issue readers find, and which approved one waits to take its place."""

    shown: Edition
    waiting: Edition | None
    may_act: bool


@blueprint.app_template_global()
def archive_place(issue: Issue) -> ArchivePlace | None:
    """`None` for an issue that is not in the archive."""
    session = get_session()
    if issue.first_sent_at is None or issue.shown_edition_id is None:
        return None
    account = get_account()
    return ArchivePlace(
        get_edition(session, issue.shown_edition_id),
        archiving.find_waiting(session, issue),
        may_send_issues_of(session, issue.newsletter_id, account),
    )


@blueprint.get("/issues/<int:issue_id>/archive")
def issue_archive(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    issue = get_issue(session, issue_id)
    place = archive_place(issue)
    if place is None:
        abort(404)
    newsletter = get_newsletter(session, issue.newsletter_id)
    return render_template(
        "desk/archive.html",
        issue=issue,
        newsletter=newsletter,
        place=place,
        address=links.issue_url(newsletter.slug, issue.id),
        acts=archiving.list_archive_acts(session, issue_id),
        archive_acts=ACTS,
        open_mailings=list_open_mailings(session, issue_id),
        note_length=NOTE_LENGTH,
    )


def _back(issue_id: int) -> ResponseReturnValue:
    return redirect(url_for("desk.issue_archive", issue_id=issue_id))


@blueprint.post("/issues/<int:issue_id>/archive/release")
@only(may_send)
def issue_release(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    with commit_or_tell(gettext("The archive shows the corrected edition now.")):
        archiving.release(session, get_issue(session, issue_id), by=get_account())
    return _back(issue_id)


@blueprint.post("/issues/<int:issue_id>/archive/retract")
@only(may_send)
def issue_retract(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    note = request.form.get("note", "")[:NOTE_LENGTH]
    with commit_or_tell():
        if "sure" not in request.form:
            raise RuleError(N_("Confirm that the issue shall be retracted."))
        stopped = retract(session, get_issue(session, issue_id), note, by=get_account())
        flash(gettext("The issue is retracted. Readers find your reason in its place."), "success")
        if stopped:
            flash(ngettext("%(num)s mailing was cancelled.", "%(num)s mailings were cancelled.", stopped), "success")
    return _back(issue_id)


@blueprint.post("/issues/<int:issue_id>/archive/reinstate")
@only(may_send)
def issue_reinstate(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    with commit_or_tell(gettext("The retraction is lifted; readers find the issue again.")):
        archiving.reinstate(session, get_issue(session, issue_id), by=get_account())
    return _back(issue_id)
