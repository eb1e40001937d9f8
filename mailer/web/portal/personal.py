"""Everything we hold about a reader, for them to read, take along, or have erased (PIPL articles 45 and 47, GDPR
articles 15, 17 and 20). The link was sent for this, to their address, a short while ago.
"""

import json

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer import accounts, links
from mailer.accounts.auditing import READER, acting_as
from mailer.addresses import readable
from mailer.audience.models import Subscriber
from mailer.audience.subscriptions import find_subscriber
from mailer.errors import LinkError
from mailer.i18n import N_
from mailer.privacy.copying import copy_of
from mailer.privacy.erasing import erase
from mailer.web.database import commit, get_session
from mailer.web.locale import gettext
from mailer.web.portal import blueprint
from mailer.web.portal.personal_words import SECTIONS, words_of
from mailer.web.portal.requests import erase_wording


def _reader(token: str) -> Subscriber:
    subscriber = find_subscriber(get_session(), links.read_personal_token(token))
    if subscriber is None:
        raise LinkError(N_("This link has expired."))
    return subscriber


@blueprint.get("/personal/<token>")
def personal(token: str) -> ResponseReturnValue:
    """The copy, to be read."""
    try:
        subscriber = _reader(token)
    except LinkError:
        return render_template("portal/personal_over.html"), 410
    return render_template(
        "portal/personal.html",
        token=token,
        email=readable(subscriber.email),
        held=copy_of(get_session(), subscriber.id),
        sections=SECTIONS,
        words_of=words_of,
    )


@blueprint.get("/personal/<token>/copy.json")
def personal_copy(token: str) -> ResponseReturnValue:
    """The copy, for another program; that it was taken is in the trail."""
    session = get_session()
    subscriber = _reader(token)
    held = copy_of(session, subscriber.id)
    with acting_as(READER):
        accounts.record(
            session, by=None, action="subscriber.copied", subject_type="subscriber", subject_id=subscriber.id
        )
    commit()
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"'}
    return Response(json.dumps(held, ensure_ascii=False, indent=2), mimetype="application/json", headers=headers)


@blueprint.route("/personal/<token>/erase", methods=["GET", "POST"])
def personal_erase(token: str) -> ResponseReturnValue:
    """GET asks, POST with the box ticked erases for good."""
    try:
        subscriber = _reader(token)
    except LinkError:
        return render_template("portal/personal_over.html"), 410
    is_unsure = request.method == "POST" and request.form.get("sure") != "yes"
    if request.method != "POST" or is_unsure:
        error = gettext(N_("Please tick the box if you are sure.")) if is_unsure else None
        page = render_template(
            "portal/erase.html", token=token, email=readable(subscriber.email), error=error, wording=erase_wording()
        )
        return page, 422 if is_unsure else 200
    with acting_as(READER):
        erase(get_session(), subscriber.id, None, wording=erase_wording())
    commit()
    return redirect(url_for("portal.erased"), code=303)


@blueprint.get("/erased")
def erased() -> str:
    """The end; it names nobody."""
    return render_template("portal/erased.html")
