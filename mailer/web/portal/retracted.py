"""The place of a retracted issue: that it was retracted, when and why, at every address that led to it."""

from flask import render_template
from flask.typing import ResponseReturnValue

from mailer.errors import GoneError
from mailer.newsletters import get_newsletter
from mailer.newsroom.editing import get_issue
from mailer.newsroom.editions import get_edition
from mailer.web.database import get_session
from mailer.web.portal import blueprint
from mailer.web.portal.robots import must_not_be_indexed
from mailer.web.portal.web_editions import show_masthead

# Search engines drop what is gone sooner than what is not found (RFC 9110 section 15.5.11).
GONE = 410


@blueprint.errorhandler(GoneError)
def retracted(error: GoneError) -> ResponseReturnValue:
    """Who may not read the archive has been refused before this."""
    session = get_session()
    issue = get_issue(session, error.issue_id)
    newsletter = get_newsletter(session, issue.newsletter_id)
    assert issue.shown_edition_id is not None
    must_not_be_indexed()
    page = render_template(
        "archive/retracted.html",
        newsletter=newsletter,
        issue=issue,
        edition=show_masthead(newsletter, issue, get_edition(session, issue.shown_edition_id)),
    )
    return page, GONE
