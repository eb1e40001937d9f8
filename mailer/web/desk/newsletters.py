"""Newsletters and the issues of each."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer.errors import RuleError
from mailer.newsletters import create_newsletter, get_newsletter, list_lists, list_newsletters
from mailer.newsroom.listing import count_issues, latest_issues, list_issues
from mailer.newsroom.rules import IssueState
from mailer.reports.issues import count_recipients
from mailer.settings import get_settings
from mailer.web.database import commit, get_session
from mailer.web.desk import blueprint
from mailer.web.desk.forms import NewNewsletterForm
from mailer.web.desk.rights import may_govern, only
from mailer.web.desk.settings import identity
from mailer.web.desk.theming import shown_options
from mailer.web.forms import REFUSED
from mailer.web.locale import current_locale, gettext
from mailer.web.signing_in import get_account


@blueprint.get("/newsletters")
def newsletters() -> ResponseReturnValue:
    session = get_session()
    has_archived = "archived" in request.args
    return render_template(
        "desk/newsletters.html",
        newsletters=list_newsletters(session, has_archived=has_archived),
        has_archived=has_archived,
        counts=count_issues(session),
        latest=latest_issues(session),
    )


@blueprint.get("/newsletters/<int:newsletter_id>")
def newsletter(newsletter_id: int) -> ResponseReturnValue:
    session = get_session()
    found = get_newsletter(session, newsletter_id)
    wish = request.args.get("state", "")
    if wish and wish not in set(IssueState):
        abort(404)
    search = request.args.get("q", "")[:100]
    issues = list_issues(
        session,
        newsletter_id,
        state=IssueState(wish) if wish else None,
        search=search,
        page=request.args.get("page", 1, type=int),
    )
    return render_template(
        "desk/newsletter.html",
        newsletter=found,
        issues=issues,
        recipients=count_recipients(session, [line.issue.id for line in issues.lines]),
        state=wish,
        search=search,
        lists=list_lists(session, newsletter_id=newsletter_id),
    )


@blueprint.route("/newsletters/new", methods=["GET", "POST"])
@only(may_govern)
def newsletter_new() -> ResponseReturnValue:
    settings = get_settings()
    form = NewNewsletterForm(
        language=current_locale(),
        time_zone=settings.time_zone,
        sender_name=settings.sender_name,
        sender_address=settings.sender_address,
        tracking="full",
        is_four_eyes=True,
        **shown_options("bulletin", {}),
    )
    if form.validate_on_submit():
        try:
            made = create_newsletter(get_session(), slug=form.slug.data or "", by=get_account(), **identity(form))
        except RuleError as error:
            get_session().rollback()
            form.refuse(error)
        else:
            commit()
            flash(gettext("The newsletter is made. It needs a list before anybody can read it."), "success")
            return redirect(url_for("desk.newsletter", newsletter_id=made.id))
    page = render_template("desk/newsletter_settings.html", form=form, newsletter=None)
    return page, REFUSED if form.is_submitted() else 200
