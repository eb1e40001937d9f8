"""Tables of sending: mailings, their rosters and exclusions, the delivery ledger, its attempts, relays, suspensions."""

import datetime as dt
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    Time,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mailer.db import Base, HasCreatedAt, HasId
from mailer.dispatch.rules import DeliveryState, ExclusionReason, MailingState, Outcome


class Relay(HasId, HasCreatedAt, Base):
    """An SMTP relay an admin has set up. Where there is none, `MAILER_RELAY_URL` is used."""

    __tablename__ = "relays"
    __table_args__ = (
        CheckConstraint("security IN ('none', 'starttls', 'tls')", name="security"),
        CheckConstraint("weight BETWEEN 0 AND 100", name="weight"),
    )

    name: Mapped[str] = mapped_column(String(64), unique=True)
    host: Mapped[str] = mapped_column(String(255))
    port: Mapped[int]
    security: Mapped[str] = mapped_column(String(16))
    username: Mapped[str] = mapped_column(String(255), default="")
    # Sealed with a key derived from MAILER_SECRET_KEY; empty where there is none.
    sealed_password: Mapped[bytes] = mapped_column(default=b"")
    connections: Mapped[int] = mapped_column(default=10)
    messages_per_connection: Mapped[int] = mapped_column(default=100)
    # Messages per second over all workers; null is unlimited.
    rate: Mapped[float | None]
    is_enabled: Mapped[bool] = mapped_column(default=True)
    # Its share beside the others: messages per `weight`. 0 is a reserve, used while none of the others can be.
    weight: Mapped[int] = mapped_column(SmallInteger, default=1)
    # What the sweep's last knock at its door came to; null where there was none yet. The error is in the relay's words.
    probed_at: Mapped[dt.datetime | None]
    is_reachable: Mapped[bool | None]
    probe_error: Mapped[str] = mapped_column(Text, default="")


class NewsletterRelay(Base):
    """A relay that a newsletter's mail may take. One without any takes every relay that is in use."""

    __tablename__ = "newsletter_relays"

    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id", ondelete="CASCADE"), primary_key=True)
    relay_id: Mapped[int] = mapped_column(ForeignKey("relays.id", ondelete="CASCADE"), primary_key=True)


class Mailing(HasId, HasCreatedAt, Base):
    """One edition going to one or more lists of its newsletter. Lifecycle is `state`; what happened is a time."""

    __tablename__ = "mailings"
    __table_args__ = (
        CheckConstraint(
            "state IN ('draft', 'scheduled', 'preparing', 'sending', 'paused', 'finished', 'cancelled')", name="state"
        ),
        CheckConstraint("state <> 'scheduled' OR scheduled_at IS NOT NULL", name="scheduled_has_time"),
        Index(None, "issue_id"),
        Index(None, "state"),
    )

    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id"))
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id"))
    edition_id: Mapped[int] = mapped_column(ForeignKey("editions.id"))
    state: Mapped[MailingState] = mapped_column(String(16), default=MailingState.DRAFT)
    # Frozen for the life of the mailing: Message-IDs are `<id-of-delivery.key@domain>`, decided before sending.
    message_key: Mapped[str] = mapped_column(String(32))
    message_domain: Mapped[str] = mapped_column(String(255))
    # Send again to those who already had this issue, because a person said so.
    is_repeat: Mapped[bool] = mapped_column(default=False)
    # Only to those who have had an earlier edition of the issue: it corrects what they read.
    is_correction: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    # Messages per second for this mailing over all workers; null is unlimited.
    rate: Mapped[float | None]
    scheduled_at: Mapped[dt.datetime | None]
    # When it left the desk: sent now, or its time had come. Later than `scheduled_at` where nobody was there then.
    launched_at: Mapped[dt.datetime | None]
    prepared_at: Mapped[dt.datetime | None]
    started_at: Mapped[dt.datetime | None]
    paused_at: Mapped[dt.datetime | None]
    # Why it is paused, or why it went back from scheduled to draft: a gettext id, and what the server said.
    pause_reason: Mapped[str] = mapped_column(Text, default="")
    pause_reply: Mapped[str] = mapped_column(Text, default="")
    cancelled_at: Mapped[dt.datetime | None]
    # When nothing was queued or claimed any more; of a cancelled mailing too, once its claimed ones have drained.
    finished_at: Mapped[dt.datetime | None]
    # When a delivery last reached an outcome: no progress for five minutes while sending is a stall.
    progressed_at: Mapped[dt.datetime | None]
    # Frozen when prepared: candidates = roster + exclusions.
    roster_size: Mapped[int | None]
    # reason -> people, frozen with it (`exclusions`); nothing before.
    exclusion_counts: Mapped[dict[str, Any] | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))

    lists: Mapped[list["MailingList"]] = relationship(cascade="all, delete-orphan")
    segments: Mapped[list["MailingSegment"]] = relationship(cascade="all, delete-orphan")


class MailingList(Base):
    """A list a mailing goes to."""

    __tablename__ = "mailing_lists"

    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailings.id", ondelete="CASCADE"), primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("lists.id"), primary_key=True)


class MailingSegment(Base):
    """A segment that narrows a mailing: only its members get it, or (`is_exclusion`) all others."""

    __tablename__ = "mailing_segments"

    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailings.id", ondelete="CASCADE"), primary_key=True)
    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id"), primary_key=True)
    is_exclusion: Mapped[bool]


class Exclusion(Base):
    """A candidate who is not on the roster, and why; without a foreign key, so that it adds up after an erasure."""

    __tablename__ = "exclusions"
    # Those left out for one reason, page by page, and the sums by reason.
    __table_args__ = (Index(None, "mailing_id", "reason", "subscriber_id"),)

    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailings.id", ondelete="CASCADE"), primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    reason: Mapped[ExclusionReason] = mapped_column(String(16))


class Delivery(HasId, Base):
    """One mailing to one subscriber: the ledger's row, the truth of what became of it.

    `subscriber_id` has no foreign key: the ledger outlives an erased subscriber (whose `address` is then blank).
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        # Once to a reader; in this order it also finds all that a reader got.
        UniqueConstraint("subscriber_id", "mailing_id"),
        CheckConstraint(
            "state IN ('queued', 'claimed', 'accepted', 'rejected', 'unknown', 'skipped', 'expired')", name="state"
        ),
        CheckConstraint("(state = 'claimed') = (lease_until IS NOT NULL)", name="claimed_has_lease"),
        # The claim walks what is due of one provider in one mailing: half a million readers of a suspended provider
        # cost the others nothing. A row leaves the index as soon as it is claimed.
        Index(
            "ix_deliveries_due",
            "mailing_id",
            "provider",
            "next_attempt_at",
            "id",
            postgresql_where=text("state = 'queued'"),
        ),
        Index("ix_deliveries_leased", "lease_until", postgresql_where=text("state = 'claimed'")),
        Index("ix_deliveries_unknown", "mailing_id", postgresql_where=text("state = 'unknown'")),
        Index(None, "mailing_id", "state", "id"),
    )

    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailings.id"))
    subscriber_id: Mapped[int] = mapped_column(BigInteger)
    # As it was when the roster was frozen.
    address: Mapped[str] = mapped_column(String(320))
    provider: Mapped[str] = mapped_column(String(64))
    list_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    state: Mapped[DeliveryState] = mapped_column(String(16), default=DeliveryState.QUEUED)
    # Skip reason, or the reply class of a rejection, expiry or deferral.
    reason: Mapped[str] = mapped_column(String(32), default="")
    # Attempts that count against the recipient's budget, and those that a relay or a provider spoilt.
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    faults: Mapped[int] = mapped_column(SmallInteger, default=0)
    queued_at: Mapped[dt.datetime]
    next_attempt_at: Mapped[dt.datetime]
    # ``<journal key>/<claim>``: which process holds it, and which of its claims that was.
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[dt.datetime | None]
    # Of the last attempt: what the server said.
    code: Mapped[int | None] = mapped_column(SmallInteger)
    enhanced: Mapped[str | None] = mapped_column(String(16))
    reply: Mapped[str] = mapped_column(Text, default="")
    settled_at: Mapped[dt.datetime | None]
    # An unknown outcome that a person looked at and left as it is.
    kept_at: Mapped[dt.datetime | None]


class Attempt(HasId, Base):
    """One SMTP transaction of a delivery, as it went. Append-only; `delivery_id` has no foreign key for speed."""

    __tablename__ = "attempts"
    __table_args__ = (
        Index(None, "delivery_id"),
        # How often a provider said "slow down" lately decides whether it is suspended.
        Index("ix_attempts_refused", "provider", "reply_class", "at", postgresql_where=text("outcome <> 'accepted'")),
    )

    delivery_id: Mapped[int] = mapped_column(BigInteger)
    provider: Mapped[str] = mapped_column(String(64), default="")
    at: Mapped[dt.datetime]
    relay: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[Outcome] = mapped_column(String(16))
    reply_class: Mapped[str] = mapped_column(String(32), default="")
    stage: Mapped[str] = mapped_column(String(16), default="")
    code: Mapped[int | None] = mapped_column(SmallInteger)
    enhanced: Mapped[str | None] = mapped_column(String(16))
    reply: Mapped[str] = mapped_column(Text, default="")
    is_tls: Mapped[bool] = mapped_column(default=False)
    duration_ms: Mapped[int | None]


class Suspension(HasId, HasCreatedAt, Base):
    """A provider group (or with ``*`` the relay named in `relay`) that is left alone until `until`, and what its
    server said. One that is *slowed* still gets mail: `share` of its rate, at most `connections` messages at a time.
    """

    __tablename__ = "suspensions"
    __table_args__ = (Index(None, "provider", "until"), CheckConstraint("kind IN ('suspended', 'slowed')", name="kind"))

    provider: Mapped[str] = mapped_column(String(64))
    relay: Mapped[str] = mapped_column(String(64), default="")
    kind: Mapped[str] = mapped_column(String(16), default="suspended")
    share: Mapped[float] = mapped_column(default=1.0)
    connections: Mapped[int | None] = mapped_column(SmallInteger)
    until: Mapped[dt.datetime]
    reply_class: Mapped[str] = mapped_column(String(32))
    reply: Mapped[str] = mapped_column(Text, default="")


class ProviderOverride(Base):
    """What an admin has set otherwise for a provider group than `providers.toml`; null is as the file says.

    `domains` are added to those of the file; ``*.example.org`` is every domain below it.
    """

    __tablename__ = "provider_overrides"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    connections: Mapped[int | None]
    messages_per_connection: Mapped[int | None]
    per_minute: Mapped[int | None]
    per_hour: Mapped[int | None]
    per_day: Mapped[int | None]
    suspend_after: Mapped[int | None]
    suspend_minutes: Mapped[int | None]
    domains: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)


class SendingWindow(HasId, Base):
    """When a newsletter's mailings, or one mailing, may go out; a mailing's own is asked before its newsletter's.

    `days` has bit 0 for Monday to bit 6 for Sunday. A window that `ends` before it `starts` reaches into the next day;
    one that ends as it starts lasts a whole day. Both are times on the clocks of `zone`.
    """

    __tablename__ = "sending_windows"
    __table_args__ = (
        CheckConstraint("num_nonnulls(newsletter_id, mailing_id) = 1", name="one_owner"),
        CheckConstraint("days BETWEEN 1 AND 127", name="days"),
    )

    newsletter_id: Mapped[int | None] = mapped_column(ForeignKey("newsletters.id", ondelete="CASCADE"), unique=True)
    mailing_id: Mapped[int | None] = mapped_column(ForeignKey("mailings.id", ondelete="CASCADE"), unique=True)
    days: Mapped[int] = mapped_column(SmallInteger)
    starts: Mapped[dt.time] = mapped_column(Time)
    ends: Mapped[dt.time] = mapped_column(Time)
    zone: Mapped[str] = mapped_column(String(64))
