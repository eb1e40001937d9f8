"""The forecast of a mailing that is planned: with its own sending hours, the providers' limits and the relays."""

from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from mailer.dispatch.forecast import forecast_mailing
from mailer.dispatch.launching import get_mailing
from mailer.dispatch.rules import MailingState
from mailer.errors import RuleError
from mailer.newsletters import get_newsletter
from mailer.newsroom.editions import get_edition
from mailer.web.database import get_session
from mailer.web.desk import blueprint
from mailer.web.desk.launching import LIMITS
from mailer.web.failures import say


@blueprint.get("/mailings/<int:mailing_id>/forecast")
def mailing_forecast(mailing_id: int) -> ResponseReturnValue:
    """When it would be done, and what limits it; of one that has been launched its own page says more."""
    session = get_session()
    mailing = get_mailing(session, mailing_id)
    if mailing.state not in {MailingState.DRAFT, MailingState.SCHEDULED}:
        return redirect(url_for("desk.mailing", mailing_id=mailing_id))
    newsletter = get_newsletter(session, mailing.newsletter_id)
    zone = ZoneInfo(newsletter.time_zone)
    try:
        expected = forecast_mailing(session, mailing)
    except RuleError as error:
        flash(say(error), "error")
        return redirect(url_for("desk.mailing", mailing_id=mailing_id))
    return render_template(
        "desk/mailings/forecast.html",
        mailing=mailing,
        newsletter=newsletter,
        edition=get_edition(session, mailing.edition_id),
        forecast=expected,
        at=mailing.scheduled_at.astimezone(zone) if mailing.scheduled_at else None,
        finish_at=expected.finish_at.astimezone(zone),
        limits=LIMITS,
    )
