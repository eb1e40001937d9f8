"""Unsubscribing as RFC 8058 wants it, the page behind the same address, leaving everything, and the undo.

A POST leaves at once: no cookie, no login, no script, any body, any User-Agent, twice as well as once, always 200 and
never a redirect. A GET shows one button and changes nothing.
"""

from collections.abc import Sequence

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from mailer import links
from mailer.audience import leaving
from mailer.audience.rules import WhyLeft
from mailer.audience.subscriptions import find_subscriber
from mailer.newsletters.models import List
from mailer.web.database import commit, get_session
from mailer.web.forms import strip
from mailer.web.portal import blueprint
from mailer.web.portal.forms import WHY_LEFT
from mailer.web.portal.requests import evidence, leave_everything_wording, leave_wording, undo_wording


@blueprint.route("/u/<token>", methods=["GET", "POST"])
def leave(token: str) -> ResponseReturnValue:
    """The address in List-Unsubscribe and at the foot of every mail."""
    target = links.read_unsubscribe_token(token)
    if request.method == "POST":
        # The body is not read: RFC 8058 wants `List-Unsubscribe=One-Click` there, and some send nothing at all.
        leaving.unsubscribe(get_session(), target, **evidence(_wording(target)))
        commit()
        return _left(token, target)
    session = get_session()
    return render_template(
        "portal/leave.html",
        token=token,
        lists=_lists(session, target.list_ids),
        wording=leave_wording(),
        preferences_token=_preferences(target),
    )


def _wording(target: links.UnsubscribeTarget) -> str:
    """What the reader saw: our button, or their mail program's, of which we know the delivery it stood beside."""
    return f"{leave_wording()} (delivery {target.delivery_id})" if target.delivery_id else leave_wording()


@blueprint.post("/u/<token>/everything")
def leave_everything(token: str) -> ResponseReturnValue:
    """Every list of every newsletter."""
    target = links.read_unsubscribe_token(token)
    leaving.leave_all(get_session(), target.subscriber_id, **evidence(leave_everything_wording()))
    commit()
    _note_reason(target)
    return _left(token, target)


@blueprint.post("/u/<token>/reason")
def leave_reason(token: str) -> ResponseReturnValue:
    """Why, for who cares to say; the departure stands without."""
    target = links.read_unsubscribe_token(token)
    is_noted = _note_reason(target)
    return _left(token, target, is_noted=is_noted)


def _note_reason(target: links.UnsubscribeTarget) -> bool:
    """Whether a reason came with the form. One that cannot be is no reason to refuse a departure."""
    reason = request.form.get("reason", "")
    note = strip(request.form.get("note", "")) or ""
    if reason not in WHY_LEFT:
        if not note:
            return False
        # Words without a choice are worth no less.
        reason = WhyLeft.OTHER
    left = target.list_ids or leaving.find_undoable(get_session(), target.subscriber_id)
    leaving.say_why(get_session(), target.subscriber_id, left, reason, note[: leaving.NOTE_LENGTH])
    commit()
    return True


@blueprint.post("/u/<token>/undo")
def undo(token: str) -> ResponseReturnValue:
    """Right after leaving: as if nothing had happened."""
    target = links.read_unsubscribe_token(token)
    list_ids = leaving.resubscribe(get_session(), target.subscriber_id, **evidence(undo_wording()))
    commit()
    return render_template(
        "portal/undone.html", lists=_lists(get_session(), list_ids), preferences_token=_preferences(target)
    )


def _left(token: str, target: links.UnsubscribeTarget, *, is_noted: bool = False) -> ResponseReturnValue:
    session = get_session()
    return render_template(
        "portal/left.html",
        token=token,
        lists=_lists(session, leaving.find_undoable(session, target.subscriber_id)),
        is_noted=is_noted,
        why_left=WHY_LEFT,
        note_length=leaving.NOTE_LENGTH,
        has_more=bool(leaving.list_remaining(session, target.subscriber_id)),
        undo_wording=undo_wording(),
        everything_wording=leave_everything_wording(),
        preferences_token=_preferences(target),
    )


def _preferences(target: links.UnsubscribeTarget) -> str | None:
    """Nothing for a reader who is unknown or was erased: their preferences are gone."""
    subscriber = find_subscriber(get_session(), target.subscriber_id)
    return links.make_preferences_token(subscriber.id) if subscriber is not None else None


def _lists(session: Session, list_ids: Sequence[int]) -> Sequence[List]:
    return session.scalars(
        select(List).options(joinedload(List.newsletter)).where(List.id.in_(list_ids)).order_by(List.id)
    ).all()
