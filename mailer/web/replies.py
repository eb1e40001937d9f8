"""What mail servers said, as pages show it."""

from flask import Flask

from mailer.web.locale import gettext


def said(reply: str, code: int | None = None) -> str:
    """A server's own words behind its code, the enhanced code among them as it gave it (RFC 2034); where none said
    anything, our own sentence in the page's language.
    """
    if code is not None:
        return f"{code} {reply}".rstrip()
    return gettext(reply) if reply else ""


def init_app(app: Flask) -> None:
    app.jinja_env.globals["said"] = said
