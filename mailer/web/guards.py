"""Who may enter a blueprint. Each is named once, in `mailer.web.app.BLUEPRINTS`; "everyone" must be said aloud.

A guard returns `None` to let the request in, or a response. What an account may do to one thing (approve an issue that
it submitted, say) is the rooms' decision, not a guard's.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from mailer.accounts.rules import Role

Guard = Callable[[], ResponseReturnValue | None]
P = ParamSpec("P")
R = TypeVar("R")


def everyone() -> None:
    """Readers, providers and robots: no sign-in. The views themselves trust nothing that comes in."""


def signed_in() -> ResponseReturnValue | None:
    """Any active account."""
    if not current_user.is_authenticated:
        wanted = request.full_path.rstrip("?") if request.method != "POST" else None
        return redirect(url_for("account.sign_in", next=wanted))
    return None


def needs(*roles: Role) -> Guard:
    """An active account that holds at least one of `roles`."""

    def guard() -> ResponseReturnValue | None:
        refused = signed_in()
        if refused is not None:
            return refused
        if not current_user.has_any(*roles):
            abort(403)
        return None

    guard.__name__ = "needs_" + "_or_".join(roles)
    return guard


def only_where_mail_is_captured() -> ResponseReturnValue | None:
    """The mailbox page exists only beside the capturing mailbox, and only for those who are signed in."""
    if current_app.config["MAILBOX_DIR"] is None:
        abort(404)
    return signed_in()


def role_required(*roles: Role) -> Callable[[Callable[P, R]], Callable[P, R | ResponseReturnValue]]:
    """For a view that asks for more than its blueprint does."""

    def wrap(view: Callable[P, R]) -> Callable[P, R | ResponseReturnValue]:
        @wraps(view)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R | ResponseReturnValue:
            refused = needs(*roles)()
            return view(*args, **kwargs) if refused is None else refused

        return wrapped

    return wrap
