"""Who a newsletter is: its identity, sender, theme, language, time zone, tracking."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from mailer.db import now
from mailer.errors import RuleError
from mailer.newsletters import archive_newsletter, change_newsletter, get_newsletter
from mailer.web.database import commit, get_session
from mailer.web.desk import blueprint
from mailer.web.desk.forms import NewsletterForm
from mailer.web.desk.rights import may_govern, only
from mailer.web.desk.theming import chosen_options, shown_options
from mailer.web.forms import REFUSED
from mailer.web.locale import gettext
from mailer.web.signing_in import get_account

# Of the form; `theme_options` is made from what the theme's own fields say.
FIELDS = (
    "title", "publisher", "description", "contact", "language", "time_zone", "sender_name", "sender_address",
    "reply_to", "theme", "tracking", "archive_access", "is_four_eyes", "frequency", "allowed_origins",
)  # fmt: skip


def identity(form: NewsletterForm, *, theme_before: str = "") -> dict[str, Any]:
    """What the form says of a newsletter. Raises `RuleError` for a choice that its theme cannot follow."""
    values = {name: form[name].data if form[name].data is not None else "" for name in FIELDS}
    return values | {"theme_options": chosen_options(form, before=theme_before)}


@blueprint.route("/newsletters/<int:newsletter_id>/settings", methods=["GET", "POST"])
@only(may_govern)
def newsletter_settings(newsletter_id: int) -> ResponseReturnValue:
    session = get_session()
    newsletter = get_newsletter(session, newsletter_id)
    form = NewsletterForm(obj=newsletter, **shown_options(newsletter.theme, newsletter.theme_options))
    if form.validate_on_submit():
        try:
            values = identity(form, theme_before=newsletter.theme)
            change_newsletter(session, newsletter, by=get_account(), **values)
        except RuleError as error:
            session.rollback()
            form.refuse(error)
        else:
            commit()
            flash(gettext("Saved."), "success")
            return redirect(url_for("desk.newsletter", newsletter_id=newsletter_id))
    page = render_template("desk/newsletter_settings.html", form=form, newsletter=newsletter)
    return page, REFUSED if form.is_submitted() else 200


@blueprint.post("/newsletters/<int:newsletter_id>/archive")
@only(may_govern)
def newsletter_archive(newsletter_id: int) -> ResponseReturnValue:
    session = get_session()
    archive_newsletter(session, get_newsletter(session, newsletter_id), at=now(session), by=get_account())
    commit()
    flash(gettext("The newsletter is archived: what was sent stays readable, and nothing new can be sent."), "success")
    return redirect(url_for("desk.newsletters"))
