"""The first page: what waits for whom."""

from flask import render_template
from flask.typing import ResponseReturnValue

from mailer.newsletters import list_newsletters
from mailer.newsroom.listing import latest_issues, list_in_state
from mailer.newsroom.rules import IssueState
from mailer.web.database import get_session
from mailer.web.desk import blueprint


@blueprint.get("/")
def index() -> ResponseReturnValue:
    session = get_session()
    return render_template(
        "desk/index.html",
        in_review=list_in_state(session, IssueState.IN_REVIEW),
        approved=[pair for pair in list_in_state(session, IssueState.APPROVED) if pair[0].first_sent_at is None],
        drafts=list_in_state(session, IssueState.DRAFT, limit=8),
        newsletters=list_newsletters(session),
        latest=latest_issues(session),
    )
