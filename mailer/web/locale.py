"""Language and time zone of a page: ``?lang=`` (kept in a cookie), the account's own, then Accept-Language.

Flask-Babel formats dates and numbers; the words come from `mailer.i18n`, so that pages, mail and workers read the
same catalogues.
"""

import datetime as dt
import gettext as _gettext

from flask import Flask, Response, g, has_request_context, request
from flask_babel import Babel, format_date, format_datetime, format_decimal, get_locale

from mailer.i18n import DEFAULT_LOCALE, LOCALES, get_translations, negotiate
from mailer.settings import get_settings
from mailer.web.signing_in import find_account

COOKIE = "mailer_language"


def select_locale() -> str:
    """One of `mailer.i18n.LOCALES`."""
    if not has_request_context():
        return DEFAULT_LOCALE
    for wish in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if wish in LOCALES:
            return str(wish)
    account = find_account()
    if account is not None and account.locale in LOCALES:
        return account.locale
    return negotiate(request.headers.get("Accept-Language"))


def current_locale() -> str:
    """The request's locale, decided once."""
    if not has_request_context():
        return DEFAULT_LOCALE
    if "locale" not in g:
        g.locale = select_locale()
    return str(g.locale)


def _translations() -> _gettext.NullTranslations:
    return get_translations(current_locale())


def gettext(message: str, **params: object) -> str:
    """`message` in the request's language, its ``%(name)s`` places filled."""
    text = _translations().gettext(message)
    return text % params if params else text


def ngettext(singular: str, plural: str, num: int, **params: object) -> str:
    """The right plural form for `num`, which also fills ``%(num)s``."""
    return _translations().ngettext(singular, plural, num) % {"num": num, **params}


def _when(moment: dt.datetime | None) -> str:
    return "" if moment is None else format_datetime(moment, "yyyy-MM-dd HH:mm")


def _when_exactly(moment: dt.datetime | None) -> str:
    return "" if moment is None else format_datetime(moment, "yyyy-MM-dd HH:mm:ss")


def _day(day: dt.date | None) -> str:
    return "" if day is None else format_date(day, "long")


def _number(value: float | None) -> str:
    return "" if value is None else format_decimal(value)


def init_app(app: Flask) -> None:
    Babel(app, locale_selector=select_locale, timezone_selector=lambda: get_settings().time_zone)
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda message: _translations().gettext(message),
        lambda one, many, count: _translations().ngettext(one, many, count),
        newstyle=True,
    )
    app.jinja_env.filters.update(when=_when, when_exactly=_when_exactly, day=_day, number=_number)
    app.jinja_env.globals.update(current_locale=current_locale, html_lang=lambda: str(get_locale()).replace("_", "-"))

    @app.after_request
    def _remember(response: Response) -> Response:
        wish = request.args.get("lang")
        # What everybody's cache may keep is nobody's choice.
        if wish in LOCALES and not response.cache_control.public:
            response.set_cookie(
                COOKIE, str(wish), max_age=365 * 86_400, samesite="Lax", httponly=True, secure=get_settings().is_https
            )
        return response
