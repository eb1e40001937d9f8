"""Forms for readers."""

import time
from collections.abc import Sequence

from wtforms import BooleanField, EmailField, HiddenField, SelectField, SelectMultipleField, StringField
from wtforms.widgets import CheckboxInput, ListWidget

from mailer.audience.subscribing import NAME_LENGTH
from mailer.i18n import N_
from mailer.newsletters.models import List
from mailer.web.forms import Form, at_most, lazy, required, strip
from mailer.web.portal.stamps import make_stamp

LANGUAGES = [("zh_CN", "中文"), ("en", "English")]


class _Boxes(SelectMultipleField):
    """A box for each choice; values are numbers."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class SignUpForm(Form):
    """Address, lists, and the agreement. `website` is a trap: people do not see it, robots fill it in."""

    email = EmailField(
        lazy(N_("Your email address")),
        filters=[strip],
        validators=[required(N_("Please enter an email address."))],
        render_kw={"autocomplete": "email", "inputmode": "email", "spellcheck": "false"},
    )
    name = StringField(
        lazy(N_("Your name (optional)")),
        filters=[strip],
        validators=[at_most(NAME_LENGTH)],
        render_kw={"autocomplete": "name"},
    )
    lists = _Boxes(lazy(N_("What would you like to receive?")), coerce=int, validate_choice=False)
    agree = BooleanField(
        validators=[required(N_("Please tick this box if you agree; without it we may not write to you."))]
    )
    website = StringField(lazy(N_("Please leave this empty")), render_kw={"autocomplete": "off", "tabindex": "-1"})
    stamp = HiddenField()

    def offer(self, lists: Sequence[List], ticked: Sequence[int]) -> None:
        """Fills in what the page shows before anything was sent: a single list is ticked already."""
        self.lists.choices = [(each.id, each.name) for each in lists]
        if not self.is_submitted():
            self.stamp.data = make_stamp(time.time())
            self.lists.data = [lists[0].id] if len(lists) == 1 else [each for each in ticked if each in self.offered]

    @property
    def offered(self) -> set[int]:
        """Ids of the lists on this page."""
        return {value for value, _ in self.lists.choices or ()}


class PreferencesForm(Form):
    """Without CSRF: the token in the address is the proof (see `mailer.web.portal`)."""

    class Meta(Form.Meta):  # noqa: D106  (WTForms' own way to be told)
        csrf = False

    lists = _Boxes(lazy(N_("Newsletters")), coerce=int, validate_choice=False)
    name = StringField(
        lazy(N_("Name")), filters=[strip], validators=[at_most(NAME_LENGTH)], render_kw={"autocomplete": "name"}
    )
    locale = SelectField(lazy(N_("Language of letters to you")), choices=LANGUAGES)
