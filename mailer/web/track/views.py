"""A pixel that is a pixel even for a bad token, and a click that leads only where the edition leads.

Image proxies cache what they get, errors too: the pixel answers 200 to everything. Recording comes after deciding on
the answer and never changes it.
"""

import base64
import datetime as dt
import logging
import uuid

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as BaseResponse

from mailer.errors import LinkError
from mailer.feedback.arriving import find_arrival
from mailer.feedback.events import USER_AGENT_LIMIT, Event
from mailer.feedback.recording import record
from mailer.feedback.spooling import spool
from mailer.links import read_link_token, read_reader_token
from mailer.newsletters import find_newsletter_by_slug
from mailer.newsletters.rules import ArchiveAccess
from mailer.web import reading_pass
from mailer.web.database import commit, get_session
from mailer.web.track import blueprint

log = logging.getLogger(__name__)

# A transparent GIF of one pixel.
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


@blueprint.get("/o/<reader>.gif")
def pixel(reader: str) -> ResponseReturnValue:
    """Records an open; the answer never tells whether there was one to record."""
    try:
        _note(read_reader_token(reader), None)
    except LinkError:
        log.info("a pixel with a bad token")
    response = Response(PIXEL, mimetype="image/gif")
    response.headers["Cache-Control"] = "no-store, no-cache, must-revalidate, max-age=0"
    return response


@blueprint.get("/c/<link>/<reader>")
def click(link: str, reader: str) -> ResponseReturnValue:
    """Records a click and redirects to the address signed into `link`, even when nothing can be recorded.

    A reader token that is broken (a forwarded mail that lost its end, say) still gets where it wanted.
    """
    target = read_link_token(link)
    response = redirect(target.url, code=302)
    try:
        delivery_id = read_reader_token(reader)
        if _note(delivery_id, (target.edition_id, target.ordinal)):
            _let_in(response, target.url, delivery_id)
    except LinkError:
        log.info("a click with a bad reader token")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _let_in(response: BaseResponse, url: str, delivery_id: int) -> None:
    """Whose mail leads into an archive for subscribers may read there, without their token in an address that is
    copied, bookmarked and passed on.
    """
    slug = reading_pass.slug_of(url)
    newsletter = find_newsletter_by_slug(get_session(), slug) if slug else None
    if newsletter is None or newsletter.archive_access != ArchiveAccess.SUBSCRIBERS:
        return
    subscriber_id = find_arrival(get_session(), delivery_id=delivery_id, newsletter_id=newsletter.id)
    if subscriber_id is not None:
        reading_pass.give(response, newsletter, subscriber_id)


def _note(delivery_id: int, link: tuple[int, int] | None) -> bool:
    """Whether it is in the database already; else it waits for it in a file."""
    event = Event(
        event_key=uuid.uuid4().hex,
        at=dt.datetime.now(dt.UTC),
        delivery_id=delivery_id,
        method=request.method,
        user_agent=request.user_agent.string[:USER_AGENT_LIMIT],
        ip=request.remote_addr,
        link=link,
    )
    try:
        record(get_session(), event)
        commit()
    except SQLAlchemyError:
        spool(event)
        return False
    return True
