"""One's own name, language and password."""

from flask import flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer import accounts
from mailer.accounts.rules import MIN_PASSWORD, Role
from mailer.errors import RuleError
from mailer.i18n import N_, translate
from mailer.web import signing_in
from mailer.web.account import blueprint
from mailer.web.account.forms import ChangePasswordForm, ProfileForm
from mailer.web.database import commit, get_session
from mailer.web.forms import REFUSED
from mailer.web.guards import role_required
from mailer.web.limits import limiter
from mailer.web.locale import COOKIE, gettext


@blueprint.route("/profile", methods=["GET", "POST"])
@role_required(*Role)
def profile() -> ResponseReturnValue:
    """Name and language."""
    account = signing_in.get_account()
    form = ProfileForm(obj=account)
    if form.validate_on_submit():
        try:
            accounts.change_profile(
                get_session(), account, name=form.name.data, locale=form.locale.data, ip=request.remote_addr
            )
        except RuleError as error:
            form.refuse(error, "name")
        else:
            commit()
            flash(translate(account.locale, N_("Your profile is saved.")), "success")
            answer = make_response(redirect(url_for("account.profile")))
            # The language just chosen wins over one picked for this browser earlier.
            answer.delete_cookie(COOKIE)
            return answer
    return _page(form, ChangePasswordForm(formdata=None))


@blueprint.post("/password")
@role_required(*Role)
@limiter.limit(
    "10 per hour",
    key_func=lambda: f"password of {signing_in.get_account().id}",
    deduct_when=lambda _response: bool(g.get("has_wrong_password", False)),
)
def password() -> ResponseReturnValue:
    """A new password; every other session of the account ends."""
    account = signing_in.get_account()
    form = ChangePasswordForm()
    if form.validate_on_submit():
        try:
            accounts.change_password(
                get_session(), account, current=form.current.data, new=form.password.data, ip=request.remote_addr
            )
        except accounts.WrongPasswordError as error:
            g.has_wrong_password = True
            form.refuse(error, "current")
        except RuleError as error:
            form.refuse(error, "password")
        else:
            commit()
            signing_in.sign_in(account)
            flash(gettext(N_("Your password is changed. Everywhere else you are signed out.")), "success")
            return redirect(url_for("account.profile"))
    return _page(ProfileForm(formdata=None, obj=account), form)


def _page(profile_form: ProfileForm, password_form: ChangePasswordForm) -> ResponseReturnValue:
    page = render_template(
        "account/profile.html", profile_form=profile_form, password_form=password_form, min_password=MIN_PASSWORD
    )
    return page, REFUSED if profile_form.errors or password_form.errors else 200
