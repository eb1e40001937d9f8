"""A change of address, agreed to by both mailboxes.

The preferences link is mailed with every issue and passed on with it, so it proves little; and anybody's address can be
typed into the form. So a letter goes to either address, and nothing changes before the button in both was pressed.
What is known of the new address is never told: it is judged when both have agreed (`mailer.audience.merging`).
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from mailer import links
from mailer.addresses import parse_address
from mailer.audience import correspondence
from mailer.audience.merging import move_address
from mailer.audience.models import AddressChange, Subscriber
from mailer.audience.subscriptions import Evidence, find_subscriber, lock_subscriber
from mailer.db import now
from mailer.errors import LinkError, RuleError
from mailer.i18n import N_

# As long as a sign-up's letter, for the same reason: people read mail late.
CHANGE_DAYS = 7
# Each writes to an address that somebody typed.
CHANGES_A_DAY = 3


@dataclass(frozen=True, slots=True)
class Move:
    """A change of address as its page shows it, to the mailbox `is_new` says."""

    change: AddressChange
    subscriber: Subscriber
    is_new: bool

    @property
    def is_agreed_here(self) -> bool:
        """Whether this mailbox has said yes."""
        return (self.change.new_confirmed_at if self.is_new else self.change.old_confirmed_at) is not None

    @property
    def is_done(self) -> bool:
        """Whether mail goes to the new address now."""
        return self.change.done_at is not None


def ask_to_move(session: Session, token: str, email: str) -> AddressChange:
    """Writes to both addresses; a change that still waited is withdrawn. Raises `LinkError`, and `RuleError` for an
    impossible address, for the present one, and when the day's changes are used up.
    """
    subscriber = lock_subscriber(session, links.read_preferences_token(token))
    if subscriber is None:
        raise LinkError(N_("This link is not valid."))
    address = parse_address(email)
    if address.email == subscriber.email:
        raise RuleError(N_("This is your address already."))
    a_day_ago = func.now() - dt.timedelta(days=1)
    mine = AddressChange.subscriber_id == subscriber.id
    asked = session.scalar(select(func.count()).where(mine, AddressChange.created_at > a_day_ago))
    if (asked or 0) >= CHANGES_A_DAY:
        raise RuleError(N_("You have asked for this several times today. Please try again tomorrow."))
    _withdraw(session, subscriber.id)
    change = AddressChange(
        subscriber_id=subscriber.id,
        old_key=subscriber.email_key,
        email=address.email,
        email_key=address.key,
        domain=address.domain,
        expires_at=now(session) + dt.timedelta(days=CHANGE_DAYS),
    )
    session.add(change)
    session.flush()
    for is_new in (False, True):
        token = links.make_address_token(change.id, is_new=is_new, days=CHANGE_DAYS)
        correspondence.ask_about_address(session, subscriber, change, links.address_url(token), is_new=is_new)
    return change


def _withdraw(session: Session, subscriber_id: int) -> None:
    session.execute(
        update(AddressChange)
        .where(
            AddressChange.subscriber_id == subscriber_id,
            AddressChange.done_at.is_(None),
            AddressChange.cancelled_at.is_(None),
        )
        .values(cancelled_at=func.clock_timestamp())
    )


def find_waiting(session: Session, subscriber: Subscriber) -> AddressChange | None:
    """The change this reader has asked for that is neither done nor over."""
    return session.scalar(
        select(AddressChange)
        .where(
            AddressChange.subscriber_id == subscriber.id,
            AddressChange.old_key == subscriber.email_key,
            AddressChange.done_at.is_(None),
            AddressChange.cancelled_at.is_(None),
            AddressChange.expires_at > func.now(),
        )
        .order_by(AddressChange.id.desc())
        .limit(1)
    )


def find_move(session: Session, token: str) -> Move:
    """What the link in a letter is about; changes nothing. Raises `LinkError`, also when the change is over."""
    change_id, is_new = links.read_address_token(token)
    change = session.get(AddressChange, change_id, populate_existing=True)
    subscriber = find_subscriber(session, change.subscriber_id) if change is not None else None
    if change is None or subscriber is None or change.cancelled_at is not None:
        raise LinkError(N_("This link has expired."))
    if change.done_at is None and change.old_key != subscriber.email_key:
        raise LinkError(N_("This link has expired."))
    return Move(change, subscriber, is_new)


def agree_to_move(
    session: Session, token: str, *, wording: str = "", ip: str | None = None, user_agent: str = ""
) -> Move:
    """The button in one of the two letters was pressed; the second one moves the reader. Twice is once.

    Raises `LinkError`.
    """
    move = find_move(session, token)
    # In the order everybody locks: the reader, then what is theirs.
    subscriber = lock_subscriber(session, move.change.subscriber_id)
    change = session.get(AddressChange, move.change.id, with_for_update=True, populate_existing=True)
    if subscriber is None or change is None or change.cancelled_at is not None:
        raise LinkError(N_("This link has expired."))
    if change.done_at is None:
        if move.is_new:
            change.new_confirmed_at = change.new_confirmed_at or now(session)
        else:
            change.old_confirmed_at = change.old_confirmed_at or now(session)
        if change.old_confirmed_at and change.new_confirmed_at:
            subscriber = move_address(session, subscriber, change, Evidence(wording, ip, user_agent))
            change.done_at = now(session)
        session.flush()
    return Move(change, subscriber, move.is_new)


def refuse_move(session: Session, token: str) -> None:
    """Either mailbox says no: the change is over, whatever the other said. Raises `LinkError` when it is done."""
    move = find_move(session, token)
    change = session.get(AddressChange, move.change.id, with_for_update=True, populate_existing=True)
    if change is None or change.done_at is not None:
        raise LinkError(N_("This link has expired."))
    change.cancelled_at = change.cancelled_at or now(session)
    session.flush()


def cancel_move(session: Session, token: str) -> None:
    """On the preferences page: the change that waits is withdrawn. Raises `LinkError`."""
    subscriber = lock_subscriber(session, links.read_preferences_token(token))
    if subscriber is None:
        raise LinkError(N_("This link is not valid."))
    _withdraw(session, subscriber.id)
