"""Setting a password by a letter's link: after an invitation, or when it was forgotten."""

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from mailer import accounts
from mailer.accounts.inviting import accept_invitation
from mailer.accounts.resetting import RESET_HOURS, reset_password
from mailer.accounts.rules import MIN_PASSWORD
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.web import signing_in
from mailer.web.account import blueprint
from mailer.web.account.entering import typed_address
from mailer.web.account.forms import ForgottenForm, SetPasswordForm
from mailer.web.database import commit, get_session
from mailer.web.even_times import on_the_beat
from mailer.web.forms import REFUSED
from mailer.web.limits import limiter
from mailer.web.locale import gettext


@blueprint.route("/forgotten", methods=["GET", "POST"])
@limiter.limit("20 per hour", methods=["POST"])
@limiter.limit("5 per hour", methods=["POST"], key_func=typed_address)
@on_the_beat
def forgotten() -> ResponseReturnValue:
    """Asks for a letter; the answer is the same whether there is such an account or not."""
    form = ForgottenForm()
    if form.validate_on_submit():
        accounts.ask_reset(get_session(), form.email.data, ip=request.remote_addr)
        commit()
        return render_template("account/letter_on_its_way.html", email=form.email.data, hours=RESET_HOURS)
    return render_template("account/forgotten.html", form=form), REFUSED if form.errors else 200


@blueprint.route("/invite/<token>", methods=["GET", "POST"])
@limiter.limit("30 per minute", methods=["POST"])
def invite(token: str) -> ResponseReturnValue:
    """The invited choose their password and are in."""
    return _set_password("invite", token)


@blueprint.route("/reset/<token>", methods=["GET", "POST"])
@limiter.limit("30 per minute", methods=["POST"])
def reset(token: str) -> ResponseReturnValue:
    """A new password in place of the forgotten one; other sessions end."""
    return _set_password("reset", token)


def _set_password(purpose: str, token: str) -> ResponseReturnValue:
    account = accounts.get_account_by_token(get_session(), purpose, token)
    form = SetPasswordForm()
    if form.validate_on_submit():
        act = accept_invitation if purpose == "invite" else reset_password
        try:
            account = act(get_session(), token, form.password.data, ip=request.remote_addr)
        except RuleError as error:
            form.refuse(error, "password")
        else:
            commit()
            session.clear()
            signing_in.sign_in(account)
            flash(gettext(N_("Your password is set and you are signed in.")), "success")
            return redirect(url_for("desk.index"))
    page = render_template(
        "account/set_password.html", form=form, account=account, purpose=purpose, min_password=MIN_PASSWORD
    )
    return page, REFUSED if form.errors else 200
