"""A newsletter's sign-up on other sites: which of them may carry its form, and the form itself, ready to be copied."""

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from mailer import newsletters as room
from mailer.audience.wordings import find_or_add_wording
from mailer.links import absolute
from mailer.newsletters.models import Newsletter
from mailer.web.admin import blueprint
from mailer.web.database import commit, get_session
from mailer.web.questions import list_asked
from mailer.web.sign_ups import sign_up_wording


@blueprint.get("/newsletters/<int:newsletter_id>/sign-up")
def sign_up_elsewhere(newsletter_id: int) -> ResponseReturnValue:
    """The form, and which sites may carry it; that is decided in the newsletter's settings."""
    shown = room.get_newsletter(get_session(), newsletter_id)
    return render_template(
        "admin/embedding.html",
        shown=shown,
        snippet=_snippet(shown),
        api_url=absolute(url_for("api.newsletter", slug=shown.slug)),
    )


def _snippet(newsletter: Newsletter) -> str:
    """The form in the language of the page, with the sentence it shows on record."""
    session = get_session()
    lists = room.list_lists(session, newsletter_id=newsletter.id, is_public=True)
    wording = find_or_add_wording(session, "sign_up", sign_up_wording(lists))
    commit()
    return render_template(
        "admin/snippet.html",
        newsletter=newsletter,
        lists=lists,
        asked=list_asked(lists),
        action=absolute(url_for("api.form", slug=newsletter.slug)),
        privacy_url=absolute(url_for("portal.privacy")),
        wording=wording,
    ).strip()
