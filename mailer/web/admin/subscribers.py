"""Subscribers: found by a part of their address, added by hand, taken away as a file."""

from collections.abc import Iterator
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import DateField, EmailField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from mailer import newsletters
from mailer.addresses import parse_address
from mailer.audience.adding import add_subscriber
from mailer.audience.deciding import Decision, DecisionError
from mailer.audience.exporting import COLUMNS, Selection, export_subscriptions
from mailer.audience.mail_domains import takes_no_mail
from mailer.audience.rules import SubscriptionState
from mailer.audience.searching import PAGE_SIZE, get_subscriber, list_subscribers
from mailer.audience.segments import get_segment
from mailer.audience.spreadsheets import Row
from mailer.audience.suppressing import find_suppressions
from mailer.dispatch.segmentation import issue_times
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.reports.timeline import get_timeline
from mailer.web.admin import blueprint
from mailer.web.admin.acting import actor, done, place, typed
from mailer.web.admin.words import BASES
from mailer.web.database import get_session
from mailer.web.downloading import Taken, download
from mailer.web.forms import REFUSED, Form, at_most, choices, lazy, required, strip


class SubscriberForm(Form):
    """Whom to add, to which list, and by what right."""

    email = EmailField(lazy(N_("Email address")), [required(), at_most(320)], filters=[strip])
    name = StringField(lazy(N_("Name")), [at_most(120)], filters=[strip])
    list_id = SelectField(lazy(N_("List")), coerce=int)
    basis = SelectField(lazy(N_("Legal basis")), choices=choices(BASES))
    decided_by = StringField(lazy(N_("Who decided it")), [at_most(200)], filters=[strip])
    decided_on = DateField(lazy(N_("Decided on")), [Optional()])
    wording = TextAreaField(
        lazy(N_("How they agreed")),
        [required(N_("Say how: it is the proof that is asked for later.")), at_most(2000)],
        filters=[strip],
        render_kw={"rows": 3},
    )


def list_choices() -> list[SelectChoice]:
    """Open lists, with their newsletter's name."""
    lists = newsletters.list_lists(get_session())
    return [SelectChoice(each.id, f"{each.newsletter.title} · {each.name}") for each in lists]


def _wanted_state() -> SubscriptionState | None:
    value = typed("state")
    return SubscriptionState(value) if value in list(SubscriptionState) else None


@blueprint.get("/subscribers")
def subscribers() -> ResponseReturnValue:
    """Newest first, narrowed by address, list and state."""
    session = get_session()
    search, list_id, state = typed("search"), request.args.get("list", type=int), _wanted_state()
    found = list_subscribers(
        session,
        search=search,
        list_id=list_id,
        state=state,
        before_id=request.args.get("before", type=int),
        limit=PAGE_SIZE + 1,
    )
    shown = found[:PAGE_SIZE]
    args: dict[str, Any] = {
        key: value for key, value in (("search", search), ("list", list_id), ("state", state)) if value
    }
    return render_template(
        "admin/subscribers.html",
        subscribers=shown,
        search=search,
        list_id=list_id,
        state=state,
        args=args,
        lists={each.id: each for each in newsletters.list_lists(session, has_archived=True)},
        states=list(SubscriptionState),
        first=url_for("admin.subscribers", **args) if request.args.get("before") else None,
        next=url_for("admin.subscribers", before=shown[-1].id, **args) if len(found) > PAGE_SIZE else None,
    )


@blueprint.route("/subscribers/new", methods=["GET", "POST"])
def subscriber_create() -> ResponseReturnValue:
    """Form and act."""
    form = SubscriberForm(data={"list_id": request.args.get("list", type=int)} if request.method != "POST" else None)
    form.list_id.choices = list_choices()
    if form.validate_on_submit():
        try:
            added = add_subscriber(
                get_session(),
                email=form.email.data,
                name=form.name.data,
                list_id=form.list_id.data,
                basis=form.basis.data,
                wording=form.wording.data,
                decision=Decision(form.decided_by.data or "", form.decided_on.data),
                by=actor(),
                ip=place(),
            )
        except DecisionError as error:
            get_session().rollback()
            form.refuse(error, error.field)
        except RuleError as error:
            get_session().rollback()
            form.refuse(error, "email")
        else:
            if added.email_key == parse_address(form.email.data).key:
                done(N_("%(email)s is subscribed."), email=added.email)
            else:
                done(N_("This reader has moved to another address. %(email)s is subscribed."), email=added.email)
            return redirect(url_for("admin.subscriber", subscriber_id=added.id))
    return render_template("admin/subscriber_form.html", form=form), REFUSED if form.errors else 200


@blueprint.get("/subscribers/<int:subscriber_id>")
def subscriber(subscriber_id: int) -> ResponseReturnValue:
    """One reader: what they are subscribed to, and everything that happened, in one line of time."""
    session = get_session()
    shown = get_subscriber(session, subscriber_id)
    return render_template(
        "admin/subscriber.html",
        shown=shown,
        lists={each.id: each for each in newsletters.list_lists(session, has_archived=True)},
        newsletters={each.id: each.title for each in newsletters.list_newsletters(session, has_archived=True)},
        suppressions=find_suppressions(session, shown.email_key),
        takes_no_mail=takes_no_mail(session, shown.domain),
        timeline=get_timeline(session, shown),
    )


@blueprint.get("/subscribers/export.<kind>")
def subscribers_export(kind: str) -> ResponseReturnValue:
    """Any selection, streamed and recorded."""
    session = get_session()
    segment_id = request.args.get("segment", type=int)
    selection = Selection(
        list_id=request.args.get("list", type=int),
        state=_wanted_state(),
        search=typed("search"),
        segment=get_segment(session, segment_id) if segment_id is not None else None,
    )
    taken = Taken(
        "subscribers.exported",
        "list",
        selection.list_id,
        {
            "state": selection.state or "all",
            "has_search": bool(selection.search),
            "segments": [segment_id] if segment_id is not None else [],
        },
    )

    def rows(own: Session) -> Iterator[Row]:
        return export_subscriptions(own, selection, issue_times=issue_times(own))

    return download("subscribers", kind, COLUMNS, rows, taken=taken)
