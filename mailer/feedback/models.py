"""Tables of what readers (and their machines) did with a mail."""

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, Index, String
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Base, HasId
from mailer.feedback.rules import Verdict


class _Event:
    """What an open and a click have in common. `event_key` makes a repeated hand-in count once."""

    event_key: Mapped[str] = mapped_column(String(64), unique=True)
    at: Mapped[dt.datetime]
    mailing_id: Mapped[int] = mapped_column(BigInteger)
    # Null where the newsletter counts only how many.
    delivery_id: Mapped[int | None] = mapped_column(BigInteger)
    user_agent: Mapped[str] = mapped_column(String(400), default="")
    ip: Mapped[str | None] = mapped_column(INET)
    verdict: Mapped[Verdict] = mapped_column(String(16))
    # The rule that decided, for people who want to know why.
    verdict_reason: Mapped[str] = mapped_column(String(64), default="")


class Open(HasId, _Event, Base):
    """One fetch of the pixel."""

    __tablename__ = "opens"
    __table_args__ = (
        Index(None, "mailing_id", "at"),
        Index(None, "delivery_id"),
        CheckConstraint("verdict IN ('human', 'machine', 'unsure')", name="verdict"),
    )


class Click(HasId, _Event, Base):
    """One fetch of a link of the edition."""

    __tablename__ = "clicks"
    __table_args__ = (
        Index(None, "mailing_id", "at"),
        Index(None, "delivery_id"),
        CheckConstraint("verdict IN ('human', 'machine', 'unsure')", name="verdict"),
    )

    edition_id: Mapped[int] = mapped_column(BigInteger)
    link_ordinal: Mapped[int]
