"""Who acts, from where, what they asked for, and what they are told afterwards: what the admin's views share."""

from flask import flash, request

from mailer.accounts.models import Account
from mailer.web.database import commit
from mailer.web.forms import strip
from mailer.web.locale import gettext
from mailer.web.signing_in import get_account


def actor() -> Account:
    """The admin behind the request."""
    return get_account()


def place() -> str | None:
    """The address the request came from, for the audit trail."""
    return request.remote_addr


def typed(name: str) -> str:
    """A text argument of the address line, tidied: it may hold anything."""
    return (strip(request.args.get(name, "")) or "")[:200]


def done(message: str, **params: object) -> None:
    """Commits, then tells so on the next page; `message` is a gettext id."""
    commit()
    flash(gettext(message, **params), "success")
