"""The Flask application: its parts, and one table that says who may enter which of them."""

import importlib
from typing import NamedTuple

from flask import Blueprint, Flask, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from mailer.accounts.rules import Role
from mailer.resources import STATIC, TEMPLATES
from mailer.settings import get_settings
from mailer.web import (
    database,
    failures,
    guards,
    headers,
    limits,
    locale,
    navigation,
    replies,
    signing_in,
    static_files,
)


class Entry(NamedTuple):
    """A blueprint (`mailer.web.<name>.blueprint`), where it hangs, and its guard."""

    name: str
    prefix: str | None
    guard: guards.Guard


# Every address of the product begins here. "everyone" is said aloud, never by default.
BLUEPRINTS: tuple[Entry, ...] = (
    Entry("portal", None, guards.everyone),
    Entry("track", None, guards.everyone),
    Entry("api", "/api", guards.everyone),
    Entry("media", None, guards.everyone),
    Entry("account", "/account", guards.everyone),
    Entry("desk", "/desk", guards.needs(Role.EDITOR, Role.APPROVER, Role.ADMIN)),
    Entry("admin", "/admin", guards.needs(Role.ADMIN)),
    Entry("mailbox", "/mailbox", guards.only_where_mail_is_captured),
)

csrf = CSRFProtect()


def create_app() -> Flask:
    """The WSGI application of the settings in the environment. Raises `SettingsError`."""
    settings = get_settings()
    app = Flask("mailer.web", static_folder=str(STATIC), static_url_path="/static", template_folder=str(TEMPLATES))
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        SESSION_COOKIE_NAME="__Host-mailer" if settings.is_https else "mailer",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=settings.session_hours * 3600,
        MAX_CONTENT_LENGTH=settings.max_upload_mb * 1024 * 1024 + 65_536,
        MAX_FORM_MEMORY_SIZE=4 * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: an editor may write for hours before saving
        MAILBOX_DIR=settings.mailbox_dir,
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    for part in (database, signing_in, locale, headers, static_files, limits, failures, navigation, replies):
        part.init_app(app)
    csrf.init_app(app)
    _register(app)
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=settings.proxies)  # type: ignore[method-assign]
    return app


def _register(app: Flask) -> None:
    table: dict[str, guards.Guard] = {}
    for entry in BLUEPRINTS:
        module = importlib.import_module(f"mailer.web.{entry.name}")
        blueprint: Blueprint = module.blueprint
        app.register_blueprint(blueprint, url_prefix=entry.prefix)
        table[blueprint.name] = entry.guard
        # One-click unsubscribing and provider hooks come without a cookie, and so without a CSRF token.
        for view in getattr(module, "WITHOUT_CSRF", ()):
            csrf.exempt(view)

    @app.before_request
    def _guard() -> ResponseReturnValue | None:
        guard = table.get(request.blueprint or "")
        return guard() if guard is not None else None
