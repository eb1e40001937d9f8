"""Which site a request comes from, and whether a newsletter lets it in (the Fetch standard's CORS protocol)."""

from urllib.parse import urlsplit

from flask import Response, abort, g, request

from mailer import newsletters
from mailer.errors import NotFoundError
from mailer.i18n import N_
from mailer.newsletters.models import Newsletter
from mailer.settings import get_settings
from mailer.web.api import blueprint
from mailer.web.database import get_session


def find_open_newsletter(slug: str) -> Newsletter:
    """The newsletter, asked for by a site it lets in. Without an Origin there is no site: a program, or an old browser,
    whose form reaches no further than ours does. Raises `NotFoundError`; ends with 403.
    """
    found = newsletters.get_newsletter_by_slug(get_session(), slug)
    if found.archived_at is not None:
        raise NotFoundError(N_("There is no such newsletter."))
    origin = request.headers.get("Origin")
    if origin is not None and origin != _own_origin():
        if origin not in found.allowed_origins:
            abort(403)
        g.allowed_origin = origin
    return found


def _own_origin() -> str:
    parts = urlsplit(get_settings().public_url)
    return f"{parts.scheme}://{parts.netloc}"


# A sign-up is some hundred bytes, with a proof of work a thousand.
MOST_BYTES = 65_536


@blueprint.before_request
def _take_no_more() -> None:
    request.max_content_length = MOST_BYTES


@blueprint.after_request
def _tell_browsers(response: Response) -> Response:
    """Only the site that asked is named, and no cookie of ours is ever let through."""
    response.headers.add("Vary", "Origin")
    origin = g.get("allowed_origin")
    if origin is not None:
        response.headers["Access-Control-Allow-Origin"] = origin
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, POST"
            response.headers["Access-Control-Allow-Headers"] = "Content-Type, Accept-Language"
            response.headers["Access-Control-Max-Age"] = "600"
    return response
