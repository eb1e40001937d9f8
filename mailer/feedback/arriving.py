"""Who arrives at our own pages by a link of their mail."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.dispatch.models import Delivery, Mailing


def find_arrival(session: Session, *, delivery_id: int, newsletter_id: int) -> int | None:
    """The id of the subscriber whose delivery this is, or `None` where it is none of this newsletter's."""
    return session.scalar(
        select(Delivery.subscriber_id)
        .join(Mailing, Mailing.id == Delivery.mailing_id)
        .where(Delivery.id == delivery_id, Mailing.newsletter_id == newsletter_id)
    )
