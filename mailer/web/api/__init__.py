"""For machines and other sites: signing up to a newsletter by JSON, or with a plain form on somebody's own page.

Nothing here knows a cookie. What a page of another site may ask for is decided by the newsletter's `allowed_origins`.
"""

from flask import Blueprint

blueprint = Blueprint("api", __name__)

# The views hang themselves on the blueprint, which therefore comes first.
from mailer.web.api import forms, subscriptions  # noqa: E402

# They come from other sites and from programs, without our cookie: there is no session that a stranger's page could
# abuse, and a sign-up does no more than the same form on our own page does.
WITHOUT_CSRF = (f"{__name__}.subscriptions.subscribe", f"{__name__}.forms.form")

__all__ = ["WITHOUT_CSRF", "blueprint", "forms", "subscriptions"]
