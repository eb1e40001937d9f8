"""Forms for readers."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    HiddenField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    ValidationError,
)

from mailer.addresses import parse_address
from mailer.audience.answers import questions_of
from mailer.audience.rules import WhyLeft
from mailer.audience.subscribing import NAME_LENGTH
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsletters.models import List
from mailer.newsletters.questions import AnswerError, check_answer
from mailer.web.failures import say
from mailer.web.forms import Form, WithoutToken, at_most, lazy, required, strip
from mailer.web.questions import list_asked, sent_answers
from mailer.web.stamps import make_stamp

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
    lists = _Lists(
        lazy(N_("What would you like to receive?")), validators=[required(N_("Please choose at least one list."))]
    )
    agree = BooleanField(
        validators=[required(N_("Please tick this box if you agree; without it we may not write to you."))]
    )
    website = StringField(lazy(N_("Please leave this empty")), render_kw={"autocomplete": "off", "tabindex": "-1"})
    stamp = HiddenField()

    def validate_email(self, field: EmailField) -> None:
        """Told together with what else is amiss, not after it."""
        try:
            parse_address(field.data or "")
        except RuleError as error:
            raise ValidationError(say(error)) from None

    def offer(self, lists: Sequence[List], ticked: Sequence[int]) -> None:
        """Fills in what the page shows before anything was sent: a single list is ticked already."""
        self.offered = {each.id: each for each in lists}
        self.asked = list_asked(lists)
        self.answers = sent_answers()
        self.answer_errors: dict[str, str] = {}
        if not self.is_submitted():
            self.stamp.data = make_stamp(time.time())
            self.lists.data = [lists[0].id] if len(lists) == 1 else [each for each in ticked if each in self.offered]

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        """What is amiss with the answers is told together with what else is."""
        is_fine = bool(super().validate(extra_validators))
        ticked = [self.offered[each] for each in self.lists.data or () if each in self.offered]
        for question in questions_of(ticked):
            try:
                check_answer(question, self.answers.get(question.key, ""))
            except AnswerError as error:
                self.answer_errors[error.key] = say(error)
        return is_fine and not self.answer_errors


def refuse_answer(form: "SignUpForm | PreferencesForm", error: AnswerError) -> None:
    """Puts the refusal beside the question it is about."""
    form.answer_errors = {error.key: say(error)}


# Those without a token of their own: the one in their address is the proof (see `mailer.web.portal`).
class PauseForm(WithoutToken):
    """Until when."""

    until = DateField(lazy(N_("Send me nothing before")), validators=[required(N_("Please choose a day."))])


class AddressForm(WithoutToken):
    """Where to instead. Its id differs from the sign-up form's, for a page may hold both."""

    email = EmailField(
        lazy(N_("New email address")),
        id="new-email",
        filters=[strip],
        validators=[required(N_("Please enter an email address."))],
        render_kw={"autocomplete": "email", "inputmode": "email", "spellcheck": "false"},
    )


WHY_LEFT: dict[str, str] = {
    WhyLeft.TOO_MANY: N_("There are too many mails"),
    WhyLeft.NOT_RELEVANT: N_("It is not of interest to me"),
    WhyLeft.NEVER_ASKED: N_("I never signed up"),
    WhyLeft.OTHER_ADDRESS: N_("I read it at another address"),
    WhyLeft.OTHER: N_("Another reason"),
}


class PreferencesForm(WithoutToken):
    """What is saved with one button."""

    lists = _Lists(lazy(N_("Newsletters")))
    name = StringField(
        lazy(N_("Name")), filters=[strip], validators=[at_most(NAME_LENGTH)], render_kw={"autocomplete": "name"}
    )
    locale = SelectField(lazy(N_("Language of letters to you")), choices=LANGUAGES)

    def ask(self, lists: Sequence[List], known: Mapping[str, Any]) -> None:
        """The questions of `lists`, answered by what was typed, else by what is known."""
        self.asked = list_asked(lists)
        self.answers = {key: str(value) for key, value in known.items()} | sent_answers()
        self.answer_errors: dict[str, str] = {}
