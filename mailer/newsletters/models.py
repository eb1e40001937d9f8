"""Tables of the periodicals and their lists."""

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mailer.db import Base, HasCreatedAt, HasId
from mailer.newsletters.rules import ArchiveAccess, OptIn, Tracking, Visibility


class Newsletter(HasId, HasCreatedAt, Base):
    """A periodical: its masthead, publisher, sender, theme, language and time zone."""

    __tablename__ = "newsletters"
    __table_args__ = (
        CheckConstraint("slug ~ '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$'", name="slug"),
        CheckConstraint("tracking IN ('full', 'counts', 'off')", name="tracking"),
        CheckConstraint("archive_access IN ('public', 'subscribers', 'accounts')", name="archive_access"),
    )

    slug: Mapped[str] = mapped_column(String(64), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    publisher: Mapped[str] = mapped_column(String(200), default="")
    language: Mapped[str] = mapped_column(String(16), default="zh_CN")
    time_zone: Mapped[str] = mapped_column(String(64), default="Asia/Shanghai")
    sender_name: Mapped[str] = mapped_column(String(120))
    sender_address: Mapped[str] = mapped_column(String(320))
    reply_to: Mapped[str | None] = mapped_column(String(320))
    theme: Mapped[str] = mapped_column(String(64), default="bulletin")
    theme_options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # Who is responsible and how to reach them, as the law wants it at the foot of every mail.
    contact: Mapped[str] = mapped_column(Text, default="")
    tracking: Mapped[Tracking] = mapped_column(String(16), default=Tracking.FULL)
    # How often it comes, in the publisher's words: shown beside the sign-up form.
    frequency: Mapped[str] = mapped_column(String(120), default="", server_default="")
    # Sites (scheme, host and port) whose pages may carry a sign-up form of ours.
    allowed_origins: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    # Whether an issue may not be approved by the account that submitted it.
    is_four_eyes: Mapped[bool] = mapped_column(default=True)
    # Who may read what was sent, its feeds and what a search finds.
    archive_access: Mapped[ArchiveAccess] = mapped_column(
        String(16), default=ArchiveAccess.PUBLIC, server_default=text("'public'")
    )
    archived_at: Mapped[dt.datetime | None]

    lists: Mapped[list["List"]] = relationship(back_populates="newsletter", order_by="List.position, List.id")


class List(HasId, HasCreatedAt, Base):
    """Who it goes to. `List-Id` is ``<slug.newsletter-slug.domain>`` and never changes: readers filter by it."""

    __tablename__ = "lists"
    __table_args__ = (
        UniqueConstraint("newsletter_id", "slug"),
        CheckConstraint("slug ~ '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$'", name="slug"),
        CheckConstraint("opt_in IN ('double', 'single')", name="opt_in"),
        CheckConstraint("visibility IN ('public', 'private', 'invitation')", name="visibility"),
    )

    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id"))
    slug: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    opt_in: Mapped[OptIn] = mapped_column(String(16), default=OptIn.DOUBLE)
    visibility: Mapped[Visibility] = mapped_column(String(16), default=Visibility.PUBLIC)
    position: Mapped[int] = mapped_column(default=0)
    # Whether a reader who has confirmed is welcomed by a letter with the latest issue.
    has_welcome: Mapped[bool] = mapped_column(default=False, server_default=false())
    # What it asks of its readers: questions.check_questions.
    required_attributes: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default=text("'[]'"))
    # Who answers for the list: an address, in List-Owner and on the sign-up page.
    owner: Mapped[str] = mapped_column(String(320), default="", server_default="")
    archived_at: Mapped[dt.datetime | None]

    newsletter: Mapped[Newsletter] = relationship(back_populates="lists")
