"""A newsletter's sign-up on other sites: which of them may carry its form, and the form itself, ready to be copied."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField, TextAreaField

from mailer import newsletters as room
from mailer.audience.wordings import find_or_add_wording
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.links import absolute
from mailer.newsletters.models import Newsletter
from mailer.web.admin import blueprint
from mailer.web.admin.acting import actor, done
from mailer.web.database import commit, get_session
from mailer.web.forms import REFUSED, Form, at_most, lazy, strip
from mailer.web.questions import list_asked
from mailer.web.sign_ups import sign_up_wording


class EmbeddingForm(Form):
    """What the sign-up says, and where it may stand."""

    frequency = StringField(lazy(N_("How often it comes")), [at_most(120)], filters=[strip])
    allowed_origins = TextAreaField(
        lazy(N_("Sites that may carry the form")), [at_most(4000)], filters=[strip], render_kw={"rows": 4}
    )


@blueprint.route("/newsletters/<int:newsletter_id>/sign-up", methods=["GET", "POST"])
def sign_up_elsewhere(newsletter_id: int) -> ResponseReturnValue:
    """Form and snippet."""
    session = get_session()
    shown = room.get_newsletter(session, newsletter_id)
    known = {"frequency": shown.frequency, "allowed_origins": "\n".join(shown.allowed_origins)}
    form = EmbeddingForm(data=known if request.method == "GET" else None)
    if form.validate_on_submit():
        try:
            room.change_newsletter(
                session,
                shown,
                by=actor(),
                frequency=form.frequency.data or "",
                allowed_origins=(form.allowed_origins.data or "").split(),
            )
        except RuleError as error:
            session.rollback()
            form.refuse(error, "allowed_origins")
        else:
            done(N_("The settings are saved."))
            return redirect(url_for("admin.sign_up_elsewhere", newsletter_id=newsletter_id))
    page = render_template(
        "admin/embedding.html",
        form=form,
        shown=shown,
        snippet=_snippet(shown),
        api_url=absolute(url_for("api.newsletter", slug=shown.slug)),
    )
    return page, REFUSED if form.errors else 200


def _snippet(newsletter: Newsletter) -> str:
    """The form in the language of the page, with the sentence it shows on record."""
    session = get_session()
    wording = find_or_add_wording(session, "sign_up", sign_up_wording())
    commit()
    lists = room.list_lists(session, newsletter_id=newsletter.id, is_public=True)
    return render_template(
        "admin/snippet.html",
        newsletter=newsletter,
        lists=lists,
        asked=list_asked(lists),
        action=absolute(url_for("api.form", slug=newsletter.slug)),
        privacy_url=absolute(url_for("portal.privacy")),
        wording=wording,
    ).strip()
