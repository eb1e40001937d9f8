"""Coming in and going out."""

from urllib.parse import urlsplit

from flask import flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from mailer import accounts
from mailer.addresses import mend
from mailer.i18n import N_
from mailer.web import signing_in
from mailer.web.account import blueprint
from mailer.web.account.forms import SignInForm
from mailer.web.database import commit, get_session
from mailer.web.forms import REFUSED
from mailer.web.limits import limiter
from mailer.web.locale import gettext


def typed_address() -> str:
    """The limit's key for the address in a form, however it is typed."""
    return mend(request.form.get("email", ""))[:320].casefold() or "none"


def _here_and_address() -> str:
    return f"{request.remote_addr} {typed_address()}"


def _has_failed(_response: object) -> bool:
    return bool(g.get("has_failed_sign_in", False))


# A whole office may come from one address, and a person mistypes; a guesser does more. Failures are counted by place
# and account together, so that a stranger cannot lock somebody out from elsewhere; the last limit, over all places,
# is below the 100 failures of NIST SP 800-63B-4 section 3.2.2.
@blueprint.route("/sign-in", methods=["GET", "POST"])
@limiter.limit("30 per minute; 300 per hour", methods=["POST"])
@limiter.limit("10 per 15 minutes", methods=["POST"], key_func=_here_and_address, deduct_when=_has_failed)
@limiter.limit("80 per hour", methods=["POST"], key_func=typed_address, deduct_when=_has_failed)
def sign_in() -> ResponseReturnValue:
    """Form and act; ``next`` says which of our pages was wanted."""
    if signing_in.find_account() is not None:
        return redirect(_wanted())
    form = SignInForm()
    if form.validate_on_submit():
        account = accounts.authenticate(get_session(), form.email.data, form.password.data, ip=request.remote_addr)
        commit()
        if account is not None:
            signing_in.sign_in(account)
            return redirect(_wanted())
        g.has_failed_sign_in = True
        form.form_errors.append(gettext(N_("Address or password is wrong, or the account cannot sign in.")))
    return render_template("account/sign_in.html", form=form, next=request.args.get("next")), (
        REFUSED if form.errors else 200
    )


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """Ends this browser's session and forgets what it held."""
    account = signing_in.find_account()
    if account is not None:
        accounts.record(
            get_session(),
            by=account,
            action="account.signed_out",
            subject_type="account",
            subject_id=account.id,
            ip=request.remote_addr,
        )
        commit()
    signing_in.sign_out()
    session.clear()
    flash(gettext(N_("You are signed out.")), "success")
    return redirect(url_for("account.sign_in"))


def _wanted() -> str:
    """The page that was wanted, when it is one of ours: a sign-in must not be a way to send people elsewhere."""
    wanted = request.args.get("next", "")
    parts = urlsplit(wanted.replace("\\", "/"))
    is_ours = wanted.startswith("/") and not wanted.startswith("//") and not parts.netloc and not parts.scheme
    return wanted if is_ours and wanted.isprintable() and "\\" not in wanted else url_for("desk.index")
