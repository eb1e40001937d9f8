"""Forms: WTForms with CSRF, its words from our catalogues, and a room's refusal put beside the field it is about.

Labels and messages are made with `lazy`, because a form's class is read before there is a request with a language.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import LazyString
from flask_wtf import FlaskForm
from wtforms import Field, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length

from mailer.errors import MailerError
from mailer.i18n import N_, get_translations
from mailer.web.failures import say
from mailer.web.locale import current_locale, gettext

# Each language in its own words: whoever cannot read the page must find theirs.
LANGUAGES = [SelectChoice("zh_CN", "中文"), SelectChoice("en", "English")]
# What a form that was refused answers with: the page again, with its errors (RFC 9110 section 15.5.21).
REFUSED = 422


class _Catalogue:
    """WTForms' own messages, read from our catalogues."""

    def gettext(self, message: str) -> str:
        return gettext(message)

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        # Not `locale.ngettext`: WTForms fills the places itself.
        return get_translations(current_locale()).ngettext(singular, plural, count)


class Form(FlaskForm):
    """Base of every form."""

    class Meta(FlaskForm.Meta):  # noqa: D106  (WTForms' own way to be told)
        def get_translations(self, form: Any) -> _Catalogue:
            return _Catalogue()

    def refuse(self, error: MailerError, field: str | None = None) -> None:
        """Puts a room's refusal beside `field`, or at the head of the form (`form_errors`)."""
        message = say(error)
        if field is None:
            self.form_errors.append(message)
        else:
            target: Field = self[field]
            target.errors = [*target.errors, message]


class LinesField(TextAreaField):
    """Several short values, one a line or with blanks between them."""

    def process_data(self, value: Any) -> None:
        self.data = list(value or ())

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        self.data = (strip(valuelist[0]) or "").split() if valuelist else []

    def _value(self) -> str:
        return "\n".join(self.data or ())


class WithoutToken(Form):
    """A part of a form, or one whose address is the proof that a token would be."""

    class Meta(Form.Meta):  # noqa: D106
        csrf = False


def lazy(message: str, **params: object) -> LazyString:
    """`message` in the language of the request that will show it."""
    return LazyString(gettext, message, **params)


def choices(words: Mapping[str, str]) -> list[SelectChoice]:
    """Options of a select: value -> what it is called, in the language of the request."""
    return [SelectChoice(str(value), lazy(label)) for value, label in words.items()]


def strip(value: str | None) -> str | None:
    """A filter for text fields: no blanks around, no control characters inside (PostgreSQL takes no NUL)."""
    if not isinstance(value, str):
        return value
    return "".join(sign for sign in value if sign in "\n\r\t" or unicodedata.category(sign) != "Cc").strip()


def required(message: str = N_("Please fill this in.")) -> DataRequired:
    """Refuses blanks alone, too."""
    return DataRequired(message=lazy(message))


def required_secret(message: str = N_("Please fill this in.")) -> InputRequired:
    """For passwords, in which blanks count."""
    return InputRequired(message=lazy(message))


def at_most(length: int) -> Length:
    """No more than `length` characters."""
    return Length(max=length, message=lazy(N_("At most %(max)s characters, please.")))
