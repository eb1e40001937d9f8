"""The first page: what waits for whom."""

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from mailer.dispatch.models import Mailing
from mailer.dispatch.rules import MailingState
from mailer.newsletters import list_newsletters
from mailer.newsletters.models import Newsletter
from mailer.newsroom.approval import get_turn
from mailer.newsroom.listing import find_returned, latest_issues, list_in_state
from mailer.newsroom.models import Issue
from mailer.newsroom.rules import IssueState
from mailer.newsroom.signatories import list_signatories
from mailer.web.database import get_session
from mailer.web.desk import blueprint
from mailer.web.signing_in import get_account

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
    in_review = list_in_state(session, IssueState.IN_REVIEW)
    turns = {issue.id: get_turn(session, issue, get_account()) for issue, _ in in_review}
    drafts = list_in_state(session, IssueState.DRAFT, limit=8)
    return render_template(
        "desk/index.html",
        under_way=under_way,
        # What waits for the one who looks stands first.
        in_review=sorted(in_review, key=lambda pair: turns[pair[0].id].for_account is None),
        turns=turns,
        stuck={issue.id for issue, newsletter in in_review if not list_signatories(session, issue, newsletter)},
        approved=approved,
        drafts=drafts,
        returned=find_returned(session, [issue.id for issue, _ in drafts]),
        newsletters=list_newsletters(session),
        latest=latest_issues(session),
    )
