"""Earlier editions of an issue: nothing that readers were sent disappears because it was corrected."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from flask import abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mailer import links
from mailer.newsletters.models import Newsletter
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.editions import get_published, list_editions
from mailer.newsroom.models import Issue
from mailer.press.wording import clauses
from mailer.reports.issues import list_sent_editions
from mailer.web.database import get_session
from mailer.web.portal import blueprint
from mailer.web.portal.keeping import kept_briefly
from mailer.web.portal.reading import feed_token, for_readers
from mailer.web.portal.robots import must_not_be_indexed
from mailer.web.portal.web_editions import show


@dataclass(frozen=True, slots=True)
class EarlierEdition:
    """One that was mailed before the one the archive shows; `sent_at` is when that began."""

    url: str
    ordinal: int
    sent_at: dt.datetime


def list_earlier(session: Session, newsletter: Newsletter, issue: Issue, shown: Edition) -> Sequence[EarlierEdition]:
    """Those that readers have had, the latest first. One that was approved and never sent is nobody's business."""
    sent = list_sent_editions(session, issue.id)
    if not sent.keys() - {shown.id}:
        return ()
    return [
        EarlierEdition(links.edition_url(newsletter.slug, issue.id, each.ordinal), each.ordinal, sent[each.id])
        for each in reversed(list_editions(session, issue.id))
        if each.id in sent and each.ordinal < shown.ordinal
    ]


@blueprint.get("/n/<slug>/issues/<int:issue_id>/editions/<int:ordinal>")
@for_readers
@kept_briefly
def edition(newsletter: Newsletter, issue_id: int, ordinal: int) -> ResponseReturnValue:
    """An edition as it was mailed, which says that it has been corrected, and where."""
    session = get_session()
    issue, current = get_published(session, newsletter.id, issue_id)
    if ordinal == current.ordinal:
        return redirect(url_for("portal.issue", slug=newsletter.slug, issue_id=issue_id))
    earlier = list_earlier(session, newsletter, issue, current)
    mine = next((each for each in earlier if each.ordinal == ordinal), None)
    if mine is None:
        abort(404)
    must_not_be_indexed()
    frozen = next(each for each in list_editions(session, issue_id) if each.ordinal == ordinal)
    return render_template(
        "archive/issue.html",
        newsletter=newsletter,
        edition=show(newsletter, issue, frozen),
        sent_at=mine.sent_at,
        corrected_at=current.created_at,
        correction=current.masthead.get("correction", ""),
        earlier_editions=[],
        clauses=clauses,
        feed_token=feed_token(newsletter),
        pdf_url=None,
        earlier=None,
        later=None,
    )
