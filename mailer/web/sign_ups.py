"""What every public form for signing up shares: the sentence that is agreed to, what is said when there is no place,
and the issue that a welcome letter shows.
"""

from collections.abc import Sequence
from typing import Any

from flask import request

from mailer import links
from mailer.audience.rules import Verdict
from mailer.i18n import N_
from mailer.newsletters.models import List, Newsletter
from mailer.newsroom.editions import list_published
from mailer.web.database import get_session
from mailer.web.locale import gettext

# Said of the sender, never of the address.
REFUSALS: dict[Verdict, str] = {
    Verdict.PROVE: N_(
        "Very many people are signing up just now. Please press the button once more: your browser then does a short "
        "calculation, to show that it is no robot. Without script, please try again in an hour."
    ),
    Verdict.LATER: N_("Too many sign-ups came from your network. Please try again in an hour."),
}


def sign_up_wording(lists: Sequence[List]) -> str:
    """Beside the box that must be ticked on a form that offers `lists`: one is named, of several those are meant that
    are ticked above it, and kept by list.
    """
    if len(lists) == 1:
        return gettext(
            N_(
                "I agree to receive “%(newsletter)s” at this address by email, and that the address is kept for this "
                "purpose. I can unsubscribe at any time, in every mail, without giving reasons."
            ),
            newsletter=lists[0].newsletter.title,
        )
    return gettext(
        N_(
            "I agree to receive the newsletters chosen above at this address by email, and that the address is kept "
            "for this purpose. I can unsubscribe at any time, in every mail, without giving reasons."
        )
    )


def sender() -> dict[str, Any]:
    """Where a request came from, as a `Knock` and the evidence keep it."""
    # Behind a local socket there is no address, and an empty one is none.
    return {"ip": request.remote_addr or None, "user_agent": request.headers.get("User-Agent", "")}


def latest_issue(newsletter: Newsletter) -> dict[str, str] | None:
    """What was last sent of it, for a welcome letter."""
    for issue, edition in list_published(get_session(), newsletter.id, limit=1):
        return {"title": edition.subject, "url": links.issue_url(newsletter.slug, issue.id)}
    return None
