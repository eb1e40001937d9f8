"""The table of signing keys."""

import datetime as dt

from sqlalchemy import (
    CheckConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Base, HasCreatedAt, HasId


class DkimKey(HasId, HasCreatedAt, Base):
    """A key that signs a sender's domain: made, then active, then retired. One of each algorithm is active."""

    __tablename__ = "dkim_keys"
    __table_args__ = (
        UniqueConstraint("domain", "selector"),
        CheckConstraint("algorithm IN ('rsa-sha256', 'ed25519-sha256')", name="algorithm"),
        CheckConstraint("retired_at IS NULL OR activated_at IS NOT NULL", name="retired_was_active"),
        Index(
            "uq_dkim_keys_active",
            "domain",
            "algorithm",
            unique=True,
            postgresql_where=text("activated_at IS NOT NULL AND retired_at IS NULL"),
        ),
    )

    # As A-labels in lower case.
    domain: Mapped[str] = mapped_column(String(255))
    selector: Mapped[str] = mapped_column(String(63))
    algorithm: Mapped[str] = mapped_column(String(16))
    # What ``p=`` publishes, in base64.
    public_key: Mapped[str] = mapped_column(Text)
    # Sealed with a key derived from MAILER_SECRET_KEY.
    sealed_private_key: Mapped[bytes]
    activated_at: Mapped[dt.datetime | None]
    retired_at: Mapped[dt.datetime | None]
