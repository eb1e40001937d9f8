"""Opens and clicks become rows, with a verdict, under the newsletter's own rule on tracking."""

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mailer.audience import engagement
from mailer.dispatch.models import Delivery, Mailing
from mailer.feedback.events import USER_AGENT_LIMIT, Event
from mailer.feedback.models import Click, Open
from mailer.feedback.rescoring import rescore_clicks
from mailer.feedback.rules import BURST_WINDOW, Fetch, Judgement, Verdict, judge
from mailer.newsletters.models import Newsletter
from mailer.newsletters.rules import Tracking
from mailer.newsroom.edition_models import EditionLink


def record(session: Session, event: Event) -> bool:
    """Keeps `event`; returns whether it was new and may be kept.

    An unknown delivery, a link that is not of the delivery's edition, and a newsletter that does not track leave
    nothing behind, quietly: whoever fetched has been answered already.
    """
    found = session.execute(
        select(Delivery, Mailing, Newsletter.tracking)
        .join(Mailing, Mailing.id == Delivery.mailing_id)
        .join(Newsletter, Newsletter.id == Mailing.newsletter_id)
        .where(Delivery.id == event.delivery_id)
    ).one_or_none()
    if found is None:
        return False
    delivery, mailing, tracking = found
    if tracking == Tracking.OFF or not _is_of_edition(session, event, mailing):
        return False
    judgement = _judge(session, event, delivery)
    if not _insert(session, event, delivery, judgement, is_counted_only=tracking == Tracking.COUNTS):
        return False
    if judgement.reason == "burst":
        rescore_clicks(session, delivery.id)
    if judgement.verdict == Verdict.HUMAN and tracking == Tracking.FULL:
        note = engagement.note_open if event.link is None else engagement.note_click
        note(session, delivery.subscriber_id, mailing.newsletter_id, event.at)
    return True


def _is_of_edition(session: Session, event: Event, mailing: Mailing) -> bool:
    if event.link is None:
        return True
    edition_id, ordinal = event.link
    return edition_id == mailing.edition_id and session.get(EditionLink, (edition_id, ordinal)) is not None


def _judge(session: Session, event: Event, delivery: Delivery) -> Judgement:
    return judge(
        Fetch(
            at=event.at,
            method=event.method,
            user_agent=event.user_agent,
            accepted_at=delivery.settled_at,
            links_at_once=_links_at_once(session, event),
        )
    )


def _links_at_once(session: Session, event: Event) -> int:
    if event.link is None:
        return 1
    others = session.scalar(
        select(func.count(func.distinct(Click.link_ordinal))).where(
            Click.delivery_id == event.delivery_id,
            Click.at.between(event.at - BURST_WINDOW, event.at),
            Click.link_ordinal != event.link[1],
        )
    )
    return 1 + (others or 0)


def _insert(session: Session, event: Event, delivery: Delivery, judgement: Judgement, *, is_counted_only: bool) -> bool:
    values = {
        "event_key": event.event_key,
        "at": event.at,
        "mailing_id": delivery.mailing_id,
        "delivery_id": None if is_counted_only else delivery.id,
        "user_agent": "" if is_counted_only else event.user_agent[:USER_AGENT_LIMIT],
        "ip": None if is_counted_only else event.ip,
        "verdict": judgement.verdict,
        "verdict_reason": judgement.reason,
    }
    table: type[Open | Click] = Open
    if event.link is not None:
        table = Click
        values |= {"edition_id": event.link[0], "link_ordinal": event.link[1]}
    new = session.scalar(
        insert(table).values(values).on_conflict_do_nothing(index_elements=["event_key"]).returning(table.id)
    )
    return new is not None
