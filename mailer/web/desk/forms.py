"""The desk's forms."""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

from flask_wtf.file import FileField, FileRequired, MultipleFileField
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    DecimalField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import NumberRange, Optional, ValidationError

from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsletters.rules import ArchiveAccess, Tracking, check_origin
from mailer.newsroom.chain import STEP_NAME_LENGTH
from mailer.newsroom.fields import ARTICLE_LINES, COLOPHON_LIMIT, CORRECTION_LIMIT, ISSUE_LINES
from mailer.newsroom.readers.kinds import SUPPORTED
from mailer.press.fontstacks import STACKS
from mailer.press.theme_options import LARGEST_LOGO, NARROWEST, SMALLEST_LOGO, WIDEST
from mailer.press.themes import list_themes
from mailer.web.failures import say
from mailer.web.forms import Form, LinesField, at_most, lazy, required, strip
from mailer.web.locale import current_locale, gettext

LANGUAGES = [SelectChoice("zh_CN", "中文"), SelectChoice("en", "English")]


def _line(label: str, limit: int, *, is_required: bool = False) -> StringField:
    validators = [required()] if is_required else []
    return StringField(lazy(label), filters=[strip], validators=[*validators, at_most(limit)])


def _whole(label: str, low: int, high: int) -> IntegerField:
    between = NumberRange(low, high, message=lazy(N_("Between %(low)s and %(high)s, please."), low=low, high=high))
    return IntegerField(lazy(label), validators=[Optional(), between])


def theme_choices() -> list[SelectChoice]:
    locale = current_locale()
    return [SelectChoice(theme.name, theme.title_in(locale)) for theme in list_themes()]


def font_choices() -> list[SelectChoice]:
    own = SelectChoice("", gettext("As the theme has it"))
    return [own, *(SelectChoice(name, gettext(stack.label)) for name, stack in STACKS.items())]


class NewsletterForm(Form):
    """Who a newsletter is and how it is sent."""

    title = _line(N_("Title of the newsletter"), 200, is_required=True)
    publisher = _line(N_("Publisher"), 200)
    description = TextAreaField(lazy(N_("Description for readers")), filters=[strip], render_kw={"rows": 3})
    contact = TextAreaField(lazy(N_("Address and contact at the foot of every mail")), render_kw={"rows": 3})
    frequency = _line(N_("How often it comes"), 120)
    allowed_origins = LinesField(
        lazy(N_("Sites that may carry the sign-up form")), render_kw={"rows": 3, "spellcheck": "false"}
    )
    language = SelectField(lazy(N_("Language of the mail")), choices=LANGUAGES)
    time_zone = StringField(
        lazy(N_("Time zone")), filters=[strip], validators=[required()], render_kw={"list": "time-zones"}
    )
    sender_name = _line(N_("Sender's name"), 120, is_required=True)
    sender_address = _line(N_("Sender's address"), 320, is_required=True)
    reply_to = _line(N_("Reply address"), 320)
    theme = SelectField(lazy(N_("Theme")), choices=theme_choices)
    colour = StringField(lazy(N_("Colour of the masthead")), filters=[strip], render_kw={"type": "color"})
    ground = StringField(lazy(N_("Colour behind the sheet")), filters=[strip], render_kw={"type": "color"})
    width = _whole(N_("Width of the sheet, pixels"), NARROWEST, WIDEST)
    fonts = SelectField(lazy(N_("Fonts")), choices=font_choices, default="")
    articles = SelectField(
        lazy(N_("Articles in the mail")),
        choices=[
            SelectChoice("full", lazy(N_("In full"))),
            SelectChoice("abstract", lazy(N_("As abstracts that lead to the web"))),
        ],
        default="full",
    )
    logo_url = _line(N_("Logo: address of the picture"), 500)
    logo_alt = _line(N_("Logo: words for who does not see it"), 200)
    logo_width = _whole(N_("Logo: width, pixels"), SMALLEST_LOGO, LARGEST_LOGO)
    header = TextAreaField(lazy(N_("Block at the head of every mail (HTML)")), filters=[strip], render_kw={"rows": 3})
    footer = TextAreaField(lazy(N_("Block at the foot of every mail (HTML)")), filters=[strip], render_kw={"rows": 3})
    tracking = RadioField(
        lazy(N_("What is recorded of reading")),
        choices=[
            SelectChoice(Tracking.FULL.value, lazy(N_("Who opened and clicked what"))),
            SelectChoice(Tracking.COUNTS.value, lazy(N_("Only how many opened and clicked"))),
            SelectChoice(Tracking.OFF.value, lazy(N_("Nothing: no pixel, plain links"))),
        ],
    )
    archive_access = RadioField(
        lazy(N_("Who may read past issues on the web")),
        choices=[
            SelectChoice(ArchiveAccess.PUBLIC.value, lazy(N_("Everybody"))),
            SelectChoice(ArchiveAccess.SUBSCRIBERS.value, lazy(N_("Its subscribers, by the links in their mail"))),
            SelectChoice(ArchiveAccess.ACCOUNTS.value, lazy(N_("Those who sign in here"))),
        ],
        default=ArchiveAccess.PUBLIC.value,
    )
    is_four_eyes = BooleanField(lazy(N_("An issue is approved by somebody other than who submitted it")))

    def validate_allowed_origins(self, field: LinesField) -> None:
        """The first that is none is named."""
        for origin in field.data or ():
            try:
                check_origin(origin)
            except RuleError as error:
                raise ValidationError(say(error)) from None

    @staticmethod
    def time_zones() -> list[str]:
        """Names of the tz database with a region, for the field's suggestions."""
        return sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))


class NewNewsletterForm(NewsletterForm):
    """A newsletter's short name is chosen once: it stands in links and in the List-Id for good."""

    slug = _line(N_("Short name"), 64, is_required=True)


class IssueForm(Form):
    """Masthead, colophon and subject of an issue."""

    revision = HiddenField()
    title = _line(N_("Title of the newsletter"), ISSUE_LINES["title"], is_required=True)
    year = _whole(N_("Year"), 1900, 2200)
    number = _line(N_("Number in the year"), ISSUE_LINES["number"])
    total_number = _line(N_("Running number"), ISSUE_LINES["total_number"])
    volume = _line(N_("Volume"), ISSUE_LINES["volume"])
    published_on = DateField(lazy(N_("Date of publication")), validators=[Optional()])
    publisher = _line(N_("Publisher"), ISSUE_LINES["publisher"])
    editor = _line(N_("Editor"), ISSUE_LINES["editor"])
    phone = _line(N_("Phone"), ISSUE_LINES["phone"])
    colophon = TextAreaField(
        lazy(N_("Further lines of the colophon")), validators=[at_most(COLOPHON_LIMIT)], render_kw={"rows": 3}
    )
    subject = _line(N_("Subject of the mail"), ISSUE_LINES["subject"])
    preheader = _line(N_("Preheader"), ISSUE_LINES["preheader"])
    correction = TextAreaField(
        lazy(N_("Correction, as readers see it")), validators=[at_most(CORRECTION_LIMIT)], render_kw={"rows": 3}
    )


class ArticleForm(Form):
    """An article. `body` is HTML and wins where it is sent: the editor's script fills it; `text` is for the rest."""

    revision = HiddenField()
    title = _line(N_("Title"), ARTICLE_LINES["title"], is_required=True)
    section = StringField(
        lazy(N_("Section")),
        filters=[strip],
        validators=[at_most(ARTICLE_LINES["section"])],
        render_kw={"list": "columns"},
    )
    source = _line(N_("Taken from"), ARTICLE_LINES["source"])
    page = _whole(N_("Page in print"), 1, 9999)
    body = HiddenField()
    text = TextAreaField(lazy(N_("Article's text")), render_kw={"rows": 22})


class BlockForm(Form):
    """A standing block, as plain text."""

    name = _line(N_("Name of the block"), ARTICLE_LINES["section"], is_required=True)
    text = TextAreaField(lazy(N_("Words of the block")), validators=[required()], render_kw={"rows": 8})


class UploadForm(Form):
    """Documents that become an issue, in their order."""

    document = MultipleFileField(
        lazy(N_("Documents")),
        validators=[FileRequired(message=lazy(N_("Choose a file first.")))],
        render_kw={"accept": ",".join(SUPPORTED)},
    )


class PasteForm(Form):
    """A text that becomes an issue: as it was typed, or as the script hands it over, an .html file."""

    text = TextAreaField(lazy(N_("Text")))
    document = FileField()

    def validate_text(self, field: TextAreaField) -> None:
        """Refuses nothing at all."""
        if not self.document.data and not (field.data or "").strip():
            raise ValidationError(gettext("Paste a text first."))


class NoteForm(Form):
    """A note on the way to approval."""

    note = TextAreaField(lazy(N_("Note")), filters=[strip], validators=[at_most(2000)], render_kw={"rows": 3})


ROLES = [
    SelectChoice("approver", lazy(N_("Any approver"))),
    SelectChoice("editor", lazy(N_("Any editor"))),
    SelectChoice("admin", lazy(N_("Any admin"))),
]


class HouseForm(Form):
    """How a newsletter's newsroom works. The steps are fields of their own (`name_1`, `role_1`, `accounts_1`, …), so
    that the page needs no script; `count` says how many of them hold.
    """

    count = RadioField(
        lazy(N_("How many signatures an issue needs")),
        choices=[
            SelectChoice("1", lazy(N_("One"))),
            SelectChoice("2", lazy(N_("Two"))),
            SelectChoice("3", lazy(N_("Three"))),
        ],
        default="1",
    )
    name_1 = _line(N_("What it is called"), STEP_NAME_LENGTH)
    role_1 = SelectField(lazy(N_("Who signs")), choices=ROLES)
    accounts_1 = SelectMultipleField(lazy(N_("Only these, if any are chosen")), coerce=int)
    name_2 = _line(N_("What it is called"), STEP_NAME_LENGTH)
    role_2 = SelectField(lazy(N_("Who signs")), choices=ROLES)
    accounts_2 = SelectMultipleField(lazy(N_("Only these, if any are chosen")), coerce=int)
    name_3 = _line(N_("What it is called"), STEP_NAME_LENGTH)
    role_3 = SelectField(lazy(N_("Who signs")), choices=ROLES)
    accounts_3 = SelectMultipleField(lazy(N_("Only these, if any are chosen")), coerce=int)
    approval_days = _whole(N_("Days an approval lasts"), 1, 365)
    senders = SelectMultipleField(lazy(N_("Who may send")), coerce=int)
    sensitive_words = TextAreaField(lazy(N_("Sensitive words, one a line")), render_kw={"rows": 6})
    proofreaders = TextAreaField(lazy(N_("Proofreaders' addresses")), render_kw={"rows": 3})


class DeputyForm(Form):
    """Who stands in for whom, from which day to which."""

    account = SelectField(lazy(N_("Who is away")), coerce=int)
    deputy = SelectField(lazy(N_("Who stands in")), coerce=int)
    first_day = DateField(lazy(N_("First day")), validators=[required()])
    last_day = DateField(lazy(N_("Last day")), validators=[required()])


class ProofForm(Form):
    """Where a test goes."""

    addresses = StringField(lazy(N_("Send a test to")), filters=[strip], validators=[required()])


class LaunchForm(Form):
    """Who a mailing goes to, and when."""

    lists = SelectMultipleField(lazy(N_("Lists")), coerce=int)
    targets = SelectMultipleField(lazy(N_("Only readers in all of these segments")), coerce=int)
    exclusions = SelectMultipleField(lazy(N_("No reader in any of these segments")), coerce=int)
    moment = RadioField(
        lazy(N_("When")),
        choices=[SelectChoice("now", lazy(N_("Now"))), SelectChoice("later", lazy(N_("At a certain time")))],
        default="now",
    )
    at = DateTimeLocalField(lazy(N_("Time")), format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], validators=[Optional()])
    rate = DecimalField(
        lazy(N_("At most this many messages a second")),
        validators=[Optional(), NumberRange(0.01, 10_000, message=lazy(N_("Between 0.01 and 10000, please.")))],
    )
    is_correction = BooleanField(lazy(N_("Only to those who have had an earlier edition of this issue")))
    is_repeat = BooleanField(lazy(N_("Send it again to those who have had this issue already")))

    def validate_lists(self, field: SelectMultipleField) -> None:
        """At least one list."""
        if not field.data:
            field.errors = [*field.errors, gettext("Choose at least one list.")]

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        """A time is needed where one is asked for, whatever its own validators say of an empty one."""
        is_valid = bool(super().validate(extra_validators))
        problem = None
        if self.moment.data == "later" and self.at.data is None and not self.at.errors:
            problem = gettext("Say when it is to be sent.")
        elif self.moment.data == "now" and self.at.data is not None:
            # Who typed a time and forgot the choice above it must not find the issue sent at once.
            problem = gettext("You chose a time, and “Now” as well. Choose “At a certain time”, or empty the time.")
        if problem is not None:
            self.at.errors = [problem]
        return is_valid and problem is None
