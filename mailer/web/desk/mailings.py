"""Mailings: what goes out, how far it has got, what became of every delivery, and who read it."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from flask import Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.audience.spreadsheets import Row
from mailer.dispatch import launching
from mailer.dispatch.models import Delivery, Mailing, MailingList
from mailer.dispatch.progress import get_progress
from mailer.dispatch.replies import meaning
from mailer.dispatch.rules import MAILING_TRANSITIONS, DeliveryState, MailingEvent, MailingState, Outcome
from mailer.dispatch.way_states import WayState
from mailer.feedback.rules import Verdict
from mailer.i18n import N_
from mailer.newsletters.models import List, Newsletter
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.editions import latest_edition
from mailer.newsroom.models import Issue
from mailer.newsroom.rules import IssueState
from mailer.reports.figures import mailing_figures
from mailer.reports.ledger import COLUMNS, export_deliveries, list_attempts, list_deliveries
from mailer.reports.series import Series, opens_and_clicks
from mailer.web.database import get_session
from mailer.web.desk import blueprint
from mailer.web.desk.rights import may_send, may_send_issues_of, only
from mailer.web.desk.telling import commit_or_tell
from mailer.web.downloading import Taken, download
from mailer.web.locale import current_locale, gettext
from mailer.web.signing_in import get_account

PAGE = 30
DONE = {
    "pause": N_("Paused. What is on its way is finished and counted."),
    "resume": N_("It goes on."),
    "cancel": N_("Cancelled. What is on its way is finished and counted."),
    "unschedule": N_("The schedule is taken back; it is a draft again."),
    "send": N_("It is being sent."),
}
MAILING_STATES: dict[MailingState, tuple[str, str]] = {
    MailingState.DRAFT: (N_("Draft"), "secondary"),
    MailingState.SCHEDULED: (N_("Scheduled"), "purple"),
    MailingState.PREPARING: (N_("Preparing"), "blue"),
    MailingState.SENDING: (N_("Sending"), "blue"),
    MailingState.PAUSED: (N_("Paused"), "orange"),
    MailingState.FINISHED: (N_("Finished"), "green"),
    MailingState.CANCELLED: (N_("Cancelled"), "secondary"),
}
# Name, colour of its badge, colour of its part of the bar.
DELIVERY_STATES: dict[DeliveryState, tuple[str, str, str]] = {
    DeliveryState.ACCEPTED: (N_("Accepted"), "green", "#2f9e44"),
    DeliveryState.QUEUED: (N_("Queued"), "secondary", "#ced4da"),
    DeliveryState.CLAIMED: (N_("On its way"), "blue", "#4dabf7"),
    DeliveryState.REJECTED: (N_("Rejected"), "red", "#e03131"),
    DeliveryState.UNKNOWN: (N_("Unknown"), "orange", "#f08c00"),
    DeliveryState.SKIPPED: (N_("Skipped"), "secondary", "#868e96"),
    DeliveryState.EXPIRED: (N_("Expired"), "red", "#862e9c"),
}
REASONS: dict[str, str] = {
    "suppressed": N_("Suppressed"),
    "unsubscribed": N_("Unsubscribed"),
    "paused": N_("Paused by the reader"),
    "cancelled": N_("Cancelled"),
}
OUTCOMES: dict[Outcome, str] = {
    Outcome.ACCEPTED: N_("Accepted"),
    Outcome.DEFERRED: N_("Deferred"),
    Outcome.REJECTED: N_("Rejected"),
    Outcome.UNKNOWN: N_("Unknown"),
}
# (word, colour of its badge)
WAY_STATES: dict[WayState, tuple[str, str]] = {
    WayState.OPEN: (N_("As usual"), "green"),
    WayState.SLOWED: (N_("Slowed"), "yellow"),
    WayState.SUSPENDED: (N_("Suspended"), "orange"),
    WayState.RESERVE: (N_("In reserve"), "azure"),
}
VERDICTS: dict[Verdict, str] = {
    Verdict.HUMAN: N_("People"),
    Verdict.UNSURE: N_("Unsure"),
    Verdict.MACHINE: N_("Machines"),
}
# While it is on its way the page looks again this often.
LIVE_STATES = (MailingState.PREPARING, MailingState.SENDING)


@blueprint.get("/mailings")
def mailings() -> ResponseReturnValue:
    """Every mailing, newest first."""
    session = get_session()
    before = request.args.get("before", type=int)
    query = (
        select(Mailing, Edition.subject, Newsletter.title)
        .join(Edition, Edition.id == Mailing.edition_id)
        .join(Newsletter, Newsletter.id == Mailing.newsletter_id)
        .order_by(Mailing.id.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        query = query.where(Mailing.id < before)
    rows = session.execute(query).all()
    more = rows[PAGE - 1][0].id if len(rows) > PAGE else None
    return render_template("desk/mailings/index.html", rows=rows[:PAGE], more=more)


@blueprint.get("/mailings/<int:mailing_id>")
def mailing(mailing_id: int) -> ResponseReturnValue:
    """Progress, figures and charts of one mailing."""
    session = get_session()
    found = launching.get_mailing(session, mailing_id)
    newsletter = session.get_one(Newsletter, found.newsletter_id)
    series = opens_and_clicks(session, mailing_id, ZoneInfo(newsletter.time_zone))
    return render_template(
        "desk/mailings/mailing.html",
        **_live(session, found),
        newsletter=newsletter,
        edition=session.get_one(Edition, found.edition_id),
        is_approved=_is_approved(session, found),
        lists=session.scalars(
            select(List.name)
            .join(MailingList, MailingList.list_id == List.id)
            .where(MailingList.mailing_id == mailing_id)
            .order_by(List.name)
        ).all(),
        zone=ZoneInfo(newsletter.time_zone),
        # Pausing and cancelling are everybody's: who sees something go wrong must be able to stop it.
        may_send_it=may_send_issues_of(session, newsletter.id, get_account()),
        figures=mailing_figures(session, mailing_id),
        series=series,
        chart=_chart(series),
    )


def _is_approved(session: Session, mailing: Mailing) -> bool:
    """Whether its issue stands approved as it would send it: else nobody starts it, nor lets it go on."""
    newest = latest_edition(session, mailing.issue_id)
    is_newest = newest is not None and newest.id == mailing.edition_id
    return is_newest and session.get_one(Issue, mailing.issue_id).state == IssueState.APPROVED


@blueprint.get("/mailings/<int:mailing_id>/progress")
def mailing_progress(mailing_id: int) -> ResponseReturnValue:
    """The live part of the page by itself; htmx asks for it until the mailing is at rest."""
    session = get_session()
    found = launching.get_mailing(session, mailing_id)
    response = Response(render_template("desk/mailings/progress.html", **_live(session, found)))
    if found.state not in LIVE_STATES and request.args.get("was") in LIVE_STATES:
        # It has come to rest: the buttons and figures around the live part are stale too.
        response.headers["HX-Refresh"] = "true"
    return response


@blueprint.get("/mailings/<int:mailing_id>/deliveries")
def mailing_deliveries(mailing_id: int) -> ResponseReturnValue:
    """Who it went to, and what their server said."""
    session = get_session()
    found = launching.get_mailing(session, mailing_id)
    state = request.args.get("state") or None
    if state is not None and state not in list(DeliveryState):
        abort(404)
    search = request.args.get("q", "").strip()[:200]
    page = list_deliveries(
        session,
        mailing_id,
        state=DeliveryState(state) if state else None,
        search=search,
        after=request.args.get("after", type=int),
        before=request.args.get("before", type=int),
    )
    return render_template(
        "desk/mailings/deliveries.html",
        mailing=found,
        edition=session.get_one(Edition, found.edition_id),
        page=page,
        state=state,
        search=search,
    )


@blueprint.get("/mailings/<int:mailing_id>/deliveries/<int:delivery_id>")
def mailing_delivery(mailing_id: int, delivery_id: int) -> ResponseReturnValue:
    """One delivery with every attempt."""
    session = get_session()
    delivery = session.get(Delivery, delivery_id)
    if delivery is None or delivery.mailing_id != mailing_id:
        abort(404)
    return render_template(
        "desk/mailings/delivery.html",
        mailing=launching.get_mailing(session, mailing_id),
        delivery=delivery,
        attempts=list_attempts(session, delivery_id),
    )


@blueprint.get("/mailings/<int:mailing_id>/deliveries.<kind>")
def mailing_export(mailing_id: int, kind: str) -> ResponseReturnValue:
    """The whole ledger with first opens and clicks, streamed and recorded."""
    found = launching.get_mailing(get_session(), mailing_id)

    def rows(own: Session) -> Iterator[Row]:
        return export_deliveries(own, mailing_id)

    taken = Taken("mailing.deliveries_exported", "mailing", found.id)
    return download(f"mailing-{mailing_id}", kind, COLUMNS, rows, taken=taken)


@blueprint.post("/mailings/<int:mailing_id>/<any(pause, resume, cancel, unschedule, send):act>")
@only(may_send)
def mailing_act(mailing_id: int, act: str) -> ResponseReturnValue:
    """Pause, resume, cancel, take back the schedule, or send a draft now."""
    session = get_session()
    found = launching.get_mailing(session, mailing_id)
    with commit_or_tell(gettext(DONE[act])):
        _act(session, found, act, get_account())
    return redirect(url_for("desk.mailing", mailing_id=mailing_id))


def _act(session: Session, found: Mailing, act: str, account: Account) -> None:
    if act == "pause":
        launching.pause(session, found, N_("Paused by hand."), by=account)
    elif act == "resume":
        launching.resume(session, found, by=account)
    elif act == "cancel":
        launching.cancel(session, found, by=account)
    elif act == "unschedule":
        launching.unschedule(session, found, by=account)
    else:
        launching.send_now(session, found, by=account)


def _live(session: Session, found: Mailing) -> dict[str, object]:
    return {
        "mailing": found,
        "progress": get_progress(session, found),
        "is_live": found.state in LIVE_STATES,
        "may": {event.value: (found.state, event) in MAILING_TRANSITIONS for event in MailingEvent},
    }


def _chart(series: Series) -> dict[str, object] | None:
    """Chart.js' configuration; what it shows stands in a table as well."""
    if not series.points:
        return None
    pattern = "%m-%d %H:%M" if series.step == "hour" else "%m-%d"
    sets = (
        (gettext("Opens"), "#b3131b", [point.opens for point in series.points]),
        (gettext("Clicks"), "#1f6feb", [point.clicks for point in series.points]),
        (gettext("Machines"), "#a7adb5", [point.machines for point in series.points]),
    )
    return {
        "type": "bar",
        "data": {
            "labels": [point.at.strftime(pattern) for point in series.points],
            "datasets": [{"label": label, "backgroundColor": colour, "data": data} for label, colour, data in sets],
        },
        "options": {"scales": {"y": {"beginAtZero": True, "ticks": {"precision": 0}}}},
    }


def _why(reason: str) -> str:
    """Why a delivery was skipped, or what the class of its server's reply means."""
    return gettext(REASONS[reason]) if reason in REASONS else meaning(reason, current_locale())


@blueprint.context_processor
def _words() -> dict[str, object]:
    return {
        "mailing_states": MAILING_STATES,
        "delivery_states": DELIVERY_STATES,
        "why": _why,
        "outcome_words": OUTCOMES,
        "way_states": WAY_STATES,
        "verdict_words": VERDICTS,
    }
