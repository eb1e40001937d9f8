"""How often one address may ask: Flask-Limiter over Redis, in the process's memory while Redis is away."""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from mailer.settings import get_settings

limiter = Limiter(key_func=get_remote_address, headers_enabled=True, strategy="moving-window")


def init_app(app: Flask) -> None:
    app.config.update(
        RATELIMIT_STORAGE_URI=get_settings().redis_url.get_secret_value(),
        RATELIMIT_STORAGE_OPTIONS={"socket_connect_timeout": 2, "socket_timeout": 2},
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_KEY_PREFIX="mailer.web",
    )
    limiter.init_app(app)
