"""Lists: who a newsletter goes to."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, FieldList, FormField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import NumberRange

from mailer import newsletters as room
from mailer.audience.counting import count_by_list
from mailer.db import now
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.links import invitation_url, make_invitation_token
from mailer.newsletters.models import List
from mailer.newsletters.questions import LABEL_LENGTH, MOST_QUESTIONS
from mailer.newsletters.rules import SLUG_LENGTH
from mailer.web.admin import blueprint
from mailer.web.admin.acting import actor, done
from mailer.web.admin.asking import ask
from mailer.web.admin.words import WORDS
from mailer.web.database import get_session
from mailer.web.forms import REFUSED, Form, WithoutToken, at_most, choices, lazy, required, strip
from mailer.web.locale import gettext

# More rows than these come with the next look at the form: it works without script.
EMPTY_ROWS = 2
FIELDS = ("name", "description", "opt_in", "visibility", "position", "has_welcome", "owner")


class QuestionForm(WithoutToken):
    """A row of what the list asks; an empty one is none."""

    label = StringField(lazy(N_("Question, as readers see it")), [at_most(LABEL_LENGTH)], filters=[strip])
    key = StringField(lazy(N_("Short name")), [at_most(40)], filters=[strip], render_kw={"spellcheck": "false"})
    kind = SelectField(lazy(N_("Kind of answer")), choices=choices(WORDS["question"]))
    choices = TextAreaField(
        lazy(N_("Answers to choose from, one a line")), [at_most(5000)], filters=[strip], render_kw={"rows": 3}
    )
    is_required = BooleanField(lazy(N_("An answer is needed")))


class ListForm(Form):
    """What can be changed about a list."""

    name = StringField(lazy(N_("Name of the list")), [required(), at_most(200)], filters=[strip])
    description = TextAreaField(lazy(N_("Description")), [at_most(2000)], filters=[strip], render_kw={"rows": 3})
    opt_in = SelectField(lazy(N_("Opt-in")), choices=choices(WORDS["opt_in"]))
    visibility = SelectField(lazy(N_("Visibility")), choices=choices(WORDS["visibility"]))
    has_welcome = BooleanField(lazy(N_("Welcome new readers by a letter with the latest issue")))
    owner = StringField(lazy(N_("Address of who answers for the list")), [at_most(320)], filters=[strip])
    questions = FieldList(FormField(QuestionForm))
    position = IntegerField(lazy(N_("Position")), [NumberRange(0, 9999)], default=0)

    def show_questions(self, kept: Sequence[Mapping[str, Any]]) -> None:
        """What is asked so far, and a few empty rows; a form that was sent keeps its own."""
        if self.is_submitted():
            return
        for entry in kept:
            self.questions.append_entry({**entry, "choices": "\n".join(entry.get("choices", ()))})
        for _ in range(min(EMPTY_ROWS, MOST_QUESTIONS - len(kept))):
            self.questions.append_entry()

    def read_questions(self) -> list[dict[str, Any]]:
        """As `questions.check_questions` takes them."""
        rows = [row.form for row in self.questions if row.form.label.data or row.form.key.data]
        return [
            {
                "key": row.key.data or "", "label": row.label.data or "", "kind": row.kind.data,
                "choices": (row.choices.data or "").splitlines(), "is_required": row.is_required.data,
            }
            for row in rows
        ]  # fmt: skip


class NewListForm(ListForm):
    """And what is decided once: whose list it is and its short name."""

    newsletter_id = SelectField(lazy(N_("Newsletter")), coerce=int)
    slug = StringField(lazy(N_("Short name")), [required(), at_most(SLUG_LENGTH)], filters=[strip])


@blueprint.get("/lists")
def lists() -> ResponseReturnValue:
    """Every newsletter with its lists, archived ones last."""
    session = get_session()
    return render_template(
        "admin/lists.html",
        newsletters=room.list_newsletters(session),
        lists=room.list_lists(session, has_archived=True),
        counts=count_by_list(session),
        list_id_of=room.list_id_of,
    )


@blueprint.route("/lists/new", methods=["GET", "POST"])
def list_create() -> ResponseReturnValue:
    """Form and act."""
    session = get_session()
    newsletters = room.list_newsletters(session)
    form = NewListForm(data={"newsletter_id": request.args.get("newsletter", type=int)} if not request.form else None)
    form.show_questions([])
    form.newsletter_id.choices = [SelectChoice(each.id, each.title) for each in newsletters]
    if form.validate_on_submit():
        try:
            made = room.create_list(
                session,
                room.get_newsletter(session, form.newsletter_id.data),
                slug=form.slug.data,
                by=actor(),
                required_attributes=form.read_questions(),
                **{name: form[name].data for name in FIELDS},
            )
        except RuleError as error:
            form.refuse(error, "slug")
        else:
            done(N_("The list “%(name)s” is there."), name=made.name)
            return redirect(url_for("admin.lists"))
    page = render_template("admin/list_form.html", form=form, shown=None, newsletters=newsletters)
    return page, REFUSED if form.errors else 200


@blueprint.route("/lists/<int:list_id>", methods=["GET", "POST"])
def list_change(list_id: int) -> ResponseReturnValue:
    """Form and act; the short name stays, since readers filter by it."""
    session = get_session()
    shown = room.get_list(session, list_id)
    form = ListForm(obj=shown)
    form.show_questions(shown.required_attributes)
    if form.validate_on_submit():
        try:
            values = {name: form[name].data for name in FIELDS} | {"required_attributes": form.read_questions()}
            room.change_list(session, shown, by=actor(), **values)
        except RuleError as error:
            form.refuse(error, "name")
        else:
            done(N_("The list is saved."))
            return redirect(url_for("admin.lists"))
    page = render_template(
        "admin/list_form.html",
        form=form,
        shown=shown,
        list_id=room.list_id_of(shown),
        invitation_url=invitation_url(make_invitation_token(shown.id)),
        counts=count_by_list(session).get(list_id, {}),
    )
    return page, REFUSED if form.errors else 200


@blueprint.route("/lists/<int:list_id>/archive", methods=["GET", "POST"])
def list_archive(list_id: int) -> ResponseReturnValue:
    """Asks, then closes the list."""
    session = get_session()
    shown = room.get_list(session, list_id)
    if request.method != "POST":
        return ask(
            gettext(N_("Archive the list “%(name)s”?"), name=shown.name),
            consequence=gettext(
                N_("Nobody can join it and no mailing can go to it any more. Its readers stay, and you can restore it.")
            ),
            yes=gettext(N_("Archive the list")),
            back=url_for("admin.list_change", list_id=list_id),
        )
    room.archive_list(session, shown, at=now(session), by=actor())
    done(N_("The list “%(name)s” is archived."), name=shown.name)
    return _to_lists()


@blueprint.post("/lists/<int:list_id>/restore")
def list_restore(list_id: int) -> ResponseReturnValue:
    """The undo of archiving."""
    shown: List = room.get_list(get_session(), list_id)
    room.restore_list(get_session(), shown, by=actor())
    done(N_("The list “%(name)s” is open again."), name=shown.name)
    return _to_lists()


def _to_lists() -> ResponseReturnValue:
    return redirect(url_for("admin.lists"))
