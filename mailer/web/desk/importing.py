"""Uploading a document, and the report of what became of it beside its source."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from mailer.errors import NotFoundError, RuleError, UnreadableError
from mailer.i18n import N_
from mailer.newsletters import get_newsletter
from mailer.newsroom.editing import get_issue
from mailer.newsroom.importing import find_source, import_document, locate_titles
from mailer.newsroom.plain_text import count_characters
from mailer.newsroom.sources import lines_of_source
from mailer.settings import get_settings
from mailer.web.database import commit, get_session
from mailer.web.desk import blueprint
from mailer.web.desk.forms import UploadForm
from mailer.web.desk.rights import may_edit, only
from mailer.web.failures import say
from mailer.web.forms import REFUSED
from mailer.web.locale import gettext
from mailer.web.signing_in import get_account


@blueprint.route("/newsletters/<int:newsletter_id>/upload", methods=["GET", "POST"])
@only(may_edit)
def issue_upload(newsletter_id: int) -> ResponseReturnValue:
    session = get_session()
    newsletter = get_newsletter(session, newsletter_id)
    form = UploadForm()
    problem = place = filename = None
    if form.validate_on_submit():
        document: FileStorage = form.document.data
        filename = document.filename or ""
        try:
            made = import_document(
                session,
                newsletter_id,
                filename=filename,
                content=document.stream.read(),
                by=get_account(),
            )
        except (UnreadableError, RuleError) as error:
            session.rollback()
            problem, place = say(error), getattr(error, "place", None)
        else:
            commit()
            flash(gettext("Imported. Look what became what before you go on."), "success")
            return redirect(url_for("desk.issue_import", issue_id=made.id))
    page = render_template(
        "desk/upload.html",
        form=form,
        newsletter=newsletter,
        problem=problem,
        place=place,
        filename=filename,
        max_upload_mb=get_settings().max_upload_mb,
    )
    return page, REFUSED if request.method == "POST" else 200


@blueprint.get("/issues/<int:issue_id>/import")
def issue_import(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    issue = get_issue(session, issue_id)
    source = find_source(session, issue_id)
    if source is None:
        raise NotFoundError(N_("This issue was not imported from a document."))
    lines = lines_of_source(source.content, source.filename, source.sha256)
    places = locate_titles(lines, {article.id: article.title for article in issue.articles})
    return render_template(
        "desk/import.html",
        issue=issue,
        newsletter=get_newsletter(session, issue.newsletter_id),
        source=source,
        lines=lines,
        places=places,
        titled=set(places.values()),
        doubted={warning.get("line") for warning in issue.warnings},
        count_characters=count_characters,
    )
