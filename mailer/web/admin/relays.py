"""Relays: the servers that take our mail. Passwords go in and never come out."""

import asyncio

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, EmailField, FloatField, IntegerField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, NumberRange, Optional

from mailer.dispatch.models import Relay
from mailer.dispatch.relays import registry as room
from mailer.dispatch.relays import routing
from mailer.dispatch.rules import Outcome
from mailer.dispatch.way_states import find_settings_state, list_all_relay_states
from mailer.errors import MailerError, RuleError
from mailer.i18n import N_
from mailer.newsletters import get_newsletter, list_newsletters
from mailer.web.admin import blueprint
from mailer.web.admin.acting import actor, done
from mailer.web.admin.asking import ask
from mailer.web.database import commit, get_session
from mailer.web.failures import say
from mailer.web.forms import REFUSED, Form, at_most, choices, lazy, required, strip
from mailer.web.limits import limiter
from mailer.web.locale import current_locale, gettext
from mailer.web.replies import said

FIELDS = (
    "name",
    "host",
    "port",
    "security",
    "username",
    "connections",
    "messages_per_connection",
    "rate",
    "weight",
    "is_enabled",
)
SECURITIES = {
    "starttls": N_("STARTTLS (usually port 587)"),
    "tls": N_("TLS from the start (usually port 465)"),
    "none": N_("None (only on the same machine or network)"),
}
# RFC 5321 lets a greeting take minutes; somebody who waits for a page does not.
PATIENCE = 20.0


class RelayForm(Form):
    """A relay as its provider describes it."""

    name = StringField(lazy(N_("Name of the relay")), [required(), at_most(64)], filters=[strip])
    host = StringField(lazy(N_("Server")), [required(), at_most(255)], filters=[strip])
    port = IntegerField(lazy(N_("Port")), [required(), NumberRange(1, 65_535)], default=587)
    security = SelectField(lazy(N_("Security")), choices=choices(SECURITIES))
    username = StringField(lazy(N_("User name")), [at_most(255)], filters=[strip], render_kw={"autocomplete": "off"})
    password = PasswordField(lazy(N_("Password")), [at_most(500)], render_kw={"autocomplete": "new-password"})
    connections = IntegerField(lazy(N_("Connections")), [required(), NumberRange(1, 200)], default=10)
    messages_per_connection = IntegerField(
        lazy(N_("Messages per connection")), [required(), NumberRange(1, 100_000)], default=100
    )
    rate = FloatField(lazy(N_("Messages per second")), [Optional(), NumberRange(0.01, 100_000)])
    weight = IntegerField(lazy(N_("Share")), [InputRequired(), NumberRange(0, 100)], default=1)
    is_enabled = BooleanField(lazy(N_("In use")), default=True)


class TestMailForm(Form):
    """Where a test mail goes."""

    address = EmailField(lazy(N_("Address")), [required(), at_most(320)], filters=[strip])


@blueprint.get("/relays")
def relays() -> ResponseReturnValue:
    """With their shares and how they do; and what each newsletter is bound to."""
    session = get_session()
    form = TestMailForm(formdata=None, data={"address": actor().email})
    newsletters = list_newsletters(session)
    relays = room.list_relays(session)
    return render_template(
        "admin/relays.html",
        relays=relays,
        of_settings=None if relays else find_settings_state(session),
        states=list_all_relay_states(session),
        newsletters=newsletters,
        choices={one.id: routing.find_choice(session, one.id) for one in newsletters},
        form=form,
    )


@blueprint.post("/relays/of/<int:newsletter_id>")
def relay_choose(newsletter_id: int) -> ResponseReturnValue:
    """Binds a newsletter to relays; none at all lets it take every one in use."""
    session = get_session()
    newsletter = get_newsletter(session, newsletter_id)
    try:
        routing.choose(session, newsletter.id, request.form.getlist("relay", type=int), by=actor())
    except RuleError as error:
        session.rollback()
        flash(say(error), "error")
    else:
        done(N_("Saved: the mail of “%(title)s” takes these relays from now on."), title=newsletter.title)
    return redirect(url_for("admin.relays"))


@blueprint.route("/relays/new", methods=["GET", "POST"])
def relay_create() -> ResponseReturnValue:
    """Form and act."""
    form = RelayForm()
    if form.validate_on_submit():
        try:
            made = room.create_relay(
                get_session(),
                by=actor(),
                password=form.password.data or "",
                **{name: form[name].data for name in FIELDS},
            )
        except RuleError as error:
            form.refuse(error, "name")
        else:
            done(N_("The relay is saved. Test it before anything depends on it."))
            return redirect(url_for("admin.relay_change", relay_id=made.id))
    return render_template("admin/relay_form.html", form=form, shown=None), REFUSED if form.errors else 200


@blueprint.route("/relays/<int:relay_id>", methods=["GET", "POST"])
def relay_change(relay_id: int) -> ResponseReturnValue:
    """Form and act; an empty password leaves the old one."""
    session = get_session()
    shown = room.get_relay(session, relay_id)
    form = RelayForm(obj=shown)
    if form.validate_on_submit():
        password = "" if request.form.get("forget_password") else form.password.data or None
        try:
            room.change_relay(session, shown, by=actor(), password=password, **{n: form[n].data for n in FIELDS})
        except RuleError as error:
            session.rollback()
            form.refuse(error, "name")
        else:
            done(N_("The relay is saved. Test it before anything depends on it."))
            return redirect(url_for("admin.relay_change", relay_id=relay_id))
    return render_template("admin/relay_form.html", form=form, shown=shown), REFUSED if form.errors else 200


@blueprint.post("/relays/<int:relay_id>/test")
@limiter.limit("20 per minute")
def relay_test(relay_id: int) -> ResponseReturnValue:
    """Connects, secures and signs in, and says what came of it; no mail is sent."""
    relay = room.get_relay(get_session(), relay_id)
    try:
        address = room.address_of(relay)
    except MailerError as error:
        flash(say(error), "error")
        return _back(relay)
    commit()  # no transaction stays open while we talk to the network
    try:
        found = asyncio.run(asyncio.wait_for(room.probe(address), PATIENCE))
    except TimeoutError:
        silent = gettext(
            N_("%(name)s did not answer within %(seconds)s seconds."), name=relay.name, seconds=int(PATIENCE)
        )
        flash(silent, "error")
    else:
        flash(found.in_words(current_locale()), "success" if found.is_ok else "error")
    return _back(relay)


@blueprint.post("/relays/send-test")
@limiter.limit("10 per minute")
def relay_send_test() -> ResponseReturnValue:
    """One short mail through the relay in use, to see it arrive; shows what its server said."""
    form = TestMailForm()
    if not form.validate_on_submit():
        flash(" ".join(str(error) for error in form.address.errors), "error")
        return redirect(url_for("admin.relays"))
    try:
        result = asyncio.run(asyncio.wait_for(room.send_test(get_session(), form.address.data), PATIENCE))
    except RuleError as error:
        flash(say(error), "error")
    except TimeoutError:
        flash(gettext(N_("The relay did not answer within %(seconds)s seconds."), seconds=int(PATIENCE)), "error")
    else:
        reply = said(result.reply, result.code)
        if result.outcome == Outcome.ACCEPTED:
            flash(gettext(N_("%(relay)s took the mail: %(reply)s"), relay=result.relay, reply=reply), "success")
        else:
            flash(gettext(N_("%(relay)s did not take the mail: %(reply)s"), relay=result.relay, reply=reply), "error")
    return redirect(url_for("admin.relays"))


@blueprint.route("/relays/<int:relay_id>/remove", methods=["GET", "POST"])
def relay_remove(relay_id: int) -> ResponseReturnValue:
    """Asks, then removes."""
    session = get_session()
    relay = room.get_relay(session, relay_id)
    if request.method != "POST":
        return ask(
            gettext(N_("Remove the relay %(name)s?"), name=relay.name),
            consequence=gettext(
                N_("Its password is gone for good. Where no relay is left in use, the one of the settings is used.")
            ),
            yes=gettext(N_("Remove")),
            back=url_for("admin.relay_change", relay_id=relay_id),
        )
    room.remove_relay(session, relay, by=actor())
    done(N_("The relay is removed."))
    return redirect(url_for("admin.relays"))


def _back(relay: Relay) -> ResponseReturnValue:
    return redirect(url_for("admin.relay_change", relay_id=relay.id))
