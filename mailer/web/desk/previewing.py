"""The issue as its readers will get it: on a desk, on a phone, as text; and as a test in a real inbox."""

import datetime as dt
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer.audience.models import Subscriber
from mailer.errors import CompositionError, RuleError
from mailer.i18n import N_
from mailer.newsletters import get_newsletter
from mailer.newsroom import preflight
from mailer.newsroom.compiling import compile_issue, get_content
from mailer.newsroom.editing import get_issue
from mailer.newsroom.editions import get_edition, untracked_html
from mailer.newsroom.house import get_house_rules
from mailer.newsroom.models import Issue
from mailer.newsroom.pictures import list_used
from mailer.newsroom.proofs import find_reader, send_proof
from mailer.press.previewing import Look, preview_html, preview_text, reader_values
from mailer.press.printing import print_edition
from mailer.web.database import get_session
from mailer.web.desk import blueprint
from mailer.web.desk.forms import ProofForm
from mailer.web.desk.issues import next_step
from mailer.web.desk.rights import may_edit, only
from mailer.web.desk.telling import commit_or_tell
from mailer.web.headers import show_mail
from mailer.web.locale import gettext, ngettext
from mailer.web.signing_in import get_account

VIEWS = ("desktop", "tablet", "phone", "dark", "pictures_off", "headless", "text")
STRANGER = N_("Nobody with this address reads this newsletter.")
# A frame of another width is all that a tablet or a phone needs.
CLIENTS = {"dark": Look.DARK, "pictures_off": Look.PICTURES_OFF, "headless": Look.HEADLESS}


def _view() -> str:
    view = request.args.get("view", "desktop")
    return view if view in VIEWS else "desktop"


def _frame(html: str, values: dict[str, str]) -> ResponseReturnValue:
    """A mail's HTML for a frame; a link in it opens beside the desk, not inside the frame."""
    show_mail()
    shown = preview_html(html, values, CLIENTS.get(_view(), Look.LIGHT))
    return shown.replace("<head>", '<head><base target="_blank">', 1)


def _reader(issue: Issue) -> Subscriber | None:
    """The reader whose address was asked for, if they read this newsletter."""
    wanted = request.args.get("as", "")[:320]
    try:
        return find_reader(get_session(), issue.newsletter_id, wanted) if wanted.strip() else None
    except RuleError:
        return None


def _values(issue: Issue, language: str) -> dict[str, str]:
    """What stands in the slots of a preview: the chosen reader's, or a made-up one's. Its links to leave and to choose
    lead nowhere.
    """
    reader = _reader(issue)
    if reader is None:
        return reader_values(language)
    return reader_values(language, name=reader.name or "", address=reader.email, attributes=reader.attributes)


@blueprint.get("/issues/<int:issue_id>/preview")
def issue_preview(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    issue = get_issue(session, issue_id)
    wanted = request.args.get("as", "")[:320].strip()
    flight = preflight.inspect(session, issue, by=get_account())
    compiled = flight.compiled
    return render_template(
        "desk/preview.html",
        issue=issue,
        newsletter=get_newsletter(session, issue.newsletter_id),
        compiled=compiled,
        flight=flight,
        text=preview_text(compiled.text, _values(issue, compiled.language), compiled.language) if compiled else "",
        view=_view(),
        frame=url_for("desk.issue_preview_mail", issue_id=issue_id),
        carried={"as": wanted} if wanted else {},
        is_stranger=bool(wanted) and _reader(issue) is None,
        proofreaders=get_house_rules(session, issue.newsletter_id).proofreaders.split(),
        proof_form=ProofForm(addresses=get_account().email),
        **next_step(issue),
    )


@blueprint.get("/issues/<int:issue_id>/preview/mail")
def issue_preview_mail(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    issue = get_issue(session, issue_id)
    compiled = compile_issue(session, issue)
    return _frame(compiled.html, _values(issue, compiled.language))


@blueprint.get("/issues/<int:issue_id>/preview.pdf")
def issue_preview_print(issue_id: int) -> ResponseReturnValue:
    """The print edition as it would be set now; it takes a moment, and so has a button of its own."""
    session = get_session()
    content = get_content(session, get_issue(session, issue_id))
    try:
        pdf = print_edition(content, pictures=list_used(session, content))
    except CompositionError as error:
        for problem in error.problems:
            flash(gettext(problem), "error")
        return redirect(url_for("desk.issue_preview", issue_id=issue_id))
    return Response(pdf, mimetype="application/pdf", headers={"Content-Disposition": "inline; filename=preview.pdf"})


@blueprint.get("/editions/<int:edition_id>")
def edition(edition_id: int) -> ResponseReturnValue:
    session = get_session()
    found = get_edition(session, edition_id)
    issue = get_issue(session, found.issue_id)
    published_on = found.masthead.get("published_on")
    return render_template(
        "desk/edition.html",
        edition=found,
        issue=issue,
        newsletter=get_newsletter(session, issue.newsletter_id),
        published_on=dt.date.fromisoformat(published_on) if published_on else None,
        size=len(found.html.encode()),
        text=preview_text(found.text, reader_values(found.language), found.language),
        view=_view(),
        frame=url_for("desk.edition_mail", edition_id=edition_id),
    )


@blueprint.get("/editions/<int:edition_id>/mail")
def edition_mail(edition_id: int) -> ResponseReturnValue:
    found = get_edition(get_session(), edition_id)
    return _frame(untracked_html(found), reader_values(found.language))


@blueprint.post("/issues/<int:issue_id>/proof")
@only(may_edit)
def issue_proof(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    issue = get_issue(session, issue_id)
    addresses, wanted = ProofForm().addresses.data or "", request.form.get("as", "")[:320].strip()
    if "group" in request.form:
        addresses = get_house_rules(session, issue.newsletter_id).proofreaders
    with commit_or_tell():
        reader = find_reader(session, issue.newsletter_id, wanted) if wanted else None
        if wanted and reader is None:
            raise RuleError(STRANGER)
        written = send_proof(session, issue, addresses, by=get_account(), reader=reader)
        said = ngettext(
            "A test is on its way to %(num)s address.", "A test is on its way to %(num)s addresses.", len(written)
        )
        flash(said, "success")
    view = request.form.get("view", "desktop")
    shown: dict[str, Any] = {"view": view, "as": wanted or None}
    return redirect(url_for("desk.issue_preview", issue_id=issue_id, **shown))
