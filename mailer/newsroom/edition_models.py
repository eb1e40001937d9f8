"""Tables of what was frozen and shown: editions, their articles and links, and acts of the archive."""

import datetime as dt
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mailer.db import Base, HasCreatedAt, HasId

# What of an issue stands around its articles; also the keys of `Edition.masthead`.
MASTHEAD = (
    "title", "year", "number", "total_number", "volume", "published_on", "publisher", "editor", "phone", "colophon",
)  # fmt: skip

_SAID = "archive_fold(title || ' | ' || section || ' | ' || source) || ' | ' || archive_text(body)"


class ArchiveAct(HasId, Base):
    """What became of a sent issue in the archive; append-only. `edition_id` is the edition that was shown from then on,
    or no more.
    """

    __tablename__ = "archive_acts"
    __table_args__ = (
        Index(None, "issue_id"),
        CheckConstraint("act IN ('sent', 'released', 'retracted', 'reinstated')", name="act"),
    )

    at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id"))
    edition_id: Mapped[int] = mapped_column(ForeignKey("editions.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    act: Mapped[str] = mapped_column(String(16))
    # Why it was retracted.
    note: Mapped[str] = mapped_column(Text, default="")


class Edition(HasId, HasCreatedAt, Base):
    """An issue compiled and frozen: what was approved is what is sent and what the archive shows. A trigger refuses
    changes and deletions of it, of its links and of its articles.

    `html` and `text` hold slot tokens (see `mailer.press`); `content_hash` is SHA-256 over subject, html, text
    and links. `masthead` is what stood at the head and foot of the issue then: the keys of `MASTHEAD`, with
    `published_on` as an ISO date; `correction`, what was wrong before, where it corrects an earlier edition; and
    `attributes`, the keys of personal slots, where there are any besides name and address.
    """

    __tablename__ = "editions"
    __table_args__ = (UniqueConstraint("issue_id", "ordinal"),)

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id"))
    ordinal: Mapped[int]
    subject: Mapped[str] = mapped_column(String(255))
    preheader: Mapped[str] = mapped_column(String(255), default="")
    theme: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(16))
    html: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(String(64))
    masthead: Mapped[dict[str, Any]] = mapped_column(default=dict)

    links: Mapped[list["EditionLink"]] = relationship(order_by="EditionLink.ordinal", cascade="all, delete-orphan")
    articles: Mapped[list["EditionArticle"]] = relationship(
        order_by="EditionArticle.position", cascade="all, delete-orphan"
    )


class EditionArticle(Base):
    """An article as it was when the edition was approved. `article_id` outlives the article: links in mail are for
    good, and so are the figures of who read it.
    """

    __tablename__ = "edition_articles"
    __table_args__ = (Index("ix_edition_articles_grams", text("archive_grams(said)"), postgresql_using="gin"),)
    # What PostgreSQL makes of an article is not read back when it is written.
    __mapper_args__ = {"eager_defaults": False}

    edition_id: Mapped[int] = mapped_column(ForeignKey("editions.id"), primary_key=True)
    article_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, index=True)
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(300))
    section: Mapped[str] = mapped_column(String(120), default="")
    source: Mapped[str] = mapped_column(String(300), default="")
    page: Mapped[int | None]
    body: Mapped[str] = mapped_column(Text, default="")
    # What it says, folded for searching, and the words and pairs of characters of its title: PostgreSQL keeps them
    # (migration 0090), `searching` alone reads them.
    said: Mapped[str] = mapped_column(Text, Computed(_SAID), deferred=True)
    title_grams: Mapped[str] = mapped_column(TSVECTOR, Computed("archive_grams(archive_fold(title))"), deferred=True)


class EditionLink(Base):
    """One address an edition links to; a click redirects nowhere else. `article_id` says whose reading it counts."""

    __tablename__ = "edition_links"

    edition_id: Mapped[int] = mapped_column(ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    # Null for the masthead, the colophon and what is no article's; else an `EditionArticle` of this edition.
    article_id: Mapped[int | None] = mapped_column(BigInteger)
    label: Mapped[str] = mapped_column(String(300), default="")
