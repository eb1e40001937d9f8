"""Under which addresses we hold something about one reader, and who had an address before its reader of today."""

from collections.abc import Collection, Sequence

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from mailer.audience.models import AddressChange, Subscriber, Subscription
from mailer.audience.rules import SubscriptionState
from mailer.audience.subscriptions import find_subscriber


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


def is_received_elsewhere(session: Session, subscriber: Subscriber, list_ids: Collection[int]) -> bool:
    """Whether somebody who moved away from the address of `subscriber` receives one of these lists where they are now.

    Perhaps the same person, perhaps the address's former owner: who reads the mailbox knows.
    """
    movers = session.scalars(
        select(AddressChange.subscriber_id).where(
            AddressChange.old_key == subscriber.email_key, AddressChange.done_at.is_not(None)
        )
    )
    now_called = {found.id for each in set(movers) if (found := find_subscriber(session, each)) is not None}
    receives = select(
        exists().where(
            Subscription.subscriber_id.in_(now_called - {subscriber.id}),
            Subscription.list_id.in_(list_ids),
            Subscription.state == SubscriptionState.CONFIRMED,
        )
    )
    return bool(session.scalar(receives))
