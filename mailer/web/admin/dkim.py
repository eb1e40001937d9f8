"""DKIM keys: made, shown as the DNS wants them, activated, retired. Private halves go in and never come out."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectField, StringField

from mailer.db import now
from mailer.dispatch.dkim import keys as room
from mailer.dispatch.dkim.models import DkimKey
from mailer.dispatch.dkim.rules import (
    FOUND,
    KEPT_PUBLISHED,
    KeyState,
    Published,
    record_name,
    record_value,
    state_of,
    zone_line,
)
from mailer.dispatch.dkim.senders import list_unsigned_domains
from mailer.dispatch.dkim.signing import Algorithm
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.web.admin import blueprint
from mailer.web.admin.acting import actor, done, typed
from mailer.web.admin.asking import ask
from mailer.web.database import get_session
from mailer.web.forms import REFUSED, Form, at_most, choices, lazy, required, strip
from mailer.web.limits import limiter
from mailer.web.locale import gettext

ALGORITHMS = {
    "both": N_("Both: every message carries two signatures"),
    "rsa-sha256": N_("RSA, 2048 bits: understood everywhere"),
    "ed25519-sha256": N_("Ed25519: short and modern, not yet checked by all"),
}
# Name and colour of the badge.
STATES: dict[KeyState, tuple[str, str]] = {
    KeyState.WAITING: (N_("Waits to be activated"), "azure"),
    KeyState.ACTIVE: (N_("Signs"), "green"),
    KeyState.RETIRED: (N_("Retired, still published"), "yellow"),
    KeyState.OVER: (N_("Over"), "secondary"),
}
LOOKS = {Published.PUBLISHED: "success", Published.UNANSWERED: "warning"}


class KeyForm(Form):
    """What a new key needs."""

    domain = StringField(lazy(N_("Domain")), [required(), at_most(255)], filters=[strip])
    selector = StringField(lazy(N_("Selector")), [at_most(63)], filters=[strip])
    algorithm = SelectField(lazy(N_("Algorithm")), choices=choices(ALGORITHMS))


@blueprint.get("/dkim")
def dkim() -> ResponseReturnValue:
    """By domain, newest first; and the domains whose mail goes out unsigned."""
    session = get_session()
    keys = _shown(*room.list_keys(session))
    return render_template(
        "admin/dkim.html",
        keys=keys,
        waiting={key.domain for key, state in keys if state is KeyState.WAITING},
        unsigned=list_unsigned_domains(session),
        states=STATES,
        published_until=room.published_until,
    )


@blueprint.route("/dkim/new", methods=["GET", "POST"])
def dkim_create() -> ResponseReturnValue:
    """Form and act; `domain` may come with the address."""
    form = KeyForm(domain=typed("domain"))
    if form.validate_on_submit():
        chosen = form.algorithm.data
        wanted = list(Algorithm) if chosen == "both" else [Algorithm(chosen)]
        try:
            made = room.create_keys(
                get_session(), form.domain.data, by=actor(), selector=form.selector.data or "", algorithms=wanted
            )
        except RuleError as error:
            get_session().rollback()
            form.refuse(error, "domain" if error.message == room.NO_DOMAIN else "selector")
        else:
            done(N_("The keys are made. Publish their records in the DNS, then activate them."))
            return redirect(url_for("admin.dkim") if len(made) > 1 else url_for("admin.dkim_key", key_id=made[0].id))
    return render_template("admin/dkim_form.html", form=form), REFUSED if form.errors else 200


@blueprint.get("/dkim/<int:key_id>")
def dkim_key(key_id: int) -> ResponseReturnValue:
    """One key with its DNS record."""
    key = room.get_key(get_session(), key_id)
    name, value = record_name(key.domain, key.selector), record_value(key.algorithm, key.public_key)
    ((_, state),) = _shown(key)
    return render_template(
        "admin/dkim_key.html",
        key=key,
        state=state,
        states=STATES,
        published_until=room.published_until(key),
        name=name,
        value=value,
        zone=zone_line(name, value),
    )


@blueprint.post("/dkim/<int:key_id>/check")
@limiter.limit("20 per minute")
def dkim_check(key_id: int) -> ResponseReturnValue:
    """Asks the DNS, and says what it publishes."""
    found = _look_up(room.get_key(get_session(), key_id))
    flash(gettext(FOUND[found]), LOOKS.get(found, "error"))
    return redirect(url_for("admin.dkim_key", key_id=key_id))


@blueprint.route("/dkim/<int:key_id>/activate", methods=["GET", "POST"])
@limiter.limit("20 per minute")
def dkim_activate(key_id: int) -> ResponseReturnValue:
    """Asks, and says what the DNS has, since a key that is not published does harm; then activates."""
    key = room.get_key(get_session(), key_id)
    if request.method != "POST":
        found = _look_up(key)
        rotation = gettext(
            N_("From the next message on it signs the mail of %(domain)s. The key before it is retired."),
            domain=key.domain,
        )
        return ask(
            gettext(N_("Activate the key %(selector)s?"), selector=key.selector),
            consequence=f"{gettext(FOUND[found])} {rotation}",
            yes=gettext(N_("Activate")),
            back=url_for("admin.dkim_key", key_id=key_id),
            is_dangerous=found is not Published.PUBLISHED,
        )
    room.activate(get_session(), key, by=actor())
    done(N_("The key signs from now on."))
    return redirect(url_for("admin.dkim"))


@blueprint.route("/dkim/<int:key_id>/retire", methods=["GET", "POST"])
def dkim_retire(key_id: int) -> ResponseReturnValue:
    """Asks, then retires."""
    key = room.get_key(get_session(), key_id)
    if request.method != "POST":
        return ask(
            gettext(N_("Retire the key %(selector)s?"), selector=key.selector),
            consequence=gettext(
                N_(
                    "Until another key is activated, mail of %(domain)s goes out without this signature and may be "
                    "taken for spam. Its record must stay in the DNS for %(days)s days."
                ),
                domain=key.domain,
                days=KEPT_PUBLISHED.days,
            ),
            yes=gettext(N_("Retire")),
            back=url_for("admin.dkim_key", key_id=key_id),
        )
    room.retire(get_session(), key, by=actor())
    done(N_("The key is retired."))
    return redirect(url_for("admin.dkim"))


@blueprint.route("/dkim/<int:key_id>/remove", methods=["GET", "POST"])
def dkim_remove(key_id: int) -> ResponseReturnValue:
    """Asks, then removes."""
    key = room.get_key(get_session(), key_id)
    if request.method != "POST":
        return ask(
            gettext(N_("Remove the key %(selector)s?"), selector=key.selector),
            consequence=gettext(N_("Its private half is gone for good. Its record can be taken out of the DNS.")),
            yes=gettext(N_("Remove")),
            back=url_for("admin.dkim_key", key_id=key_id),
        )
    room.remove(get_session(), key, by=actor())
    done(N_("The key is removed."))
    return redirect(url_for("admin.dkim"))


def _look_up(key: DkimKey) -> Published:
    from mailer.dispatch.dkim.dns import look_up  # pulls in the DNS library, which no other page needs

    # No transaction is open while we talk to the network.
    get_session().commit()
    return look_up(key)


def _shown(*keys: DkimKey) -> list[tuple[DkimKey, KeyState]]:
    moment = now(get_session())
    return [(key, state_of(key.activated_at, key.retired_at, moment)) for key in keys]
