"""Every error becomes a page that says what happened and what to do, in the reader's language."""

import logging
import traceback
from pathlib import Path

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException

from mailer.errors import LinkError, MailerError, NotFoundError, RuleError
from mailer.i18n import N_
from mailer.web.database import get_session
from mailer.web.locale import gettext

log = logging.getLogger(__name__)

TITLES: dict[int, tuple[str, str]] = {
    400: (N_("This request cannot be understood"), N_("Please go back and try again.")),
    403: (N_("You may not do this"), N_("Your account has no right to it. Ask an admin if you need it.")),
    404: (N_("Nothing here"), N_("The address is wrong, or the page is gone.")),
    405: (N_("This request cannot be understood"), N_("Please go back and try again.")),
    409: (N_("Not possible now"), N_("The state has changed meanwhile. Reload the page and look again.")),
    410: (N_("No longer valid"), N_("This link has done its work or has expired.")),
    413: (N_("The file is too large"), N_("Please choose a smaller one.")),
    429: (N_("Too many requests"), N_("Please wait a few minutes and try again.")),
    500: (N_("Something went wrong on our side"), N_("It has been logged. Please try again in a minute.")),
    503: (N_("The service is not available for the moment"), N_("Nothing is lost. Please try again in a minute.")),
}


def say(error: MailerError) -> str:
    """The error's message in the request's language."""
    return gettext(error.message, **error.params)


def error_page(status: int, detail: str | None = None) -> ResponseReturnValue:
    """The page for `status`; `detail` is a finished sentence that replaces the general advice."""
    title, advice = TITLES.get(status, TITLES[400 if status < 500 else 500])
    page = render_template("shared/error.html", status=status, title=gettext(title), detail=detail or gettext(advice))
    return page, status


def init_app(app: Flask) -> None:
    @app.errorhandler(RuleError)
    def _rule(error: RuleError) -> ResponseReturnValue:
        get_session().rollback()
        return error_page(409, say(error))

    @app.errorhandler(NotFoundError)
    @app.errorhandler(LinkError)
    def _not_found(error: MailerError) -> ResponseReturnValue:
        return error_page(404, say(error) if isinstance(error, LinkError) else None)

    @app.errorhandler(DataError)
    def _no_such_value(_error: DataError) -> ResponseReturnValue:
        # A number in an address that no column can hold: there can be nothing of that number.
        get_session().rollback()
        return error_page(404)

    @app.errorhandler(OperationalError)
    def _database_away(error: OperationalError) -> ResponseReturnValue:
        log.error("database away: %s", type(error.orig).__name__)
        return error_page(503)

    @app.errorhandler(CSRFError)
    def _csrf(_error: CSRFError) -> ResponseReturnValue:
        return error_page(400, gettext("This form has expired. Go back, reload the page and send it again."))

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> ResponseReturnValue:
        if error.response is not None or error.code is None or error.code < 400:
            return error
        return error_page(error.code)

    @app.errorhandler(Exception)
    def _unexpected(error: Exception) -> ResponseReturnValue:
        if app.testing and app.config.get("PROPAGATE_EXCEPTIONS", True):
            raise error
        log.error("unexpected %s at %s: %s", type(error).__name__, request.endpoint, _where(error))
        return error_page(500)


def _where(error: Exception) -> str:
    """The calls that led to `error`, the last one first. Not what it says: that may hold an address; logs hold none."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return " < ".join(f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}" for frame in frames)
