"""A reader's new address takes effect: theirs alone, or that of somebody we know, who is then the same person.

The rules where the new address is known:

* its reader goes on, with everything they have; the other's row stays behind as a sign to it (`merged_into_id`), so
  that the links in old mail work on and what was sent stays counted;
* a list that either received is received; one that either left, and neither receives, stays left;
* what forbids sending to the person (a complaint, an admin's decision, a departure from everything) comes along; what
  was wrong with the old mailbox does not; what forbids sending to the new address holds.
"""

from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mailer.audience.changes import note_change, snapshot
from mailer.audience.models import AddressChange, Subscriber, Subscription
from mailer.audience.rules import Act, ChangeHow, SubscriptionState, SuppressionReason
from mailer.audience.subscriptions import Evidence, apply
from mailer.audience.suppressing import find_all_suppressions, suppress, take_back_departure

# Reserved for names that can never exist (RFC 2606); nobody is written to there.
NOBODY = "merged.invalid"
# Said of the person, not of the mailbox: a new address does not end it.
_OF_THE_PERSON = (SuppressionReason.COMPLAINT, SuppressionReason.MANUAL, SuppressionReason.UNSUBSCRIBED_ALL)


def move_address(session: Session, subscriber: Subscriber, change: AddressChange, evidence: Evidence) -> Subscriber:
    """Mail to `subscriber`, locked by the caller, goes to the change's address from now on. Gives back who the reader
    is now: the same one, or the one who had that address.
    """
    _take_suppressions_along(session, subscriber.email_key, change.email_key)
    existing = session.scalar(
        select(Subscriber)
        .where(Subscriber.email_key == change.email_key, Subscriber.id != subscriber.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if existing is None:
        subscriber.email, subscriber.email_key = change.email, change.email_key
        subscriber.domain = change.domain
        session.flush()
        return subscriber
    _merge(session, subscriber, existing, evidence)
    return existing


def _take_suppressions_along(session: Session, old_key: str, new_key: str) -> None:
    if old_key == new_key:  # Only the spelling changes.
        return
    for each in find_all_suppressions(session, old_key):
        if each.reason in _OF_THE_PERSON:
            suppress(
                session,
                email_key=new_key,
                reason=SuppressionReason(each.reason),
                newsletter_id=each.newsletter_id,
                note=each.note,
                expires_at=each.expires_at,
            )


def _merge(session: Session, old: Subscriber, existing: Subscriber, evidence: Evidence) -> None:
    rows = session.execute(
        select(Subscription.list_id, Subscription.state).where(Subscription.subscriber_id == old.id)
    ).all()
    states = {row.list_id: row.state for row in rows}
    received = [list_id for list_id, state in states.items() if state == SubscriptionState.CONFIRMED]
    changes = apply(session, existing, received, Act.CHOOSE, evidence, source="address")
    if any(change.is_real for change in changes):
        take_back_departure(session, existing.email_key)
    _keep_departures(session, old.id, existing.id)
    # The old row receives nothing any more; who looks for it finds the other.
    apply(session, old, list(states), Act.LEAVE, evidence, source="address")
    before = snapshot(existing)
    existing.name = existing.name or old.name
    existing.attributes = old.attributes | existing.attributes
    existing.paused_until = old.paused_until or existing.paused_until
    note_change(session, existing, before, ChangeHow.MERGED)
    nobody = f"{old.id}@{NOBODY}"
    old.email, old.email_key, old.domain = nobody, nobody, NOBODY
    old.name, old.attributes, old.paused_until = "", {}, None
    old.merged_into_id = existing.id
    session.flush()


def _keep_departures(session: Session, old_id: int, existing_id: int) -> None:
    """Lists the old address had left, and the other never had: an import must not put the reader there."""
    left = select(
        literal(existing_id), Subscription.list_id, literal(SubscriptionState.UNSUBSCRIBED.value), literal("address"),
        func.coalesce(Subscription.unsubscribed_at, func.now()),
    ).where(
        Subscription.subscriber_id == old_id,
        (Subscription.state == SubscriptionState.UNSUBSCRIBED) | Subscription.unsubscribed_at.is_not(None),
    )  # fmt: skip
    columns = ["subscriber_id", "list_id", "state", "source", "unsubscribed_at"]
    session.execute(insert(Subscription).from_select(columns, left).on_conflict_do_nothing())
