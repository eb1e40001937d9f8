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

from mailer.errors import LinkError
from mailer.feedback.events import USER_AGENT_LIMIT, Event
from mailer.feedback.recording import record
from mailer.feedback.spooling import spool
from mailer.links import read_link_token, read_reader_token
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
    try:
        _note(read_reader_token(reader), (target.edition_id, target.ordinal))
    except LinkError:
        log.info("a click with a bad reader token")
    response = redirect(target.url, code=302)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _note(delivery_id: int, link: tuple[int, int] | None) -> None:
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
