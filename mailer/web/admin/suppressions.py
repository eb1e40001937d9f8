"""The suppression list: addresses nothing is sent to."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.file import FileField, FileRequired
from wtforms import DateField, EmailField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional, ValidationError

from mailer import accounts, newsletters
from mailer.addresses import mend, parse_address
from mailer.audience.exporting import SUPPRESSION_COLUMNS, export_suppressions
from mailer.audience.models import Suppression
from mailer.audience.rules import SuppressionReason
from mailer.audience.suppressing import is_erased_key, lift, list_suppressions, suppress
from mailer.audience.suppression_files import import_suppressions
from mailer.errors import NotFoundError, RuleError, UnreadableError
from mailer.i18n import N_
from mailer.settings import get_settings
from mailer.web.admin import blueprint
from mailer.web.admin.acting import actor, done, place, typed
from mailer.web.database import commit, get_session
from mailer.web.downloading import Taken, download
from mailer.web.forms import REFUSED, Form, at_most, lazy, required, strip
from mailer.web.locale import gettext

PAGE_SIZE = 50


class SuppressionForm(Form):
    """Which address, for what, and why."""

    email = EmailField(lazy(N_("Email address")), [required(), at_most(320)], filters=[strip])
    newsletter_id = SelectField(lazy(N_("Holds for")), coerce=int)
    note = TextAreaField(
        lazy(N_("Reason")), [required(N_("Say why: somebody will ask.")), at_most(1000)], filters=[strip]
    )
    expires_on = DateField(lazy(N_("Until, if it ends")), [Optional()])

    def validate_expires_on(self, field: DateField) -> None:
        """A day that is still to come."""
        if field.data is not None and field.data <= dt.datetime.now(dt.UTC).date():
            raise ValidationError(gettext(N_("Choose a day that is still to come.")))


class SuppressionFileForm(Form):
    """A list of addresses, for what it holds, and why."""

    file = FileField(lazy(N_("CSV file or Excel workbook")), [FileRequired(message=lazy(N_("Choose a file.")))])
    newsletter_id = SelectField(lazy(N_("Holds for")), coerce=int)
    note = TextAreaField(
        lazy(N_("Reason")), [required(N_("Say why: somebody will ask.")), at_most(1000)], filters=[strip]
    )


class LiftForm(Form):
    """Why something may be sent there again."""

    note = TextAreaField(
        lazy(N_("Reason")), [required(N_("Say why: somebody will ask.")), at_most(1000)], filters=[strip]
    )


@blueprint.get("/suppressions")
def suppressions() -> ResponseReturnValue:
    """Newest first, lifted ones too."""
    session = get_session()
    search = mend(typed("search"))
    found = list_suppressions(
        session, email_key=search, before_id=request.args.get("before", type=int), limit=PAGE_SIZE + 1
    )
    shown = found[:PAGE_SIZE]
    args: dict[str, Any] = {"search": search} if search else {}
    return render_template(
        "admin/suppressions.html",
        suppressions=shown,
        address_of=_address_of,
        search=search,
        newsletters={n.id: n.title for n in newsletters.list_newsletters(session, has_archived=True)},
        first=url_for("admin.suppressions", **args) if request.args.get("before") else None,
        next=url_for("admin.suppressions", before=shown[-1].id, **args) if len(found) > PAGE_SIZE else None,
    )


@blueprint.route("/suppressions/new", methods=["GET", "POST"])
def suppression_create() -> ResponseReturnValue:
    """Form and act."""
    session = get_session()
    form = SuppressionForm(data={"email": request.args.get("email", "")} if request.method != "POST" else None)
    form.newsletter_id.choices = _scopes()
    if form.validate_on_submit():
        try:
            address = parse_address(form.email.data)
        except RuleError as error:
            form.refuse(error, "email")
        else:
            made = suppress(
                session,
                email_key=address.key,
                reason=SuppressionReason.MANUAL,
                newsletter_id=form.newsletter_id.data or None,
                note=form.note.data,
                expires_at=_end_of(form.expires_on.data),
            )
            _record("suppression.added", made, form.note.data)
            done(N_("Nothing will be sent to %(email)s."), email=address.email)
            return redirect(url_for("admin.suppressions", search=address.email))
    return render_template("admin/suppression_form.html", form=form), REFUSED if form.errors else 200


@blueprint.route("/suppressions/<int:suppression_id>/lift", methods=["GET", "POST"])
def suppression_lift(suppression_id: int) -> ResponseReturnValue:
    """Asks for the reason, then lifts."""
    session = get_session()
    shown = session.get(Suppression, suppression_id)
    if shown is None:
        raise NotFoundError(N_("There is no such suppression."))
    if shown.lifted_at is not None:
        raise RuleError(N_("This suppression has been lifted already."))
    form = LiftForm()
    if form.validate_on_submit():
        lift(session, shown, note=form.note.data)
        _record("suppression.lifted", shown, form.note.data)
        done(N_("%(email)s is no longer suppressed."), email=_address_of(shown))
        is_hashed = is_erased_key(shown.email_key)
        return redirect(url_for("admin.suppressions", search=None if is_hashed else shown.email_key))
    page = render_template("admin/suppression_lift.html", form=form, shown=shown, address=_address_of(shown))
    return page, REFUSED if form.errors else 200


def _address_of(row: Suppression) -> str:
    """What a person may read in its place, where it belonged to a reader who was erased."""
    return gettext(N_("(an erased reader)")) if is_erased_key(row.email_key) else row.email_key


@blueprint.route("/suppressions/import", methods=["GET", "POST"])
def suppression_import() -> ResponseReturnValue:
    """Form, act, and what became of each line."""
    form, outcome = SuppressionFileForm(), None
    form.newsletter_id.choices = _scopes()
    if form.validate_on_submit():
        session = get_session()
        try:
            outcome = import_suppressions(
                session,
                form.file.data.stream,
                filename=form.file.data.filename or "",
                newsletter_id=form.newsletter_id.data or None,
                note=form.note.data,
                by=actor(),
                ip=place(),
            )
        except (RuleError, UnreadableError) as error:
            session.rollback()
            form.refuse(error, "file")
        else:
            commit()
    page = render_template("admin/suppression_import.html", form=form, outcome=outcome)
    return page, REFUSED if form.errors else 200


@blueprint.get("/suppressions/export.<kind>")
def suppressions_export(kind: str) -> ResponseReturnValue:
    """All of them, lifted ones too; streamed and recorded."""
    taken = Taken("suppressions.exported", "suppression")
    return download("suppressions", kind, SUPPRESSION_COLUMNS, export_suppressions, taken=taken)


def _scopes() -> list[SelectChoice]:
    return [
        SelectChoice(0, gettext(N_("Everything we send"))),
        *(SelectChoice(each.id, each.title) for each in newsletters.list_newsletters(get_session())),
    ]


def _end_of(day: dt.date | None) -> dt.datetime | None:
    """The end of that day here."""
    if day is None:
        return None
    return dt.datetime.combine(day, dt.time(23, 59, 59), ZoneInfo(get_settings().time_zone))


def _record(action: str, suppression: Suppression, note: str) -> None:
    accounts.record(
        get_session(),
        by=actor(),
        action=action,
        subject_type="suppression",
        subject_id=suppression.id,
        ip=place(),
        note=note,
        reason=suppression.reason,
    )
