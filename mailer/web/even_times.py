"""Answers about an address leave on the beat, so that how long the work took tells nothing of what it is to us.

A letter that is written takes some milliseconds more than one that is not: over a few hundred requests a stranger sees
the difference through any network. What the answers say is the same already; this makes them take the same time.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import Response, make_response, request
from flask.typing import ResponseReturnValue

from mailer.web.database import release

# Seconds: well above what the slowest of these answers takes, and nobody minds it after pressing a button. Work that
# takes longer on a busy machine waits for the next beat.
BEAT = 0.25

P = ParamSpec("P")


def on_the_beat(view: Callable[P, ResponseReturnValue]) -> Callable[P, Response]:
    """For a view whose POST does more for one address than for another. Below the limits, which tell nothing: whoever
    is turned away need not wait.
    """

    @wraps(view)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> Response:
        started = time.monotonic()
        try:
            return make_response(view(*args, **kwargs))
        finally:
            if request.method == "POST":
                # A request that only waits holds no connection of the pool.
                release()
                wait(rest(time.monotonic() - started))

    return wrapped


def rest(took: float) -> float:
    """Seconds until the next beat."""
    return BEAT - took % BEAT


def wait(seconds: float) -> None:
    """A thread of the web server sleeps; the limits bound how many do."""
    time.sleep(seconds)
