"""Accounts: who may sign in, and to do what."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import EmailField, SelectField, SelectMultipleField, StringField
from wtforms.widgets import CheckboxInput, ListWidget

from mailer import accounts as room
from mailer.accounts.auditing import AuditFilter, list_audit_entries
from mailer.accounts.models import Account
from mailer.accounts.rules import MAX_NAME, Role
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.letters.listing import list_letters
from mailer.web.admin import blueprint
from mailer.web.admin.acting import actor, done, place
from mailer.web.admin.asking import ask
from mailer.web.admin.words import WORDS
from mailer.web.database import get_session
from mailer.web.forms import LANGUAGES, REFUSED, Form, at_most, choices, lazy, required, strip
from mailer.web.locale import current_locale, gettext


class RolesForm(Form):
    """What the account may do."""

    roles = SelectMultipleField(
        lazy(N_("Roles")),
        choices=choices(WORDS["role"]),
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )


class InvitationForm(RolesForm):
    """Whom to invite."""

    name = StringField(lazy(N_("Name")), [required(), at_most(MAX_NAME)], filters=[strip])
    email = EmailField(lazy(N_("Email address")), [required(), at_most(320)], filters=[strip])
    locale = SelectField(lazy(N_("Language of the letter")), choices=LANGUAGES)


@blueprint.get("/accounts")
def accounts() -> ResponseReturnValue:
    """All accounts on one page: there are dozens, not thousands."""
    return render_template("admin/accounts.html", accounts=room.list_accounts(get_session()))


@blueprint.route("/accounts/invite", methods=["GET", "POST"])
def account_invite() -> ResponseReturnValue:
    """Form and act."""
    form = InvitationForm(
        data={"roles": [Role.EDITOR], "locale": current_locale()} if request.method != "POST" else None
    )
    if form.validate_on_submit():
        try:
            account = room.invite(
                get_session(),
                email=form.email.data,
                name=form.name.data,
                roles=form.roles.data,
                locale=form.locale.data,
                by=actor(),
                ip=place(),
            )
        except RuleError as error:
            form.refuse(error, "email" if form.roles.data else "roles")
        else:
            done(N_("A letter with an invitation is on its way to %(email)s."), email=account.email)
            return redirect(url_for("admin.accounts"))
    return render_template("admin/account_invite.html", form=form), REFUSED if form.errors else 200


@blueprint.route("/accounts/<int:account_id>", methods=["GET", "POST"])
def account(account_id: int) -> ResponseReturnValue:
    """One account, its roles, and what it did lately."""
    session = get_session()
    shown = room.get_account(session, account_id)
    form = RolesForm(obj=shown)
    if form.validate_on_submit():
        try:
            room.change_roles(session, shown, form.roles.data, by=actor(), ip=place())
        except RuleError as error:
            form.refuse(error, "roles")
            session.rollback()
        else:
            done(N_("The roles are saved."))
            return redirect(url_for("admin.account", account_id=account_id))
    page = render_template(
        "admin/account.html",
        shown=shown,
        form=form,
        letters=list_letters(session, address_key=shown.email_key, limit=5),
        acts=list_audit_entries(session, AuditFilter(account_id=account_id), limit=10),
    )
    return page, REFUSED if form.errors else 200


@blueprint.route("/accounts/<int:account_id>/disable", methods=["GET", "POST"])
def account_disable(account_id: int) -> ResponseReturnValue:
    """Asks, then shuts the account out at once."""
    shown = room.get_account(get_session(), account_id)
    if request.method != "POST":
        return ask(
            gettext(N_("Disable the account of %(name)s?"), name=shown.name),
            consequence=gettext(
                N_("Wherever %(name)s is signed in, the next click ends it. You can enable the account again."),
                name=shown.name,
            ),
            yes=gettext(N_("Disable")),
            back=url_for("admin.account", account_id=account_id),
        )
    room.disable(get_session(), shown, by=actor(), ip=place())
    done(N_("The account is disabled."))
    return _back(shown)


@blueprint.post("/accounts/<int:account_id>/enable")
def account_enable(account_id: int) -> ResponseReturnValue:
    """The undo of disabling."""
    shown = room.get_account(get_session(), account_id)
    room.enable(get_session(), shown, by=actor(), ip=place())
    done(N_("The account is enabled."))
    return _back(shown)


@blueprint.post("/accounts/<int:account_id>/invite-again")
def account_invite_again(account_id: int) -> ResponseReturnValue:
    """Another letter, for whoever lost the first."""
    shown = room.get_account(get_session(), account_id)
    room.invite_again(get_session(), shown, by=actor(), ip=place())
    done(N_("Another letter is on its way to %(email)s. The link of the earlier one is void."), email=shown.email)
    return _back(shown)


def _back(shown: Account) -> ResponseReturnValue:
    return redirect(url_for("admin.account", account_id=shown.id))
