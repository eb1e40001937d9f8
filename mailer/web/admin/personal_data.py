"""What a reader may ask of us: a copy of everything we hold about them, and that it be erased."""

import json

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from mailer import accounts
from mailer.addresses import readable
from mailer.audience.searching import get_subscriber
from mailer.i18n import N_
from mailer.privacy.copying import copy_of
from mailer.privacy.erasing import erase
from mailer.web.admin import blueprint
from mailer.web.admin.acting import actor, done, place
from mailer.web.admin.asking import ask
from mailer.web.database import commit, get_session
from mailer.web.locale import gettext


@blueprint.get("/subscribers/<int:subscriber_id>/copy.json")
def subscriber_copy(subscriber_id: int) -> ResponseReturnValue:
    """Everything we hold, to hand over (PIPL article 45, GDPR article 15); who took it is in the trail."""
    session = get_session()
    held = copy_of(session, subscriber_id)
    accounts.record(
        session,
        by=actor(),
        action="subscriber.copied",
        subject_type="subscriber",
        subject_id=subscriber_id,
        ip=place(),
    )
    commit()
    headers = {"Content-Disposition": f'attachment; filename="subscriber-{subscriber_id}.json"'}
    return Response(json.dumps(held, ensure_ascii=False, indent=2), mimetype="application/json", headers=headers)


@blueprint.route("/subscribers/<int:subscriber_id>/erase", methods=["GET", "POST"])
def subscriber_erase(subscriber_id: int) -> ResponseReturnValue:
    """Asks, then erases for good (PIPL article 47, GDPR article 17)."""
    session = get_session()
    shown = get_subscriber(session, subscriber_id)
    if request.method != "POST":
        return ask(
            gettext(N_("Erase %(email)s for good?"), email=readable(shown.email)),
            consequence=gettext(
                N_(
                    "Address, name and everything that points to this person are removed, and no import can bring them "
                    "back. Counts stay right. This cannot be undone."
                )
            ),
            yes=gettext(N_("Erase for good")),
            back=url_for("admin.subscriber", subscriber_id=subscriber_id),
        )
    erase(session, subscriber_id, actor(), ip=place(), wording=gettext(N_("Erase for good")))
    done(N_("The reader is erased."))
    return redirect(url_for("admin.subscribers"))
