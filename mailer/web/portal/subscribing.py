"""The sign-up form, for one newsletter or for several, and the page that sends people to their mailbox."""

import logging
import time
from collections.abc import Sequence

from flask import redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from mailer import newsletters
from mailer.addresses import parse_address, readable
from mailer.audience.correspondence import CONFIRM_DAYS
from mailer.audience.subscribing import sign_up
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsletters.models import List, Newsletter
from mailer.web.database import commit, get_session
from mailer.web.forms import REFUSED
from mailer.web.limits import limiter
from mailer.web.locale import current_locale
from mailer.web.portal import blueprint
from mailer.web.portal.forms import SignUpForm
from mailer.web.portal.requests import evidence, sign_up_wording
from mailer.web.portal.stamps import is_human_pace

log = logging.getLogger(__name__)


def make_sign_up_form(lists: Sequence[List]) -> SignUpForm:
    """The form that offers these lists; those named in ``?list=`` are ticked."""
    form = SignUpForm()
    form.offer(lists, request.args.getlist("list", type=int))
    return form


@blueprint.route("/subscribe", methods=["GET", "POST"])
@limiter.limit("10 per minute; 60 per hour", methods=["POST"])
def subscribe() -> ResponseReturnValue:
    """For several newsletters at once."""
    return _subscribe(newsletters.list_lists(get_session(), is_public=True), None)


@blueprint.route("/n/<slug>/subscribe", methods=["GET", "POST"])
@limiter.limit("10 per minute; 60 per hour", methods=["POST"])
def subscribe_to(slug: str) -> ResponseReturnValue:
    """For the lists of one newsletter; its page holds the same form."""
    found = newsletters.get_newsletter_by_slug(get_session(), slug)
    return _subscribe(newsletters.list_lists(get_session(), newsletter_id=found.id, is_public=True), found)


def _subscribe(lists: Sequence[List], newsletter: Newsletter | None) -> ResponseReturnValue:
    form = make_sign_up_form(lists)
    if form.validate_on_submit() and _accept(form):
        # Kept in the reader's own cookie, so that the next page can say where to look, and a reload sends nothing.
        session["signed_up"] = readable(parse_address(form.email.data or "").email)
        return redirect(url_for("portal.look_in_your_mailbox"), code=303)
    page = render_template(
        "portal/subscribe.html", form=form, lists=lists, newsletter=newsletter, wording=sign_up_wording()
    )
    return page, REFUSED if form.is_submitted() else 200


def _accept(form: SignUpForm) -> bool:
    """Whether the form was in order; what was not is told in it. Robots are told nothing."""
    email = form.email.data or ""
    try:
        parse_address(email)
    except RuleError as error:
        form.refuse(error, "email")
        return False
    if form.website.data:
        log.info("a sign-up form's trap was filled in")
        return True
    if not is_human_pace(form.stamp.data, time.time()):
        form.refuse(RuleError(N_("That was very quick. Please press the button once more.")))
        return False
    try:
        sign_up(
            get_session(),
            email=email,
            list_ids=[each for each in form.lists.data or () if each in form.offered],
            locale=current_locale(),
            name=form.name.data or "",
            **evidence(sign_up_wording()),
        )
    except RuleError as error:
        form.refuse(error, "lists")
        return False
    commit()
    return True


@blueprint.get("/subscribe/sent")
def look_in_your_mailbox() -> ResponseReturnValue:
    """The same page whatever the address is to us."""
    email = session.get("signed_up")
    if email is None:
        return redirect(url_for("portal.index"))
    return render_template("portal/look_in_your_mailbox.html", email=email, days=CONFIRM_DAYS)
