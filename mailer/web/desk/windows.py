"""Sending hours: on which days and when the mail of a newsletter, or of one mailing, may leave."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import RadioField, SelectMultipleField, StringField, TimeField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from mailer.dispatch import launching
from mailer.dispatch.pace import windows
from mailer.dispatch.pace.window_hours import EVERY_DAY, Window
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsletters import get_newsletter
from mailer.newsroom.edition_models import Edition
from mailer.web.database import commit, get_session
from mailer.web.desk import blueprint
from mailer.web.desk.rights import may_govern, may_send, only
from mailer.web.forms import REFUSED, Form, at_most, lazy, strip
from mailer.web.locale import gettext
from mailer.web.signing_in import get_account

DAYS = (
    N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"), N_("Sunday"),
)  # fmt: skip


class WindowForm(Form):
    """A window, or none."""

    kind = RadioField(lazy(N_("It may be sent")))
    days = SelectMultipleField(lazy(N_("On these days")), coerce=int)
    starts = TimeField(lazy(N_("From")), [Optional()])
    ends = TimeField(lazy(N_("Until")), [Optional()])
    zone = StringField(lazy(N_("Time zone")), [at_most(64)], filters=[strip])

    def prepare(self, *, newsletter_has_one: bool | None) -> None:
        """The choices in the language of the page; `newsletter_has_one` is `None` on the newsletter's own page."""
        any_time = (
            gettext("at any time")
            if newsletter_has_one is None
            else gettext("in the newsletter's sending hours")
            if newsletter_has_one
            else gettext("at any time, like its newsletter")
        )
        self.kind.choices = [SelectChoice("any", any_time), SelectChoice("hours", gettext("only in these hours"))]
        self.days.choices = [SelectChoice(number, gettext(day)) for number, day in enumerate(DAYS)]

    def fill(self, window: Window | None, zone: str) -> None:
        """What is kept; else office hours, as a start."""
        self.kind.data = "hours" if window else "any"
        self.days.data = sorted(window.days if window else EVERY_DAY - {5, 6})
        self.zone.data = window.zone if window else zone
        if window:
            self.starts.data, self.ends.data = window.starts, window.ends

    def window(self) -> Window | None:
        """What was chosen. Raises `RuleError` where a time is missing."""
        if self.kind.data != "hours":
            return None
        if self.starts.data is None or self.ends.data is None:
            raise RuleError(N_("Say from when until when."))
        return Window(frozenset(self.days.data or ()), self.starts.data, self.ends.data, self.zone.data or "")


@blueprint.route("/newsletters/<int:newsletter_id>/hours", methods=["GET", "POST"])
@only(may_govern)
def newsletter_hours(newsletter_id: int) -> ResponseReturnValue:
    """For every mailing of a newsletter that has none of its own."""
    newsletter = get_newsletter(get_session(), newsletter_id)
    return _page(
        newsletter.title,
        url_for("desk.newsletter", newsletter_id=newsletter_id),
        newsletter.time_zone,
        newsletter_has_one=None,
        newsletter_id=newsletter_id,
    )


@blueprint.route("/mailings/<int:mailing_id>/hours", methods=["GET", "POST"])
@only(may_send)
def mailing_hours(mailing_id: int) -> ResponseReturnValue:
    """For one mailing, before or while it is sent."""
    session = get_session()
    mailing = launching.get_mailing(session, mailing_id)
    return _page(
        session.get_one(Edition, mailing.edition_id).subject,
        url_for("desk.mailing", mailing_id=mailing_id),
        get_newsletter(session, mailing.newsletter_id).time_zone,
        newsletter_has_one=windows.find_own(session, newsletter_id=mailing.newsletter_id) is not None,
        mailing_id=mailing_id,
    )


def _page(title: str, back: str, zone: str, *, newsletter_has_one: bool | None, **owner: int) -> ResponseReturnValue:
    session, form = get_session(), WindowForm()
    form.prepare(newsletter_has_one=newsletter_has_one)
    if not form.is_submitted():
        form.fill(windows.find_own(session, **owner), zone)
    elif form.validate():
        try:
            windows.set_window(session, form.window(), by=get_account(), **owner)
        except RuleError as error:
            session.rollback()
            form.refuse(error)
        else:
            commit()
            flash(gettext("Saved: it holds from the next few seconds on."), "success")
            return redirect(back)
    page = render_template("desk/hours.html", form=form, title=title, back=back, action=request.path)
    return page, REFUSED if form.errors else 200
