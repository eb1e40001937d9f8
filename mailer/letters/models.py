"""The outbox of letters: written in the caller's transaction, rendered and sent by dispatch."""

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, Index, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Base, HasCreatedAt, HasId
from mailer.letters.rules import LetterKind, LetterState


class Letter(HasId, HasCreatedAt, Base):
    """One letter to one address. `parameters` are what its template needs: plain JSON values and finished links."""

    __tablename__ = "letters"
    __table_args__ = (
        CheckConstraint(
            "state IN ('queued', 'claimed', 'accepted', 'rejected', 'unknown', 'skipped', 'expired')", name="state"
        ),
        Index("ix_letters_due", "next_attempt_at", "id", postgresql_where=text("state = 'queued'")),
        Index("ix_letters_leased", "lease_until", postgresql_where=text("state = 'claimed'")),
        Index(None, "address_key"),
    )

    kind: Mapped[LetterKind] = mapped_column(String(16))
    locale: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(String(320))
    address_key: Mapped[str] = mapped_column(String(320))
    # Whose name it goes out under; null means the service's own sender.
    newsletter_id: Mapped[int | None]
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    message_id: Mapped[str] = mapped_column(String(255))
    state: Mapped[LetterState] = mapped_column(String(16), default=LetterState.QUEUED)
    reason: Mapped[str] = mapped_column(String(32), default="")
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    next_attempt_at: Mapped[dt.datetime]
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[dt.datetime | None]
    code: Mapped[int | None] = mapped_column(SmallInteger)
    enhanced: Mapped[str | None] = mapped_column(String(16))
    reply: Mapped[str] = mapped_column(Text, default="")
    settled_at: Mapped[dt.datetime | None]
