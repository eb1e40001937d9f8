"""The plain HTML form on another site's page: it posts here, and this answers with a page of ours."""

import logging
from collections.abc import Sequence

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden

from mailer import newsletters
from mailer.addresses import parse_address, readable
from mailer.audience import entrance
from mailer.audience.correspondence import CONFIRM_DAYS
from mailer.audience.rules import Verdict
from mailer.audience.typos import suggest
from mailer.audience.wordings import find_wording
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsletters.models import List, Newsletter
from mailer.web.api import blueprint
from mailer.web.api.origins import find_open_newsletter
from mailer.web.database import commit, get_session
from mailer.web.even_times import on_the_beat
from mailer.web.failures import say
from mailer.web.forms import strip
from mailer.web.limits import limiter
from mailer.web.locale import current_locale, gettext
from mailer.web.questions import sent_answers
from mailer.web.sign_ups import REFUSALS, latest_issue, sender, sign_up_wording

log = logging.getLogger(__name__)


@blueprint.post("/newsletters/<slug>/form")
@limiter.limit("10 per minute; 60 per hour")
@on_the_beat
def form(slug: str) -> ResponseReturnValue:
    """Let in, or told why not, with the way to the whole form: that one can ask for a proof of work, a form that was
    copied long ago cannot.
    """
    try:
        found = find_open_newsletter(slug)
    except Forbidden:
        closed = newsletters.get_newsletter_by_slug(get_session(), slug)
        return _refuse(closed, gettext(N_("This newsletter takes no sign-ups from that site. Use its own form.")), 403)
    try:
        knock = _read(found)
        verdict = entrance.enter(get_session(), knock, latest_issue)
    except RuleError as error:
        get_session().rollback()
        return _refuse(found, say(error), 422)
    if verdict is not Verdict.LET_IN:
        get_session().rollback()
        return _refuse(found, gettext(REFUSALS[verdict]), 429)
    commit()
    address = parse_address(knock.email)
    return render_template(
        "portal/look_in_your_mailbox.html",
        newsletter=found,
        email=readable(address.email),
        suggested=suggest(address),
        again=url_for("portal.subscribe_to", slug=found.slug, list=list(knock.list_ids)),
        days=CONFIRM_DAYS,
    )


def _read(found: Newsletter) -> entrance.Knock:
    if not request.form.get("agree"):
        raise RuleError(N_("Please tick this box if you agree; without it we may not write to you."))
    wanted = set(request.form.getlist("list"))
    lists = newsletters.list_lists(get_session(), newsletter_id=found.id, is_public=True)
    return entrance.Knock(
        email=request.form.get("email", ""),
        list_ids=[each.id for each in lists if each.slug in wanted],
        locale=current_locale(),
        wording=_wording(lists),
        name=strip(request.form.get("name", "")) or "",
        trap=request.form.get("website", ""),
        answers=sent_answers(),
        **sender(),
    )


def _wording(lists: Sequence[List]) -> str:
    """What the copied form says beside its box; a form that does not name it shows what ours shows."""
    wording_id = request.form.get("wording", type=int)
    wording = find_wording(get_session(), "sign_up", wording_id) if wording_id and 0 < wording_id < 2**63 else None
    if wording is None:
        log.info("a form on another site names no sentence of ours")
        return sign_up_wording(lists)
    return wording.text


def _refuse(found: Newsletter, message: str, status: int) -> ResponseReturnValue:
    return render_template("api/refused.html", newsletter=found, message=message), status
