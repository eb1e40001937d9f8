"""Forms for readers."""

import time
from collections.abc import Sequence
from typing import Any

from wtforms import (
    BooleanField,
    EmailField,
    HiddenField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
)

from mailer.audience.subscribing import NAME_LENGTH
from mailer.i18n import N_
from mailer.newsletters.models import List
from mailer.web.forms import Form, at_most, lazy, required, strip
from mailer.web.portal.stamps import make_stamp

LANGUAGES = [SelectChoice("zh_CN", "中文"), SelectChoice("en", "English")]


class _Lists(SelectMultipleField):
    """Ids of lists. Their boxes are drawn by the page's macro, which tells more of a list than a label can; which ids
    are on offer is the audience's decision.
    """

    def __init__(self, label: Any = None, **options: Any) -> None:
        super().__init__(label, coerce=int, choices=[], validate_choice=False, **options)


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
    lists = _Lists(lazy(N_("What would you like to receive?")))
    agree = BooleanField(
        validators=[required(N_("Please tick this box if you agree; without it we may not write to you."))]
    )
    website = StringField(lazy(N_("Please leave this empty")), render_kw={"autocomplete": "off", "tabindex": "-1"})
    stamp = HiddenField()

    def offer(self, lists: Sequence[List], ticked: Sequence[int]) -> None:
        """Fills in what the page shows before anything was sent: a single list is ticked already."""
        self.offered = {each.id for each in lists}
        if not self.is_submitted():
            self.stamp.data = make_stamp(time.time())
            self.lists.data = [lists[0].id] if len(lists) == 1 else [each for each in ticked if each in self.offered]


class PreferencesForm(Form):
    """Without CSRF: the token in the address is the proof (see `mailer.web.portal`)."""

    class Meta(Form.Meta):  # noqa: D106  (WTForms' own way to be told)
        csrf = False

    lists = _Lists(lazy(N_("Newsletters")))
    name = StringField(
        lazy(N_("Name")), filters=[strip], validators=[at_most(NAME_LENGTH)], render_kw={"autocomplete": "name"}
    )
    locale = SelectField(lazy(N_("Language of letters to you")), choices=LANGUAGES)
