"""What a reader chooses behind the link in every mail."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer.addresses import readable
from mailer.audience.preferences import Preferences, get_preferences, save_preferences
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.links import UnsubscribeTarget, make_unsubscribe_token
from mailer.web.database import commit, get_session
from mailer.web.forms import REFUSED
from mailer.web.locale import gettext
from mailer.web.portal import blueprint
from mailer.web.portal.forms import PreferencesForm
from mailer.web.portal.requests import evidence, leave_everything_wording, preferences_wording


@blueprint.route("/preferences/<token>", methods=["GET", "POST"])
def preferences(token: str) -> ResponseReturnValue:
    """Lists, name and language, without a password: the link was mailed."""
    found = get_preferences(get_session(), token)
    form = PreferencesForm(obj=found.subscriber)
    if not form.is_submitted():
        form.lists.data = [choice.list.id for choice in found.choices if choice.is_chosen]
    elif form.validate() and _save(form, token):
        commit()
        flash(gettext(N_("Your settings are saved.")), "success")
        return redirect(url_for("portal.preferences", token=token), code=303)
    return _page(token, found, form)


def _save(form: PreferencesForm, token: str) -> bool:
    try:
        save_preferences(
            get_session(),
            token,
            list_ids=form.lists.data or [],
            locale=form.locale.data,
            name=form.name.data or "",
            **evidence(preferences_wording()),
        )
    except RuleError as error:
        get_session().rollback()
        form.refuse(error, "lists")
        return False
    return True


def _page(token: str, found: Preferences, form: PreferencesForm) -> ResponseReturnValue:
    page = render_template(
        "portal/preferences.html",
        token=token,
        found=found,
        form=form,
        email=readable(found.subscriber.email),
        wording=preferences_wording(),
        everything_wording=leave_everything_wording(),
        leave_token=make_unsubscribe_token(UnsubscribeTarget(found.subscriber.id, 0, ())),
    )
    return page, REFUSED if request.method == "POST" else 200
