"""Uploading documents or pasting one, and what of them cannot be read."""

from dataclasses import dataclass

from flask import flash, jsonify, render_template, request, url_for
from flask import redirect as go_to
from flask.typing import ResponseReturnValue

from mailer.errors import MailerError, RuleError, UnreadableError, UnreadableFilesError
from mailer.newsletters import get_newsletter
from mailer.newsroom.importing import Upload, read_uploads, store_issue
from mailer.settings import get_settings
from mailer.web.database import commit, get_session
from mailer.web.desk import blueprint
from mailer.web.desk.forms import PasteForm, UploadForm
from mailer.web.desk.import_progress import Teller
from mailer.web.desk.rights import may_edit, only
from mailer.web.failures import say
from mailer.web.forms import REFUSED
from mailer.web.locale import gettext
from mailer.web.signing_in import get_account


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the file `name`; without a name, with all of them together."""

    sentence: str
    name: str | None = None
    place: str | None = None


@blueprint.route("/newsletters/<int:newsletter_id>/upload", methods=["GET", "POST"])
@only(may_edit)
def issue_upload(newsletter_id: int) -> ResponseReturnValue:
    form = UploadForm()
    problems: list[Problem] = []
    if form.validate_on_submit():
        uploads = [Upload(file.filename or "", file.stream.read()) for file in form.document.data]
        outcome = _import(newsletter_id, uploads)
        if not isinstance(outcome, list):
            return outcome
        problems = outcome
    return _page("desk/upload.html", newsletter_id, form, problems)


@blueprint.route("/newsletters/<int:newsletter_id>/paste", methods=["GET", "POST"])
@only(may_edit)
def issue_paste(newsletter_id: int) -> ResponseReturnValue:
    """What was pasted comes as an .html file from the script, as plain text without it."""
    form = PasteForm()
    problems: list[Problem] = []
    if form.validate_on_submit():
        pasted = form.document.data
        name = gettext("Pasted text")
        if pasted:
            upload = Upload(f"{name}.html", pasted.stream.read())
        else:
            upload = Upload(f"{name}.txt", (form.text.data or "").encode())
        outcome = _import(newsletter_id, [upload])
        if not isinstance(outcome, list):
            return outcome
        problems = outcome
    return _page("desk/import_paste.html", newsletter_id, form, problems)


def _page(
    template: str, newsletter_id: int, form: UploadForm | PasteForm, problems: list[Problem]
) -> ResponseReturnValue:
    page = render_template(
        template,
        form=form,
        newsletter=get_newsletter(get_session(), newsletter_id),
        problems=problems,
        are_several=len(request.files.getlist("document")) > 1,
        limits=get_settings(),
    )
    return page, REFUSED if request.method == "POST" else 200


def _import(newsletter_id: int, uploads: list[Upload]) -> ResponseReturnValue | list[Problem]:
    """The report of the new issue as the next page, or what is wrong, and then nothing is stored."""
    session, by = get_session(), get_account()
    get_newsletter(session, newsletter_id)
    teller = Teller(request.form.get("progress", ""))
    # Reading takes seconds: no transaction stands open meanwhile.
    session.rollback()
    try:
        bulletin = read_uploads(uploads, tell=teller)
        made = store_issue(session, newsletter_id, uploads, bulletin, by=by, tell=teller)
    except (UnreadableError, RuleError) as error:
        session.rollback()
        return _problems(uploads, error)
    commit()
    flash(gettext("Imported. Look what became what before you go on."), "success")
    report = url_for("desk.issue_import", issue_id=made.id)
    # The script that shows the progress goes there itself: what a redirect answers it would load twice.
    return jsonify(location=report) if request.accept_mimetypes.best == "application/json" else go_to(report)


def _problems(uploads: list[Upload], error: MailerError) -> list[Problem]:
    if isinstance(error, UnreadableFilesError):
        return [Problem(say(each), name, each.place) for name, each in error.problems]
    return [Problem(say(error), uploads[0].name if len(uploads) == 1 else None)]
