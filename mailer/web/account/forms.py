"""Forms of those who sign in."""

from wtforms import EmailField, PasswordField, SelectField, StringField
from wtforms.validators import EqualTo

from mailer.accounts.rules import MAX_NAME
from mailer.i18n import N_
from mailer.web.forms import LANGUAGES, Form, at_most, lazy, required, required_secret, strip


class SignInForm(Form):
    """Address and password; nothing here says which of them was wrong."""

    email = StringField(
        lazy(N_("Email address")),
        [required(), at_most(320)],
        filters=[strip],
        render_kw={"autocomplete": "username", "inputmode": "email", "autocapitalize": "none", "spellcheck": "false"},
    )
    password = PasswordField(lazy(N_("Password")), [required_secret()], render_kw={"autocomplete": "current-password"})


class ForgottenForm(Form):
    """Whose password it is."""

    email = EmailField(
        lazy(N_("Email address")), [required(), at_most(320)], filters=[strip], render_kw={"autocomplete": "username"}
    )


class _ChosenPassword(Form):
    password = PasswordField(lazy(N_("New password")), [required_secret()], render_kw={"autocomplete": "new-password"})
    repeated = PasswordField(
        lazy(N_("New password, once more")),
        [required_secret(), EqualTo("password", message=lazy(N_("The two passwords are not the same.")))],
        render_kw={"autocomplete": "new-password"},
    )


class SetPasswordForm(_ChosenPassword):
    """After an invitation, or when the old one was forgotten."""


class ChangePasswordForm(_ChosenPassword):
    """By a holder who is signed in and knows the present one."""

    current = PasswordField(
        lazy(N_("Present password")), [required_secret()], render_kw={"autocomplete": "current-password"}
    )


class ProfileForm(Form):
    """Name and language."""

    name = StringField(
        lazy(N_("Name")), [required(), at_most(MAX_NAME)], filters=[strip], render_kw={"autocomplete": "name"}
    )
    locale = SelectField(lazy(N_("Language")), choices=LANGUAGES)
