"""Under which addresses we hold something about one reader."""

from collections.abc import Sequence

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from mailer.audience.models import AddressChange, Subscriber


def list_keys(session: Session, email_key: str, ids: Sequence[int]) -> list[str]:
    """The present address first (`email_key`), then those that the reader (rows `ids`) has had before. One that is
    somebody else's by now is theirs alone.
    """
    former = session.scalars(
        select(AddressChange.old_key)
        .where(
            AddressChange.subscriber_id.in_(ids),
            AddressChange.done_at.is_not(None),
            AddressChange.old_key != email_key,
            ~exists().where(Subscriber.email_key == AddressChange.old_key),
        )
        .distinct()
        .order_by(AddressChange.old_key)
    )
    return [email_key, *former]
