"""Verdicts given again: a burst of clicks makes machines of its first ones too, and rules get better with time."""

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailer.dispatch.models import Delivery
from mailer.feedback.models import Click
from mailer.feedback.rules import BURST_LINKS, BURST_WINDOW, Fetch, Judgement, Verdict, judge


def rescore_clicks(session: Session, delivery_id: int) -> int:
    """Judges all clicks of one delivery by what is known now; returns how many verdicts changed."""
    accepted_at = session.scalar(select(Delivery.settled_at).where(Delivery.id == delivery_id))
    clicks = session.scalars(select(Click).where(Click.delivery_id == delivery_id).order_by(Click.at)).all()
    in_burst = _bursts((click.id, click.at, click.link_ordinal) for click in clicks)
    changed = 0
    for click in clicks:
        if click.verdict_reason == "method":
            continue  # a HEAD stays what it was: the method itself is not kept
        links = BURST_LINKS if click.id in in_burst else 1
        judgement = judge(Fetch(click.at, "GET", click.user_agent, accepted_at, links))
        changed += _give(session, click, judgement)
    return changed


def _give(session: Session, click: Click, judgement: Judgement) -> int:
    if (click.verdict, click.verdict_reason) == (judgement.verdict, judgement.reason):
        return 0
    session.execute(
        update(Click)
        .where(Click.id == click.id)
        .values(verdict=Verdict(judgement.verdict), verdict_reason=judgement.reason)
    )
    return 1


def _bursts(clicks: Iterable[tuple[int, dt.datetime, int]]) -> set[int]:
    """Ids of the clicks that lie in a window with `BURST_LINKS` distinct links; `clicks` come in order of time."""
    window: list[tuple[int, dt.datetime, int]] = []
    found: set[int] = set()
    for click in clicks:
        window = [earlier for earlier in window if click[1] - earlier[1] <= BURST_WINDOW]
        window.append(click)
        if len({ordinal for _, _, ordinal in window}) >= BURST_LINKS:
            found.update(identity for identity, _, _ in window)
    return found
