"""The proof of a reader's consent, made to be printed."""

from flask import render_template
from flask.typing import ResponseReturnValue

from mailer.audience.proving import list_proofs
from mailer.audience.searching import get_subscriber
from mailer.db import now
from mailer.web.admin import blueprint
from mailer.web.admin.words import BASES
from mailer.web.database import get_session


@blueprint.get("/subscribers/<int:subscriber_id>/consent")
def subscriber_consent(subscriber_id: int) -> ResponseReturnValue:
    """One page: what was shown, when, from where, what they answered; or who decided, and by what right."""
    session = get_session()
    shown = get_subscriber(session, subscriber_id)
    return render_template(
        "admin/consent.html",
        shown=shown,
        proofs=list_proofs(session, subscriber_id),
        bases=BASES,
        printed_at=now(session),
    )
