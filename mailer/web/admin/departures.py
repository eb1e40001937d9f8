"""Unsubscribing a reader who asked for it by phone or letter."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import TextAreaField

from mailer import accounts
from mailer.audience.leaving import unsubscribe
from mailer.audience.searching import get_subscriber
from mailer.i18n import N_
from mailer.links import UnsubscribeTarget
from mailer.newsletters import get_list
from mailer.web.admin import blueprint
from mailer.web.admin.acting import actor, done, place
from mailer.web.database import get_session
from mailer.web.forms import REFUSED, Form, at_most, lazy, required, strip


class DepartureForm(Form):
    """How the reader said it: kept with the consent that ends."""

    wording = TextAreaField(
        lazy(N_("How they asked for it")),
        [required(N_("Say how: it is the proof that is asked for later.")), at_most(2000)],
        filters=[strip],
        render_kw={"rows": 3},
    )


@blueprint.route("/subscribers/<int:subscriber_id>/lists/<int:list_id>/unsubscribe", methods=["GET", "POST"])
def subscriber_unsubscribe(subscriber_id: int, list_id: int) -> ResponseReturnValue:
    """Asks how the reader said it, then takes them off the list; only they can come back."""
    session = get_session()
    shown, target = get_subscriber(session, subscriber_id), get_list(session, list_id)
    form = DepartureForm()
    if form.validate_on_submit():
        unsubscribe(session, UnsubscribeTarget(shown.id, 0, (target.id,)), wording=form.wording.data)
        accounts.record(
            session,
            by=actor(),
            action="subscriber.unsubscribed",
            subject_type="subscriber",
            subject_id=shown.id,
            ip=place(),
            list_id=target.id,
        )
        done(N_("The reader is unsubscribed from “%(name)s”."), name=target.name)
        return redirect(url_for("admin.subscriber", subscriber_id=shown.id))
    page = render_template("admin/departure.html", form=form, shown=shown, target=target)
    return page, REFUSED if form.errors else 200
