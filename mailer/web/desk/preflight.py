"""The pre-flight: what should be looked at before an issue is signed, and again before it is sent."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer.dispatch.forecast import forecast_issue
from mailer.dispatch.sender_checks import check_sender, get_standing
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsletters import get_newsletter, list_lists
from mailer.newsroom import preflight
from mailer.newsroom.editing import get_issue
from mailer.newsroom.link_checking import ask_for_checks
from mailer.press import article_checks, proofreading
from mailer.press.proofreading import Severity
from mailer.web.database import commit, get_session
from mailer.web.desk import blueprint
from mailer.web.desk.launching import LIMITS
from mailer.web.desk.rights import may_edit, may_send_issues_of
from mailer.web.failures import say
from mailer.web.locale import gettext
from mailer.web.signing_in import get_account

LOOKS = {
    Severity.ERROR: ("red", "circle-x", N_("Error")),
    Severity.WARNING: ("orange", "alert-triangle", N_("Warning")),
    Severity.HINT: ("blue", "info-circle", N_("Hint")),
}


@blueprint.context_processor
def _looks() -> dict[str, object]:
    return {"severities": LOOKS, "where_of": _where_of}


# Where what is no article is changed: the page's endpoint, and the place on it.
PLACES = {
    proofreading.SUBJECT: ("desk.issue_edit", "subject"),
    proofreading.PREHEADER: ("desk.issue_edit", "preheader"),
    proofreading.MASTHEAD: ("desk.issue_edit", None),
    article_checks.CONTENTS: ("desk.issue", "contents"),
    preflight.COMMENTS: ("desk.issue", "comments"),
    preflight.IMPORT: ("desk.issue_import", None),
}


def _where_of(flight: preflight.Preflight, finding: proofreading.Finding, issue_id: int) -> str | None:
    """Where a finding is mended, or talked about by those who do not write."""
    writes = may_edit(get_account())
    if article_id := flight.article_of(finding):
        return url_for("desk.article" if writes else "desk.article_comments", article_id=article_id)
    endpoint, anchor = PLACES.get(finding.place, (None, None))
    if endpoint is None or (endpoint == "desk.issue_edit" and not writes):
        return None
    return url_for(endpoint, issue_id=issue_id, _anchor=anchor)


@blueprint.get("/issues/<int:issue_id>/preflight")
def issue_preflight(issue_id: int) -> ResponseReturnValue:
    """As a page of its own, or as a part of one that asks for it by script."""
    session = get_session()
    issue = get_issue(session, issue_id)
    template = "desk/preflight_panel.html" if "HX-Request" in request.headers else "desk/preflight.html"
    return render_template(
        template,
        issue=issue,
        newsletter=get_newsletter(session, issue.newsletter_id),
        flight=preflight.inspect(session, issue, by=get_account()),
    )


@blueprint.get("/issues/<int:issue_id>/preflight/sender")
def issue_sender_check(issue_id: int) -> ResponseReturnValue:
    """What the DNS says of the sender. It may take some seconds, and so comes by itself."""
    session = get_session()
    issue = get_issue(session, issue_id)
    newsletter = get_newsletter(session, issue.newsletter_id)
    standing = get_standing(session, newsletter)
    template = "desk/preflight_sender.html" if "HX-Request" in request.headers else "desk/preflight_sender_page.html"
    return render_template(
        template, issue=issue, newsletter=newsletter, standing=standing, findings=list(check_sender(standing))
    )


@blueprint.get("/issues/<int:issue_id>/preflight/forecast")
def issue_forecast(issue_id: int) -> ResponseReturnValue:
    """How many would get it now by all lists of the newsletter, and how long that takes: of large lists it takes a
    moment to say, and so comes by itself.
    """
    session = get_session()
    issue = get_issue(session, issue_id)
    newsletter = get_newsletter(session, issue.newsletter_id)
    lists = list_lists(session, newsletter_id=newsletter.id)
    problem, expected = "", None
    try:
        expected = forecast_issue(session, issue, [each.id for each in lists])
    except RuleError as error:
        problem = say(error)
    template = "preflight_forecast.html" if "HX-Request" in request.headers else "preflight_forecast_page.html"
    return render_template(
        f"desk/{template}",
        issue=issue,
        newsletter=newsletter,
        lists=lists,
        forecast=expected,
        problem=problem,
        limits=LIMITS,
        may_send_it=may_send_issues_of(session, newsletter.id, get_account()),
    )


@blueprint.post("/issues/<int:issue_id>/preflight/links")
def issue_check_links(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    ask_for_checks(session, get_issue(session, issue_id))
    commit()
    flash(gettext("The links are being followed; look again in a moment."), "success")
    return redirect(url_for("desk.issue_preflight", issue_id=issue_id))
