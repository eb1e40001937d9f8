"""Facts about one reader of one newsletter: when a person last opened and last clicked. Feedback writes them."""

import datetime as dt

from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from mailer.audience.models import Engagement, Subscriber


def note_open(session: Session, subscriber_id: int, newsletter_id: int, at: dt.datetime) -> None:
    """A person opened an issue. Events that arrive out of order leave the latest time."""
    _note(session, Engagement.last_open_at, subscriber_id, newsletter_id, at)


def note_click(session: Session, subscriber_id: int, newsletter_id: int, at: dt.datetime) -> None:
    """A person followed a link. Events that arrive out of order leave the latest time."""
    _note(session, Engagement.last_click_at, subscriber_id, newsletter_id, at)


def _note(
    session: Session,
    column: InstrumentedAttribute[dt.datetime | None],
    subscriber_id: int,
    newsletter_id: int,
    at: dt.datetime,
) -> None:
    # Old mail is opened after its reader was erased, too: nothing is noted of such a person.
    reader = select(Subscriber.id, literal(newsletter_id), literal(at, type_=column.type)).where(
        Subscriber.id == subscriber_id, Subscriber.erased_at.is_(None)
    )
    fact = insert(Engagement).from_select(["subscriber_id", "newsletter_id", column.key], reader)
    # PostgreSQL's GREATEST ignores nulls.
    latest = func.greatest(column, fact.excluded[column.key])
    session.execute(
        fact.on_conflict_do_update(
            index_elements=[Engagement.subscriber_id, Engagement.newsletter_id], set_={column.key: latest}
        )
    )
