"""Imports of subscribers: a file uploaded, its columns chosen, checked, carried out, watched, and what was refused."""

from collections.abc import Iterator
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.file import FileField, FileRequired
from sqlalchemy.orm import Session
from wtforms import BooleanField, DateField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from mailer.audience import importing
from mailer.audience.deciding import Decision, DecisionError
from mailer.audience.exporting import export_refusals
from mailer.audience.headings import Target
from mailer.audience.import_models import ImportRun
from mailer.audience.layouts import COLUMNS_READ
from mailer.audience.rules import IMPORT_OVER, IMPORT_UNDER_WAY, ImportState
from mailer.audience.spreadsheets import Row
from mailer.audience.uploading import read_kept_head
from mailer.errors import RuleError, UnreadableError
from mailer.i18n import N_
from mailer.newsletters import get_list, list_lists
from mailer.settings import get_settings
from mailer.web.admin import blueprint
from mailer.web.admin.acting import actor, done, place
from mailer.web.admin.subscribers import list_choices
from mailer.web.admin.words import BASES, word
from mailer.web.database import commit, get_session
from mailer.web.downloading import Taken, download
from mailer.web.forms import REFUSED, Form, at_most, choices, lazy, required, strip
from mailer.web.locale import gettext

REFUSALS_SHOWN = 100


class ImportForm(Form):
    """The file, where its readers go, and by what right."""

    list_id = SelectField(lazy(N_("List")), coerce=int)
    file = FileField(lazy(N_("CSV file or Excel workbook")), [FileRequired(message=lazy(N_("Choose a file.")))])
    basis = SelectField(lazy(N_("Legal basis")), choices=choices(BASES))
    decided_by = StringField(lazy(N_("Who decided it")), [at_most(200)], filters=[strip])
    decided_on = DateField(lazy(N_("Decided on")), [Optional()])
    wording = TextAreaField(
        lazy(N_("How they agreed, or by what it was decided")), [at_most(2000)], filters=[strip], render_kw={"rows": 2}
    )
    has_right = BooleanField(
        lazy(N_("I have this basis for everybody in the file and can prove it.")),
        [required(N_("Without it nobody may be written to."))],
    )


class BareForm(Form):
    """A button's token."""


@blueprint.url_value_preprocessor
def _allow_large_uploads(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """An import's file may be larger than a document: said before the body is read, and to who is signed in only."""
    if endpoint == "admin.import_create" and current_user.is_authenticated:
        request.max_content_length = get_settings().max_import_mb * 1024 * 1024 + 65_536


@blueprint.get("/imports")
def imports() -> ResponseReturnValue:
    """The latest fifty."""
    session = get_session()
    return render_template(
        "admin/imports.html",
        runs=importing.list_imports(session),
        lists={each.id: each for each in list_lists(session, has_archived=True)},
        refused=("duplicate", "invalid", "suppressed", "left", "unconfirmed"),
    )


@blueprint.route("/imports/new", methods=["GET", "POST"])
def import_create() -> ResponseReturnValue:
    """Form and act: the file is kept, nobody is subscribed yet."""
    form = ImportForm(data={"list_id": request.args.get("list", type=int)} if request.method != "POST" else None)
    form.list_id.choices = list_choices()
    if form.validate_on_submit():
        upload = form.file.data
        try:
            run = importing.receive(
                get_session(),
                upload.stream,
                list_id=form.list_id.data,
                filename=upload.filename or "import.csv",
                basis=form.basis.data,
                wording=form.wording.data or "",
                decision=Decision(form.decided_by.data or "", form.decided_on.data),
                by=actor(),
                ip=place(),
            )
        except DecisionError as error:
            get_session().rollback()
            form.refuse(error, error.field)
        except (RuleError, UnreadableError) as error:
            get_session().rollback()
            form.refuse(error, "file" if isinstance(error, UnreadableError) else "list_id")
        else:
            commit()
            return redirect(url_for("admin.import_columns", run_id=run.id))
    page = render_template("admin/import_form.html", form=form, largest=get_settings().max_import_mb)
    return page, REFUSED if form.errors else 200


@blueprint.route("/imports/<int:run_id>/columns", methods=["GET", "POST"])
def import_columns(run_id: int) -> ResponseReturnValue:
    """What each column means: proposed, decided here; then the file is checked."""
    session = get_session()
    run = importing.get_import(session, run_id)
    if run.state not in {ImportState.UPLOADED, ImportState.CHECKED}:
        return redirect(url_for("admin.import_run", run_id=run_id))
    form, head = BareForm(), read_kept_head(session, run)
    targets = [Target(target) for target in run.layout["targets"]]
    has_header = bool(run.layout["has_header"])
    if form.validate_on_submit():
        targets = _chosen(len(targets))
        has_header = "has_header" in request.form
        try:
            importing.choose_columns(session, run, targets, has_header=has_header)
        except RuleError as error:
            session.rollback()
            form.refuse(error)
        else:
            commit()
            return redirect(url_for("admin.import_run", run_id=run_id))
    page = render_template(
        "admin/import_columns.html",
        form=form,
        run=run,
        head=head,
        targets=targets,
        has_header=has_header,
        options=list(Target),
    )
    return page, REFUSED if form.form_errors else 200


def _chosen(width: int) -> list[Target]:
    """One for each column; what is no choice is left out."""
    said = [request.form.get(f"column{number}", "") for number in range(min(width, COLUMNS_READ))]
    return [Target(value) if value in list(Target) else Target.IGNORE for value in said]


@blueprint.post("/imports/<int:run_id>/begin")
def import_begin(run_id: int) -> ResponseReturnValue:
    """After the check: the readers are subscribed."""
    session = get_session()
    run = importing.get_import(session, run_id)
    importing.begin(session, run, by=actor(), ip=place())
    done(N_("The readers are being imported."))
    return redirect(url_for("admin.import_run", run_id=run_id))


@blueprint.post("/imports/<int:run_id>/cancel")
def import_cancel(run_id: int) -> ResponseReturnValue:
    """Given up; nothing was changed."""
    session = get_session()
    run = importing.get_import(session, run_id)
    importing.cancel(session, run, by=actor(), ip=place())
    done(N_("The import is given up. Nothing was changed."))
    return redirect(url_for("admin.import_run", run_id=run_id))


@blueprint.get("/imports/<int:run_id>")
def import_run(run_id: int) -> ResponseReturnValue:
    """How far it is, and what came of it."""
    return render_template("admin/import.html", **_state_of(run_id))


@blueprint.get("/imports/<int:run_id>/state")
def import_state(run_id: int) -> ResponseReturnValue:
    """The part of the page that changes while a worker reads; htmx asks for it until it is over."""
    return render_template("admin/import_state.html", **_state_of(run_id))


@blueprint.get("/imports/<int:run_id>/refusals.<kind>")
def import_refusals(run_id: int, kind: str) -> ResponseReturnValue:
    """The report: every line that was refused, and why, in the reader's language. Streamed and recorded."""
    run = importing.get_import(get_session(), run_id)
    header = (gettext(N_("Line")), gettext(N_("Value")), gettext(N_("Reason")))
    reasons = {reason: gettext(reason) for reason in importing.list_reasons(get_session(), run.id)}

    def rows(own: Session) -> Iterator[Row]:
        return export_refusals(own, run_id, reasons)

    taken = Taken("import.refusals_exported", "import", run.id)
    return download(f"refusals-{run.id}", kind, header, rows, taken=taken)


def _state_of(run_id: int) -> dict[str, Any]:
    session = get_session()
    run: ImportRun = importing.get_import(session, run_id)
    return {
        "run": run,
        "target": get_list(session, run.list_id),
        "is_over": run.state in IMPORT_OVER,
        "is_under_way": run.state in IMPORT_UNDER_WAY,
        "refusals": importing.list_refusals(session, run_id, limit=REFUSALS_SHOWN + 1),
        "shown": REFUSALS_SHOWN,
        "source": word("source", run.layout.get("source", "")),
    }
