"""The first page: what waits for whom."""

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from mailer.dispatch.models import Mailing
from mailer.dispatch.rules import MailingState
from mailer.newsletters import list_newsletters
from mailer.newsletters.models import Newsletter
from mailer.newsroom.listing import latest_issues, list_in_state
from mailer.newsroom.models import Issue
from mailer.newsroom.rules import IssueState
from mailer.web.database import get_session
from mailer.web.desk import blueprint

# Mailings that somebody may want to look at now.
UNDER_WAY = (MailingState.SCHEDULED, MailingState.PREPARING, MailingState.SENDING, MailingState.PAUSED)


@blueprint.get("/")
def index() -> ResponseReturnValue:
    session = get_session()
    under_way = session.execute(
        select(Mailing, Issue, Newsletter)
        .join(Issue, Issue.id == Mailing.issue_id)
        .join(Newsletter, Newsletter.id == Mailing.newsletter_id)
        .where(Mailing.state.in_(UNDER_WAY))
        .order_by(Mailing.id.desc())
    ).all()
    launched = {issue.id for _, issue, _ in under_way}
    approved = [
        (issue, newsletter)
        for issue, newsletter in list_in_state(session, IssueState.APPROVED)
        if issue.first_sent_at is None and issue.id not in launched
    ]
    return render_template(
        "desk/index.html",
        under_way=under_way,
        in_review=list_in_state(session, IssueState.IN_REVIEW),
        approved=approved,
        drafts=list_in_state(session, IssueState.DRAFT, limit=8),
        newsletters=list_newsletters(session),
        latest=latest_issues(session),
    )
