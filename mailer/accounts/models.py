"""Tables of the people who sign in, and of what they did."""

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import ARRAY, INET
from sqlalchemy.orm import Mapped, mapped_column

from mailer.accounts.rules import AccountState, Role
from mailer.db import Base, HasCreatedAt, HasId


class Account(HasId, HasCreatedAt, Base):
    """A person who signs in. `email_key` is the compared form of `email`."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("state IN ('invited', 'active', 'disabled')", name="state"),
        CheckConstraint("roles <@ ARRAY['editor', 'approver', 'admin']::varchar[]", name="roles"),
        CheckConstraint("state <> 'active' OR password_hash IS NOT NULL", name="active_has_password"),
    )

    email: Mapped[str] = mapped_column(String(320))
    email_key: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    locale: Mapped[str] = mapped_column(String(16), default="zh_CN")
    roles: Mapped[list[Role]] = mapped_column(ARRAY(String(16)), default=list)
    state: Mapped[AccountState] = mapped_column(String(16), default=AccountState.INVITED)
    password_hash: Mapped[str | None] = mapped_column(Text)
    # Grows when the password changes or the account is disabled: it ends every session and voids every letter's link.
    credential_version: Mapped[int] = mapped_column(default=1)
    last_sign_in_at: Mapped[dt.datetime | None]


class AuditEntry(HasId, Base):
    """One act, for good: a trigger refuses changes and deletions. `actor` is the name as it was then."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(None, "at"),
        Index(None, "subject_type", "subject_id"),
        # The trail is read newest first, by who or by what was done.
        Index(None, "account_id", "id"),
        Index(None, "action", "id"),
    )

    at: Mapped[dt.datetime]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    actor: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(64))
    subject_type: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[int | None] = mapped_column(BigInteger)
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    ip: Mapped[str | None] = mapped_column(INET)
