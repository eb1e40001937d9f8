"""Tables of the door for strangers: who was let in of late, proofs that were used, domains that take no mail."""

import datetime as dt

from sqlalchemy import CheckConstraint, Index, String, func
from sqlalchemy.dialects.postgresql import CIDR, INET
from sqlalchemy.orm import Mapped, mapped_column

from mailer.audience.rules import DomainVerdict
from mailer.db import Base, HasCreatedAt, HasId


class Admission(HasId, HasCreatedAt, Base):
    """A sign-up that was let in: how many of late came from an address or a network, when Redis cannot tell."""

    __tablename__ = "admissions"
    __table_args__ = (Index(None, "created_at"),)

    ip: Mapped[str | None] = mapped_column(INET)
    network: Mapped[str | None] = mapped_column(CIDR)
    has_proof: Mapped[bool]


class MailDomain(Base):
    """A domain of readers, and what a worker was told of it by the DNS; `verdict` is null until it has asked."""

    __tablename__ = "mail_domains"
    __table_args__ = (
        CheckConstraint("verdict IN ('accepts', 'refuses', 'unknown')", name="verdict"),
        Index(None, "next_check_at"),
    )

    domain: Mapped[str] = mapped_column(String(255), primary_key=True)
    verdict: Mapped[DomainVerdict | None] = mapped_column(String(16))
    checked_at: Mapped[dt.datetime | None]
    next_check_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())


class SpentProof(HasCreatedAt, Base):
    """A proof of work that was used: it is good once."""

    __tablename__ = "spent_proofs"

    signature: Mapped[str] = mapped_column(String(128), primary_key=True)
