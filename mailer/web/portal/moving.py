"""Behind the two letters of a change of address: a page with two buttons, and what comes of pressing one."""

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer import links
from mailer.addresses import readable
from mailer.audience import moving as room
from mailer.audience.moving import Move
from mailer.errors import LinkError
from mailer.web.database import commit, get_session
from mailer.web.portal import blueprint
from mailer.web.portal.requests import evidence, move_wording


@blueprint.route("/address/<token>", methods=["GET", "POST"])
def address(token: str) -> ResponseReturnValue:
    """GET shows the button and changes nothing; POST agrees, and twice is once."""
    session = get_session()
    try:
        if request.method == "POST":
            move = room.agree_to_move(session, token, **evidence(move_wording()))
            commit()
        else:
            move = room.find_move(session, token)
    except LinkError:
        return render_template("portal/address_over.html"), 410
    return _page(token, move)


@blueprint.post("/address/<token>/refuse")
def refuse_address(token: str) -> ResponseReturnValue:
    """Either mailbox's no."""
    try:
        room.refuse_move(get_session(), token)
    except LinkError:
        return render_template("portal/address_over.html"), 410
    commit()
    return render_template("portal/address_refused.html")


def _page(token: str, move: Move) -> ResponseReturnValue:
    # The new mailbox is told its own address only: whose mail it would get is known to whoever asked for it.
    preferences_url = (
        url_for("portal.preferences", token=links.make_preferences_token(move.subscriber.id)) if move.is_done else None
    )
    return render_template(
        "portal/address.html",
        token=token,
        move=move,
        email=readable(move.change.email),
        wording=move_wording(),
        preferences_url=preferences_url,
    )
