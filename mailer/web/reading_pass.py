"""The cookie by which a subscriber reads an archive that is for subscribers, set by the click on a link of their mail.

It holds a reading token: who they are, for one newsletter. What it opens is asked of the database at each page, so it
ends with the subscription. It is set for newsletters that need it and no others: readers of public ones get no cookie.
"""

import re
from urllib.parse import urlsplit

from flask import Response, request, url_for
from werkzeug.wrappers import Response as WerkzeugResponse

from mailer import links
from mailer.newsletters.models import Newsletter
from mailer.settings import get_settings

COOKIE = "mailer_reading"
# The name in an address, for feed readers and letters, which have no cookies.
PARAMETER = "r"
_AGE = 400 * 86_400  # As long as browsers keep one (RFC 6265bis section 5.5).
_SLUG = re.compile(r"/n/([a-z0-9-]+)/")


def read() -> str | None:
    """The token of this request, out of the address or else the cookie."""
    return request.args.get(PARAMETER) or request.cookies.get(COOKIE)


def give(response: Response | WerkzeugResponse, newsletter: Newsletter, subscriber_id: int) -> None:
    """The browser may read `newsletter` from now on."""
    response.set_cookie(
        COOKIE,
        links.make_reading_token(newsletter.id, subscriber_id),
        max_age=_AGE,
        path=url_for("portal.newsletter", slug=newsletter.slug),
        httponly=True,
        samesite="Lax",
        secure=get_settings().is_https,
    )


def slug_of(url: str) -> str | None:
    """The short name of the newsletter in whose archive `url` lies; `None` for other sites and other pages."""
    public = urlsplit(get_settings().public_url)
    parts = urlsplit(url)
    if (parts.scheme, parts.netloc) != (public.scheme, public.netloc) or not parts.path.startswith(public.path):
        return None
    found = _SLUG.match(parts.path.removeprefix(public.path))
    return found[1] if found else None
