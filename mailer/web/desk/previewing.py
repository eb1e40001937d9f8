"""The issue as its readers will get it: on a desk, on a phone, as text; and as a test in a real inbox."""

import datetime as dt

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer import links
from mailer.errors import CompositionError
from mailer.i18n import N_, translate
from mailer.newsletters import get_newsletter
from mailer.newsroom.compiling import compile_issue, get_content
from mailer.newsroom.editing import get_issue
from mailer.newsroom.editions import get_edition, untracked_html
from mailer.newsroom.proofs import send_proof
from mailer.press import slots
from mailer.press.checks import check_edition
from mailer.press.proofreading import Severity
from mailer.web.database import get_session
from mailer.web.desk import blueprint
from mailer.web.desk.forms import ProofForm
from mailer.web.desk.issues import next_step
from mailer.web.desk.rights import may_edit, only
from mailer.web.desk.telling import commit_or_tell
from mailer.web.headers import show_mail
from mailer.web.locale import ngettext
from mailer.web.signing_in import get_account

VIEWS = ("desktop", "phone", "text")
LOOKS = {
    Severity.ERROR: ("danger", "circle-x"),
    Severity.WARNING: ("warning", "alert-triangle"),
    Severity.HINT: ("info", "info-circle"),
}


def _samples(language: str) -> dict[str, str]:
    """What stands in the slots of a preview. Its links to leave and to choose have no token: there is no reader."""
    return {
        slots.NAME: translate(language, N_("Reader")),
        slots.ADDRESS: "reader@example.org",
        slots.UNSUBSCRIBE_URL: links.unsubscribe_url("preview"),
        slots.PREFERENCES_URL: links.preferences_url("preview"),
    }


def _frame(html: str, language: str) -> ResponseReturnValue:
    """A mail's HTML for a frame; a link in it opens beside the desk, not inside the frame."""
    show_mail()
    filled = slots.fill_html(html, _samples(language))
    return filled.replace("<head>", '<head><base target="_blank">', 1)


@blueprint.get("/issues/<int:issue_id>/preview")
def issue_preview(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    issue = get_issue(session, issue_id)
    content = get_content(session, issue)
    view = request.args.get("view", "desktop")
    compiled, problems = None, tuple[str, ...]()
    try:
        compiled = compile_issue(session, issue)
    except CompositionError as error:
        problems = error.problems
    return render_template(
        "desk/preview.html",
        issue=issue,
        newsletter=get_newsletter(session, issue.newsletter_id),
        content=content,
        compiled=compiled,
        problems=problems,
        findings=check_edition(content, compiled) if compiled else (),
        looks=LOOKS,
        size=len(compiled.html.encode()) if compiled else 0,
        text=slots.fill_text(compiled.text, _samples(compiled.language)) if compiled else "",
        view=view if view in VIEWS else "desktop",
        frame=url_for("desk.issue_preview_mail", issue_id=issue_id),
        proof_form=ProofForm(addresses=get_account().email),
        **next_step(issue),
    )


@blueprint.get("/issues/<int:issue_id>/preview/mail")
def issue_preview_mail(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    compiled = compile_issue(session, get_issue(session, issue_id))
    return _frame(compiled.html, compiled.language)


@blueprint.get("/editions/<int:edition_id>")
def edition(edition_id: int) -> ResponseReturnValue:
    session = get_session()
    found = get_edition(session, edition_id)
    issue = get_issue(session, found.issue_id)
    view = request.args.get("view", "desktop")
    published_on = found.masthead.get("published_on")
    return render_template(
        "desk/edition.html",
        edition=found,
        issue=issue,
        newsletter=get_newsletter(session, issue.newsletter_id),
        published_on=dt.date.fromisoformat(published_on) if published_on else None,
        size=len(found.html.encode()),
        text=slots.fill_text(found.text, _samples(found.language)),
        view=view if view in VIEWS else "desktop",
        frame=url_for("desk.edition_mail", edition_id=edition_id),
    )


@blueprint.get("/editions/<int:edition_id>/mail")
def edition_mail(edition_id: int) -> ResponseReturnValue:
    found = get_edition(get_session(), edition_id)
    return _frame(untracked_html(found), found.language)


@blueprint.post("/issues/<int:issue_id>/proof")
@only(may_edit)
def issue_proof(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    form = ProofForm()
    with commit_or_tell():
        written = send_proof(session, get_issue(session, issue_id), form.addresses.data or "", by=get_account())
        said = ngettext(
            "A test is on its way to %(num)s address.", "A test is on its way to %(num)s addresses.", len(written)
        )
        flash(said, "success")
    return redirect(url_for("desk.issue_preview", issue_id=issue_id, view=request.form.get("view", "desktop")))
