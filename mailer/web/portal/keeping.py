"""How long caches may keep what the archive answers: a public page for a minute, by everybody, where nothing in it is
its visitor's own; what is for some, or was made for one, by them alone, who ask each time whether it still holds.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import make_response, request, session
from flask.typing import ResponseReturnValue

from mailer.newsletters.models import Newsletter
from mailer.newsletters.rules import ArchiveAccess

# A retraction or a correction is seen by everybody so many seconds later at most.
SECONDS = 60


def cache_control(newsletter: Newsletter, seconds: int = SECONDS) -> str:
    """The header for this request, asked before the answer is made. Who has a session (an account, the token of a form,
    something to be told once) or chooses a language in the address gets an answer of their own.
    """
    is_for_all = newsletter.archive_access == ArchiveAccess.PUBLIC and not session and "lang" not in request.args
    return f"public, max-age={seconds}" if is_for_all else "private, no-cache"


def kept_briefly(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
    """For a page of the archive, inside `for_readers`: who may not read it never gets here, not even to a 304."""

    @wraps(view)
    def wrapped(newsletter: Newsletter, **place: Any) -> ResponseReturnValue:
        policy = cache_control(newsletter)
        response = make_response(view(newsletter, **place))
        if response.status_code != 200:
            return response
        response.headers["Cache-Control"] = policy
        # The page's own words follow the browser's language, the cookie of who chose one, and the account's.
        response.vary.update(("Accept-Language", "Cookie"))
        response.add_etag()
        return response.make_conditional(request)

    return wrapped
