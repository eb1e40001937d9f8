"""What a reader chooses behind the link in every mail: lists, language, name, answers, a pause, another address."""

import datetime as dt

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer.addresses import readable
from mailer.audience import moving, pausing
from mailer.audience.correspondence import offer_personal_data
from mailer.audience.preferences import Preferences, get_preferences, save_preferences
from mailer.db import now
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.links import UnsubscribeTarget, make_unsubscribe_token
from mailer.newsletters.questions import AnswerError
from mailer.settings import get_settings
from mailer.web.database import commit, get_session
from mailer.web.even_times import on_the_beat
from mailer.web.forms import REFUSED
from mailer.web.limits import limiter
from mailer.web.locale import gettext
from mailer.web.portal import blueprint
from mailer.web.portal.forms import WHY_LEFT, AddressForm, PauseForm, PreferencesForm, refuse_answer
from mailer.web.portal.requests import evidence, leave_everything_wording, preferences_wording
from mailer.web.questions import sent_answers


@blueprint.route("/preferences/<token>", methods=["GET", "POST"])
def preferences(token: str) -> ResponseReturnValue:
    """Everything on one page, without a password: the link was mailed."""
    found = get_preferences(get_session(), token)
    form = PreferencesForm(obj=found.subscriber)
    _ask(form, found)
    if not form.is_submitted():
        form.lists.data = [choice.list.id for choice in found.choices if choice.is_chosen]
    elif form.validate() and _save(form, token):
        commit()
        flash(gettext(N_("Your settings are saved.")), "success")
        return _back(token)
    return _page(token, found, form=form)


def _ask(form: PreferencesForm, found: Preferences) -> None:
    form.ask([choice.list for choice in found.choices if not choice.is_over], found.subscriber.attributes)


def _save(form: PreferencesForm, token: str) -> bool:
    try:
        save_preferences(
            get_session(),
            token,
            list_ids=form.lists.data or [],
            locale=form.locale.data,
            name=form.name.data or "",
            attributes=sent_answers(),
            **evidence(preferences_wording()),
        )
    except AnswerError as error:
        get_session().rollback()
        refuse_answer(form, error)
        return False
    except RuleError as error:
        get_session().rollback()
        form.refuse(error, "lists")
        return False
    return True


@blueprint.post("/preferences/<token>/pause")
def pause(token: str) -> ResponseReturnValue:
    """Nothing until the day that is chosen."""
    form = PauseForm()
    if form.validate():
        try:
            pausing.pause(get_session(), token, form.until.data, zone=get_settings().time_zone)
        except RuleError as error:
            get_session().rollback()
            form.refuse(error, "until")
        else:
            commit()
            flash(gettext(N_("Nothing is sent to you until then.")), "success")
            return _back(token)
    return _page(token, get_preferences(get_session(), token), pause_form=form)


@blueprint.post("/preferences/<token>/resume")
def resume(token: str) -> ResponseReturnValue:
    """The end of a pause, at once."""
    pausing.resume(get_session(), token)
    commit()
    flash(gettext(N_("Welcome back. You receive issues again from now on.")), "success")
    return _back(token)


@blueprint.post("/preferences/<token>/address")
@limiter.limit("10 per hour")
@on_the_beat
def change_address(token: str) -> ResponseReturnValue:
    """Asks both mailboxes."""
    form = AddressForm()
    if form.validate():
        try:
            moving.ask_to_move(get_session(), token, form.email.data)
        except RuleError as error:
            get_session().rollback()
            form.refuse(error, "email")
        else:
            commit()
            flash(gettext(N_("We are writing to both addresses. Press the button in both letters.")), "success")
            return _back(token)
    return _page(token, get_preferences(get_session(), token), address_form=form)


@blueprint.post("/preferences/<token>/address/cancel")
def cancel_address(token: str) -> ResponseReturnValue:
    """The reader thought better of it."""
    moving.cancel_move(get_session(), token)
    commit()
    flash(gettext(N_("Your address stays as it is.")), "success")
    return _back(token)


@blueprint.post("/preferences/<token>/personal")
@limiter.limit("10 per hour")
def ask_for_data(token: str) -> ResponseReturnValue:
    """A fresh link to everything we hold: the one to this page is passed on with every mail that is passed on."""
    session = get_session()
    is_written = offer_personal_data(session, get_preferences(session, token).subscriber)
    commit()
    if is_written:
        flash(gettext(N_("We are sending the link to your address.")), "success")
    else:
        flash(gettext(N_("We have sent you several letters today already. Please try again tomorrow.")), "warning")
    return _back(token)


def _back(token: str) -> ResponseReturnValue:
    return redirect(url_for("portal.preferences", token=token), code=303)


def _page(
    token: str,
    found: Preferences,
    *,
    form: PreferencesForm | None = None,
    pause_form: PauseForm | None = None,
    address_form: AddressForm | None = None,
) -> ResponseReturnValue:
    """The page with what was refused, where something was. A form that was not sent shows how things stand."""
    subscriber = found.subscriber
    if form is None:
        form = PreferencesForm(formdata=None, obj=subscriber)
        _ask(form, found)
        form.lists.data = [choice.list.id for choice in found.choices if choice.is_chosen]
    session = get_session()
    moment = now(session)
    page = render_template(
        "portal/preferences.html",
        token=token,
        found=found,
        form=form,
        pause_form=pause_form or PauseForm(formdata=None),
        address_form=address_form or AddressForm(formdata=None),
        tomorrow=(moment + dt.timedelta(days=1)).date(),
        latest=(moment + dt.timedelta(days=pausing.MOST_DAYS)).date(),
        paused_until=subscriber.paused_until if pausing.is_paused(subscriber, moment) else None,
        waiting=moving.find_waiting(session, subscriber),
        readable=readable,
        email=readable(subscriber.email),
        why_left=WHY_LEFT,
        wording=preferences_wording(),
        everything_wording=leave_everything_wording(),
        leave_token=make_unsubscribe_token(UnsubscribeTarget(subscriber.id, 0, ())),
    )
    return page, REFUSED if request.method == "POST" else 200
