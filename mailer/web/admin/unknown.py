"""Deliveries of which nobody knows whether they arrived: a person decides, once for each or for a whole mailing.

Sending again risks a second copy, leaving them risks none at all; the page says so, because no machine can know.
"""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer.dispatch.launching import get_mailing
from mailer.dispatch.models import Delivery
from mailer.dispatch.settling import keep, list_unknown, send_again
from mailer.errors import NotFoundError, RuleError
from mailer.i18n import N_
from mailer.reports.attention import get_attention
from mailer.web.admin import blueprint
from mailer.web.admin.acting import actor, done
from mailer.web.admin.asking import ask
from mailer.web.database import get_session
from mailer.web.failures import say
from mailer.web.locale import gettext, ngettext

ACTS = {"send-again": send_again, "keep": keep}
SHOWN = 200
# One transaction's worth; the page says when some are left.
AT_ONCE = 1000


@blueprint.get("/unknown")
def unknown() -> ResponseReturnValue:
    """Every mailing that has some, and the oldest of them one by one."""
    session = get_session()
    mailing_id = request.args.get("mailing", type=int)
    return render_template(
        "admin/unknown.html",
        mailings=get_attention(session).unknown,
        mailing_id=mailing_id,
        deliveries=list_unknown(session, mailing_id=mailing_id, limit=SHOWN),
        shown_at_most=SHOWN,
    )


@blueprint.post("/unknown/deliveries/<int:delivery_id>/<any('send-again', keep):act>")
def unknown_settle(delivery_id: int, act: str) -> ResponseReturnValue:
    """One of them. Whoever comes second is told that it is decided."""
    session = get_session()
    delivery = session.get(Delivery, delivery_id)
    if delivery is None:
        raise NotFoundError(N_("There is no such delivery."))
    try:
        ACTS[act](session, delivery, actor())
    except RuleError as error:
        session.rollback()
        flash(say(error), "error")
    else:
        done(N_("It will be sent again.") if act == "send-again" else N_("It is left as it is."))
    return redirect(url_for("admin.unknown", mailing=request.args.get("mailing", type=int)))


@blueprint.route("/unknown/mailings/<int:mailing_id>/<any('send-again', keep):act>", methods=["GET", "POST"])
def unknown_settle_all(mailing_id: int, act: str) -> ResponseReturnValue:
    """All of one mailing: asks, then does; audited one by one."""
    session = get_session()
    mailing = get_mailing(session, mailing_id)
    waiting = list_unknown(session, mailing_id=mailing.id, limit=AT_ONCE)
    if not waiting:
        flash(gettext(N_("Nothing waits for a decision in this mailing any more.")), "info")
        return redirect(url_for("admin.unknown"))
    if request.method != "POST":
        return _ask(mailing_id, act, len(waiting))
    for delivery in waiting:
        ACTS[act](session, delivery, actor())
    done(N_("They will be sent again.") if act == "send-again" else N_("They are left as they are."))
    return redirect(url_for("admin.unknown"))


def _ask(mailing_id: int, act: str, count: int) -> ResponseReturnValue:
    if act == "send-again":
        title = ngettext("Send %(num)s delivery again?", "Send %(num)s deliveries again?", count)
        consequence = gettext(N_("Some of these readers may have received the issue already; they get it twice."))
        yes = gettext(N_("Send again"))
    else:
        title = ngettext("Leave %(num)s delivery as it is?", "Leave %(num)s deliveries as they are?", count)
        consequence = gettext(
            N_("Some of these readers may never receive the issue. Nobody is asked about them again.")
        )
        yes = gettext(N_("Leave them"))
    return ask(
        title,
        consequence=consequence,
        yes=yes,
        back=url_for("admin.unknown", mailing=mailing_id),
        is_dangerous=act == "send-again",
    )
