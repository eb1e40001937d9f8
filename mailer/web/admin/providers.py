"""Provider groups: what one sender may give to each, as the file says and as an admin has set it."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import IntegerField, TextAreaField
from wtforms.validators import NumberRange, Optional

from mailer.dispatch.pace import provider_settings as room
from mailer.dispatch.pace.providers import OTHER, get_providers
from mailer.dispatch.pace.slowing import load_paces
from mailer.dispatch.suspending import end_suspension, list_slowed, list_suspensions
from mailer.errors import NotFoundError, RuleError
from mailer.i18n import N_
from mailer.web.admin import blueprint
from mailer.web.admin.acting import actor, done
from mailer.web.admin.asking import ask
from mailer.web.database import get_session
from mailer.web.forms import REFUSED, Form, at_most, lazy
from mailer.web.locale import gettext


def _limit(label: str, name: str) -> IntegerField:
    return IntegerField(
        lazy(label), [Optional(), NumberRange(1, room.LIMITS[name])], render_kw={"inputmode": "numeric"}
    )


class ProviderForm(Form):
    """What is set otherwise for one group; an empty field is as the file says."""

    connections = _limit(N_("Messages at once"), "connections")
    messages_per_connection = _limit(N_("Messages per connection"), "messages_per_connection")
    per_minute = _limit(N_("A minute"), "per_minute")
    per_hour = _limit(N_("An hour"), "per_hour")
    per_day = _limit(N_("A day"), "per_day")
    suspend_after = _limit(N_("Suspended after so many replies in an hour"), "suspend_after")
    suspend_minutes = _limit(N_("Minutes of a suspension"), "suspend_minutes")
    domains = TextAreaField(lazy(N_("More domains")), [at_most(20_000)], render_kw={"rows": 4, "spellcheck": "false"})


@blueprint.get("/providers")
def providers() -> ResponseReturnValue:
    """Every group with its limits, and who is slowed or suspended now."""
    session = get_session()
    stops = {each.provider: each for each in (*list_slowed(session), *list_suspensions(session))}
    return render_template(
        "admin/providers.html",
        groups=room.load_providers(session),
        defaults=get_providers(),
        paces=load_paces(session),
        stops=stops,
        other=OTHER,
    )


@blueprint.route("/providers/<name>", methods=["GET", "POST"])
def provider_change(name: str) -> ResponseReturnValue:
    """Form and act; the file's values stand beside every field."""
    session = get_session()
    row = room.find_override(session, name)
    data = {limit: getattr(row, limit) for limit in room.LIMITS} | {"domains": "\n".join(row.domains)} if row else {}
    form = ProviderForm(data=data)
    if form.validate_on_submit():
        try:
            room.set_override(
                session,
                name,
                by=actor(),
                domains=(form.domains.data or "").split(),
                **{limit: form[limit].data for limit in room.LIMITS},
            )
        except RuleError as error:
            session.rollback()
            form.refuse(error, "domains")
        else:
            done(N_("Saved: it holds from the next few seconds on. A roster that is made already keeps its groups."))
            return redirect(url_for("admin.providers"))
    page = render_template(
        "admin/provider_form.html", form=form, name=name, default=get_providers()[name], has_override=row is not None
    )
    return page, REFUSED if form.errors else 200


@blueprint.route("/providers/<name>/reset", methods=["GET", "POST"])
def provider_reset(name: str) -> ResponseReturnValue:
    """Asks, then lays the file's values bare again."""
    session = get_session()
    room.find_override(session, name)
    if request.method != "POST":
        return ask(
            gettext(N_("Use the default limits for %(name)s again?"), name=name),
            consequence=gettext(N_("What was set here, the added domains too, is gone for good.")),
            yes=gettext(N_("Use the defaults")),
            back=url_for("admin.provider_change", name=name),
        )
    room.reset_override(session, name, by=actor())
    done(N_("The defaults hold again."))
    return redirect(url_for("admin.providers"))


@blueprint.post("/providers/<name>/release")
def provider_release(name: str) -> ResponseReturnValue:
    """Ends a suspension or a slower pace before its time: the provider has been spoken to."""
    if name not in get_providers():
        raise NotFoundError(N_("There is no such provider group."))
    end_suspension(get_session(), name, by=actor())
    done(N_("%(name)s is written to as usual again."), name=name)
    return redirect(url_for("admin.providers"))
