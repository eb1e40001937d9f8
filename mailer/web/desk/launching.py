"""From an approved issue to a mailing: which lists, when, and a look at what it will amount to before the button."""

import datetime as dt
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields.choices import SelectChoice

from mailer.audience.counting import count_by_list
from mailer.audience.rules import SubscriptionState
from mailer.audience.segments import list_segments
from mailer.dispatch import launching
from mailer.dispatch.forecast import LimitedBy, forecast
from mailer.dispatch.models import Mailing
from mailer.dispatch.segmentation import Narrowing
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsletters import get_newsletter, list_lists
from mailer.newsletters.models import Newsletter
from mailer.newsroom.editing import get_issue
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.editions import get_sendable_edition, latest_edition
from mailer.newsroom.house import check_sender
from mailer.newsroom.models import Issue
from mailer.web.database import commit, get_session
from mailer.web.desk import blueprint
from mailer.web.desk.forms import LaunchForm
from mailer.web.desk.issues import list_scheduled
from mailer.web.desk.rights import may_send, only
from mailer.web.desk.rosters import EXCLUSIONS
from mailer.web.failures import say
from mailer.web.forms import REFUSED
from mailer.web.locale import gettext
from mailer.web.signing_in import get_account

LIMITS: dict[LimitedBy, str] = {
    LimitedBy.RELAY: N_("as fast as the relay may be used"),
    LimitedBy.MAILING: N_("as fast as you chose"),
    LimitedBy.PROVIDER: N_("as fast as %(provider)s takes it"),
    LimitedBy.WINDOW: N_("within the hours in which it may be sent"),
    LimitedBy.OBSERVED: N_("as fast as the last mailing went"),
    LimitedBy.ASSUMED: N_("a guess: nothing has been sent by this relay yet"),
}


@blueprint.route("/issues/<int:issue_id>/send", methods=["GET", "POST"])
@only(may_send)
def issue_send(issue_id: int) -> ResponseReturnValue:
    """Three steps of one form: choose, look at the forecast, confirm."""
    session = get_session()
    issue = get_issue(session, issue_id)
    newsletter = get_newsletter(session, issue.newsletter_id)
    edition = latest_edition(session, issue_id)
    if edition is None:
        flash(gettext("Only an approved issue can be sent."), "error")
        return redirect(url_for("desk.issue", issue_id=issue_id))
    try:
        check_sender(session, newsletter.id, get_account())
    except RuleError as error:
        flash(say(error), "error")
        return redirect(url_for("desk.issue", issue_id=issue_id))
    form = LaunchForm()
    lists = list_lists(session, newsletter_id=newsletter.id)
    form.lists.choices = [SelectChoice(one.id, one.name) for one in lists]
    form.targets.choices = form.exclusions.choices = [SelectChoice(one.id, one.name) for one in list_segments(session)]
    try:
        get_sendable_edition(session, edition.id)
        if form.is_submitted() and "again" not in request.form and form.validate():
            return _go_on(form, issue, newsletter, edition)
    except RuleError as error:
        session.rollback()
        if not form.is_submitted():
            flash(say(error), "error")
            return redirect(url_for("desk.issue", issue_id=issue_id))
        form.refuse(error)
    corrected = launching.count_corrected(session, edition)
    if not form.is_submitted():
        form.lists.data = [lists[0].id] if len(lists) == 1 else []
        form.is_correction.data = bool(corrected and issue.correction)
    counts = {number: states.get(SubscriptionState.CONFIRMED, 0) for number, states in count_by_list(session).items()}
    page = render_template(
        "desk/send.html",
        form=form,
        issue=issue,
        newsletter=newsletter,
        edition=edition,
        lists=lists,
        counts=counts,
        corrected=corrected,
        scheduled=list_scheduled(session, issue_id),
    )
    return page, REFUSED if form.errors else 200


def _go_on(form: LaunchForm, issue: Issue, newsletter: Newsletter, edition: Edition) -> ResponseReturnValue:
    session = get_session()
    at = _moment(form, newsletter)
    get_sendable_edition(session, edition.id, at=at)
    if request.form.get("edition", type=int) == edition.id and "confirm" in request.form:
        mailing = _launch(form, edition, at)
        return redirect(url_for("desk.mailing", mailing_id=mailing.id))
    expected = forecast(
        session,
        edition.id,
        form.lists.data or [],
        rate=_rate(form),
        is_repeat=bool(form.is_repeat.data),
        start=at,
        narrowing=_narrowing(form),
        is_correction=bool(form.is_correction.data),
    )
    return render_template(
        "desk/send_confirm.html",
        form=form,
        issue=issue,
        newsletter=newsletter,
        edition=edition,
        at=at,
        lists=[one for one in list_lists(session, newsletter_id=newsletter.id) if one.id in (form.lists.data or [])],
        forecast=expected,
        finish_at=expected.finish_at.astimezone(ZoneInfo(newsletter.time_zone)),
        limits=LIMITS,
        exclusions=EXCLUSIONS,
    )


def _narrowing(form: LaunchForm) -> Narrowing:
    narrowing = Narrowing(tuple(form.targets.data or ()), tuple(form.exclusions.data or ()))
    narrowing.rows(get_session())
    return narrowing


def _rate(form: LaunchForm) -> float | None:
    return float(form.rate.data) if form.rate.data is not None else None


def _moment(form: LaunchForm, newsletter: Newsletter) -> dt.datetime | None:
    """The time that was typed, in the newsletter's zone; `None` is now."""
    if form.moment.data != "later" or form.at.data is None:
        return None
    moment: dt.datetime = form.at.data.replace(tzinfo=ZoneInfo(newsletter.time_zone))
    if moment <= dt.datetime.now(dt.UTC):
        raise RuleError(N_("This time has passed already."))
    return moment


def _launch(form: LaunchForm, edition: Edition, at: dt.datetime | None) -> Mailing:
    session, account = get_session(), get_account()
    mailing = launching.create_mailing(
        session,
        edition_id=edition.id,
        list_ids=form.lists.data or [],
        by=account,
        rate=_rate(form),
        is_repeat=bool(form.is_repeat.data),
        narrowing=_narrowing(form),
        is_correction=bool(form.is_correction.data),
    )
    if at is None:
        launching.send_now(session, mailing, by=account)
    else:
        launching.schedule(session, mailing, at, by=account)
    commit()
    flash(gettext("It is being sent.") if at is None else gettext("It is scheduled."), "success")
    return mailing
