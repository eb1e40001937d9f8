"""Security headers of every answer: nothing from a foreign host, no inline script or style, no frames but our own; and
no session in what everybody may keep.
"""

from flask import Flask, Response, g, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin

from mailer.settings import get_settings

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "manifest-src 'self'"
)
# A mail shown inside a page: its inlined styles may work, its scripts, forms and foreign pictures may not, and only
# our own pages may frame it.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; base-uri 'none'; "
    "form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox allow-same-origin"
)


def show_mail() -> None:
    """The answer of this request is a mail's HTML, made to be framed by a page of ours."""
    g.is_mail = True


class Sessions(SecureCookieSessionInterface):
    """Flask's, but for an answer that everybody's cache may keep: a session that is renewed at each answer would stand
    in it, and whoever is given the answer next would be signed in.
    """

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not response.cache_control.public:
            super().save_session(app, session, response)


def init_app(app: Flask) -> None:
    is_https = get_settings().is_https
    app.session_interface = Sessions()

    @app.after_request
    def _protect(response: Response) -> Response:
        is_mail = g.get("is_mail", False)
        headers = response.headers
        headers.setdefault("Content-Security-Policy", MAIL_POLICY if is_mail else POLICY)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("X-Frame-Options", "SAMEORIGIN" if is_mail else "DENY")
        # Tokens stand in addresses: they must not leak to the sites that an article links to.
        headers.setdefault("Referrer-Policy", "no-referrer" if is_mail else "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), browsing-topics=()")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if is_https:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        if request.endpoint != "static" and "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
        return response
