"""Imports of subscribers from CSV files: started, watched, and what they refused."""

from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, SelectField

from mailer.audience.exporting import export_refusals
from mailer.audience.importing import list_imports, start_import
from mailer.audience.models import ImportRun
from mailer.audience.rules import ImportState
from mailer.errors import NotFoundError, RuleError, UnreadableError
from mailer.i18n import N_
from mailer.newsletters import list_lists
from mailer.web.admin import blueprint
from mailer.web.admin.acting import actor, done
from mailer.web.admin.subscribers import list_choices
from mailer.web.admin.words import BASES
from mailer.web.database import get_session
from mailer.web.forms import REFUSED, Form, choices, lazy, required
from mailer.web.locale import gettext

IS_OVER = (ImportState.FINISHED, ImportState.FAILED)


class ImportForm(Form):
    """The file, where its readers go, and by what right."""

    list_id = SelectField(lazy(N_("List")), coerce=int)
    file = FileField(lazy(N_("CSV file")), [FileRequired(message=lazy(N_("Choose a file.")))])
    basis = SelectField(lazy(N_("Legal basis")), choices=choices(BASES))
    has_right = BooleanField(
        lazy(N_("I have this basis for everybody in the file and can prove it.")),
        [required(N_("Without it nobody may be written to."))],
    )


@blueprint.get("/imports")
def imports() -> ResponseReturnValue:
    """The latest fifty."""
    session = get_session()
    return render_template(
        "admin/imports.html",
        runs=list_imports(session),
        lists={each.id: each for each in list_lists(session, has_archived=True)},
    )


@blueprint.route("/imports/new", methods=["GET", "POST"])
def import_create() -> ResponseReturnValue:
    """Form and act; a worker reads the file."""
    form = ImportForm(data={"list_id": request.args.get("list", type=int)} if request.method == "GET" else None)
    form.list_id.choices = list_choices()
    if form.validate_on_submit():
        upload = form.file.data
        try:
            run = start_import(
                get_session(),
                list_id=form.list_id.data,
                filename=upload.filename or "import.csv",
                content=upload.read(),
                basis=form.basis.data,
                by=actor(),
            )
        except (RuleError, UnreadableError) as error:
            form.refuse(error, "file" if isinstance(error, UnreadableError) else "list_id")
        else:
            done(N_("The file is being read."))
            return redirect(url_for("admin.import_run", run_id=run.id))
    return render_template("admin/import_form.html", form=form), REFUSED if form.errors else 200


@blueprint.get("/imports/<int:run_id>")
def import_run(run_id: int) -> ResponseReturnValue:
    """How far it is, and what came of it."""
    return render_template("admin/import.html", **_state_of(run_id))


@blueprint.get("/imports/<int:run_id>/state")
def import_state(run_id: int) -> ResponseReturnValue:
    """The part of the page that changes while a worker reads; htmx asks for it until it is over."""
    return render_template("admin/import_state.html", **_state_of(run_id))


@blueprint.get("/imports/<int:run_id>/refusals.csv")
def import_refusals(run_id: int) -> ResponseReturnValue:
    """The report: which lines were refused, and why, in the reader's language."""
    run = _get_run(run_id)
    rows: list[dict[str, object]] = [refusal | {"reason": gettext(refusal["reason"])} for refusal in run.refusals]
    header = (gettext(N_("Line")), gettext(N_("Value")), gettext(N_("Reason")))
    headers = {"Content-Disposition": f'attachment; filename="refusals-{run.id}.csv"'}
    return Response(export_refusals(rows, header), mimetype="text/csv", headers=headers)


def _get_run(run_id: int) -> ImportRun:
    run = get_session().get(ImportRun, run_id)
    if run is None:
        raise NotFoundError(N_("There is no such import."))
    return run


def _state_of(run_id: int) -> dict[str, Any]:
    run = _get_run(run_id)
    target = next(each for each in list_lists(get_session(), has_archived=True) if each.id == run.list_id)
    return {"run": run, "target": target, "is_over": run.state in IS_OVER}
