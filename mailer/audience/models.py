"""Tables of the people who read: who they are, what they asked for, and what we may not send them."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mailer.audience.rules import (
    ChangeHow,
    ConsentAct,
    SubscriptionState,
    SuppressionReason,
    WhyLeft,
)
from mailer.db import Base, HasCreatedAt, HasId


class Subscriber(HasId, HasCreatedAt, Base):
    """A person with an address. `email` is sent to as typed; `email_key` (case-folded, A-labels) is compared."""

    __tablename__ = "subscribers"
    __table_args__ = (
        Index(None, "domain"),
        # Admins look readers up by any part of the address.
        Index(
            "ix_subscribers_email_key_trgm",
            "email_key",
            postgresql_using="gin",
            postgresql_ops={"email_key": "gin_trgm_ops"},
        ),
        Index(None, "merged_into_id", postgresql_where=text("merged_into_id IS NOT NULL")),
    )

    public_id: Mapped[uuid.UUID] = mapped_column(unique=True, server_default=func.gen_random_uuid())
    email: Mapped[str] = mapped_column(String(320))
    email_key: Mapped[str] = mapped_column(String(320), unique=True)
    # The address's domain as A-labels: pacing and reports group by it.
    domain: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(120), default="")
    locale: Mapped[str] = mapped_column(String(16), default="zh_CN")
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    erased_at: Mapped[dt.datetime | None]
    # Nothing is sent before this moment: the reader is away.
    paused_until: Mapped[dt.datetime | None]
    # Whose address this reader changed to, when that was somebody we knew: the links in old mail lead to them.
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"))

    subscriptions: Mapped[list["Subscription"]] = relationship(back_populates="subscriber")


class Subscription(HasId, HasCreatedAt, Base):
    """Subscriber × list. A set-once time belongs to each state it has reached."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "list_id"),
        CheckConstraint("state IN ('unconfirmed', 'confirmed', 'unsubscribed', 'removed')", name="state"),
        # The roster walks a list's confirmed readers in subscriber order; pages and counts read it, too.
        Index(None, "list_id", "state", "subscriber_id"),
        # Few have left or wait, among many: pages of them alone.
        Index(
            "ix_subscriptions_not_confirmed", "state", "subscriber_id", postgresql_where=text("state <> 'confirmed'")
        ),
    )

    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"))
    list_id: Mapped[int] = mapped_column(ForeignKey("lists.id"))
    state: Mapped[SubscriptionState] = mapped_column(String(16), default=SubscriptionState.UNCONFIRMED)
    source: Mapped[str] = mapped_column(String(32))
    confirmed_at: Mapped[dt.datetime | None]
    unsubscribed_at: Mapped[dt.datetime | None]
    # What was typed into the form beside an unconfirmed sign-up: the reader's once they have confirmed it.
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))

    subscriber: Mapped[Subscriber] = relationship(back_populates="subscriptions")


class SubscriptionCount(HasId, Base):
    """How many subscriptions a list has in a state: the sum of its rows. Triggers write them, one for each statement
    that changes something and each list and state it concerns, so that nobody waits for anybody.
    """

    __tablename__ = "subscription_counts"

    # No foreign key: what is left of a list that is gone adds up to nought.
    list_id: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[SubscriptionState] = mapped_column(String(16))
    readers: Mapped[int] = mapped_column(BigInteger)


class AddressChange(HasId, HasCreatedAt, Base):
    """A reader wants their mail elsewhere: done once both mailboxes have said yes, before it expires."""

    __tablename__ = "address_changes"
    __table_args__ = (Index(None, "subscriber_id"),)

    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"))
    # The address it started from: when that has changed meanwhile, this change is over.
    old_key: Mapped[str] = mapped_column(String(320))
    email: Mapped[str] = mapped_column(String(320))
    email_key: Mapped[str] = mapped_column(String(320))
    domain: Mapped[str] = mapped_column(String(255))
    expires_at: Mapped[dt.datetime]
    old_confirmed_at: Mapped[dt.datetime | None]
    new_confirmed_at: Mapped[dt.datetime | None]
    done_at: Mapped[dt.datetime | None]
    cancelled_at: Mapped[dt.datetime | None]


class SubscriberChange(HasId, HasCreatedAt, Base):
    """What became different about a reader, and by whom: name, language, attributes, pause. Deleted with them.

    `old` and `new` hold what differs and no more: ``name``, ``locale``, ``paused_until`` (ISO 8601), ``attributes``.
    """

    __tablename__ = "subscriber_changes"
    __table_args__ = (
        Index(None, "subscriber_id"),
        CheckConstraint("how IN ('preferences', 'sign_up', 'confirmed', 'import', 'directory', 'merged')", name="how"),
    )

    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"))
    how: Mapped[ChangeHow] = mapped_column(String(16))
    old: Mapped[dict[str, Any]]
    new: Mapped[dict[str, Any]]
    # The account, import and directory behind it, where it was not the reader themselves; as in `Consent`.
    account_id: Mapped[int | None] = mapped_column(BigInteger)
    import_id: Mapped[int | None] = mapped_column(BigInteger)
    directory_id: Mapped[int | None] = mapped_column(BigInteger)


class Wording(HasId, HasCreatedAt, Base):
    """A sentence that readers were shown, as a numbered version of its kind. Append-only."""

    __tablename__ = "wordings"
    __table_args__ = (UniqueConstraint("kind", "version"),)

    kind: Mapped[str] = mapped_column(String(32))
    version: Mapped[int]
    text: Mapped[str] = mapped_column(Text)


class Consent(HasId, Base):
    """What was shown, when, from where, and what they answered. Append-only: a trigger refuses changes."""

    __tablename__ = "consents"
    __table_args__ = (
        Index(None, "subscriber_id"),
        CheckConstraint("act IN ('asked', 'confirmed', 'withdrawn', 'imported', 'removed')", name="act"),
    )

    at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    # No foreign key: the proof outlives the subscriber's row.
    subscriber_id: Mapped[int] = mapped_column(BigInteger)
    list_id: Mapped[int] = mapped_column(ForeignKey("lists.id"))
    act: Mapped[ConsentAct] = mapped_column(String(16))
    # The sentence shown, exactly, and the legal basis where it is not consent.
    wording: Mapped[str] = mapped_column(Text, default="")
    basis: Mapped[str] = mapped_column(String(64), default="consent")
    ip: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str] = mapped_column(String(400), default="")
    # Which version of which sentence was shown, where it is one of ours.
    wording_id: Mapped[int | None] = mapped_column(ForeignKey("wordings.id"))
    # Of the letter that was confirmed: its Message-ID, and when it was written.
    letter_message_id: Mapped[str] = mapped_column(String(255), default="")
    letter_at: Mapped[dt.datetime | None]
    # Where it was not the reader: who decided it and on which day, the account that entered it, and the import.
    # Without foreign keys: an import writes a million of these, and each would be looked up twice more.
    decided_by: Mapped[str] = mapped_column(String(200), default="", server_default="")
    decided_on: Mapped[dt.date | None]
    account_id: Mapped[int | None] = mapped_column(BigInteger)
    import_id: Mapped[int | None] = mapped_column(BigInteger)


class Suppression(HasId, HasCreatedAt, Base):
    """An address we will not send to, everywhere (`newsletter_id` null) or for one newsletter."""

    __tablename__ = "suppressions"
    __table_args__ = (
        CheckConstraint(
            "reason IN ('hard_bounce', 'complaint', 'manual', 'unsubscribed_all', 'erased')", name="reason"
        ),
        Index(
            "uq_suppressions_active",
            "email_key",
            text("coalesce(newsletter_id, 0)"),
            unique=True,
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )

    email_key: Mapped[str] = mapped_column(String(320))
    newsletter_id: Mapped[int | None] = mapped_column(ForeignKey("newsletters.id"))
    reason: Mapped[SuppressionReason] = mapped_column(String(32))
    # Where it came from: a delivery's server reply, an account's note.
    note: Mapped[str] = mapped_column(Text, default="")
    delivery_id: Mapped[int | None] = mapped_column(BigInteger)
    expires_at: Mapped[dt.datetime | None]
    lifted_at: Mapped[dt.datetime | None]


class LeaveReason(HasId, HasCreatedAt, Base):
    """Why a reader left, where they cared to say."""

    __tablename__ = "leave_reasons"
    __table_args__ = (
        CheckConstraint(
            "reason IN ('too_many', 'not_relevant', 'never_asked', 'other_address', 'other')", name="reason"
        ),
        Index(None, "subscriber_id"),
    )

    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"))
    list_ids: Mapped[list[Any]]
    reason: Mapped[WhyLeft] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text, default="")


class Engagement(Base):
    """Facts about one reader of one newsletter, human verdicts only; feedback writes them, segments read them."""

    __tablename__ = "engagements"

    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id"), primary_key=True)
    last_open_at: Mapped[dt.datetime | None]
    last_click_at: Mapped[dt.datetime | None]


class Segment(HasId, HasCreatedAt, Base):
    """Named conditions on readers; `tree` is what `conditions.read_tree` gives."""

    __tablename__ = "segments"

    name: Mapped[str] = mapped_column(String(120), unique=True)
    tree: Mapped[dict[str, Any]]
    archived_at: Mapped[dt.datetime | None]
