"""Letters: mail to one person that they or we asked for. Plain, friendly, never advertising (RFC 3834: auto-generated).

What each kind's `parameters` hold, all plain JSON, links finished:

* ``confirm``: ``newsletter`` (its title), ``lists`` (names), ``confirm_url``, ``expires_days``,
  ``is_elsewhere`` (who had the address before receives one of them at another one; may be left out)
* ``welcome``: ``newsletter``, ``lists``, ``preferences_url``, ``unsubscribe_url`` (may be left out),
  ``latest_issue`` (``{"title", "url"}`` or null), ``is_elsewhere`` (as above)
* ``invite``: ``inviter``, ``name``, ``url``, ``hours``, ``service`` (what the service calls itself)
* ``reset``: ``name``, ``url``, ``hours``
* ``notice``: ``subject``, ``lines`` (paragraphs), ``url`` (or null)
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from jinja2 import UndefinedError

from mailer.errors import CompositionError
from mailer.i18n import DEFAULT_LOCALE, LOCALES, N_
from mailer.press.message import Sender, compose
from mailer.press.plaintext import tidy
from mailer.press.rendering import inline_css, render

KINDS: tuple[str, ...] = ("confirm", "welcome", "invite", "reset", "notice")
# What a template may leave out or find empty.
_OPTIONAL: dict[str, Any] = {
    "latest_issue": None, "unsubscribe_url": None, "url": None, "name": "", "is_elsewhere": False,
}  # fmt: skip


def compose_letter(
    kind: str,
    locale: str,
    parameters: Mapping[str, Any],
    sender: Sender,
    to: str,
    message_id: str,
    date: dt.datetime,
    *,
    to_name: str = "",
) -> bytes:
    """The letter's message: CRLF bytes, ready for DATA but for dot-stuffing. `kind` is one of `KINDS`.

    Raises `CompositionError` for an unknown kind, a missing parameter, or a value that cannot stand in a header.
    """
    if kind not in KINDS:
        raise CompositionError([N_("There is no such kind of letter: %(name)s") % {"name": kind}])
    language = locale if locale in LOCALES else DEFAULT_LOCALE
    values = {**_OPTIONAL, **parameters, "sender": sender}
    folder = f"letters/{kind}"
    try:
        subject = " ".join(render(f"{folder}/subject.txt", language, **values).split())
        text = tidy(render(f"{folder}/body.txt", language, **values))
        html = inline_css(render(f"{folder}/body.html", language, **{**values, "subject": subject}))
    except UndefinedError as error:
        raise CompositionError([N_("The letter lacks a value: %(name)s") % {"name": error.message}]) from None
    return compose(
        subject=subject, html=html, text=text, language=language, sender=sender, to=to, to_name=to_name,
        message_id=message_id, date=date,
    )  # fmt: skip
