"""Tables of what is written: issues, their articles and source, their reviews, and the editions made of them."""

import datetime as dt
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mailer.db import Base, HasCreatedAt, HasId
from mailer.newsroom.rules import IssueState, ReviewAct


class Issue(HasId, HasCreatedAt, Base):
    """One number of a newsletter. Unknown values stay empty (`None` or ``""``)."""

    __tablename__ = "issues"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'in_review', 'approved')", name="state"),
        Index(None, "newsletter_id", "year"),
    )

    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id"))
    title: Mapped[str] = mapped_column(String(200))
    year: Mapped[int | None]
    number: Mapped[str | None] = mapped_column(String(32))
    total_number: Mapped[str | None] = mapped_column(String(32))
    volume: Mapped[str | None] = mapped_column(String(32))
    published_on: Mapped[dt.date | None] = mapped_column(Date)
    publisher: Mapped[str] = mapped_column(String(200), default="")
    editor: Mapped[str] = mapped_column(String(200), default="")
    phone: Mapped[str] = mapped_column(String(64), default="")
    # Lines of the colophon beyond editor and phone, as the document had them.
    colophon: Mapped[str] = mapped_column(Text, default="")
    subject: Mapped[str] = mapped_column(String(255), default="")
    preheader: Mapped[str] = mapped_column(String(255), default="")
    # What was wrong in an edition that has been sent, as readers of the next one are told; empty otherwise.
    correction: Mapped[str] = mapped_column(Text, default="", server_default="")
    state: Mapped[IssueState] = mapped_column(String(16), default=IssueState.DRAFT)
    # Grows with every change of content, articles included: an approver approves what they looked at.
    revision: Mapped[int] = mapped_column(default=1)
    # Grows with every change of the fields above: two editors cannot overwrite each other unseen.
    masthead_revision: Mapped[int] = mapped_column(default=1)
    # [{"message", "params", "line"}] of the import, shown to the editor until put aside.
    warnings: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    # Who changed the content last, and when: told to whoever would overwrite it.
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    changed_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    # How many signatures of its newsletter's chain it has since it was submitted.
    signed_steps: Mapped[int] = mapped_column(default=0)
    approved_at: Mapped[dt.datetime | None]
    # Set once, when the first mailing of an edition of it starts: from then on it is in the archive.
    first_sent_at: Mapped[dt.datetime | None]
    # The edition that the archive shows: a correction takes its place when it is released (`archiving`).
    shown_edition_id: Mapped[int | None] = mapped_column(ForeignKey("editions.id", use_alter=True))
    # Since when the archive shows it no more, and why, as readers are told; empty otherwise.
    retracted_at: Mapped[dt.datetime | None]
    retraction: Mapped[str] = mapped_column(Text, default="", server_default="")

    articles: Mapped[list["Article"]] = relationship(
        back_populates="issue", order_by="Article.position", cascade="all, delete-orphan"
    )


class Article(HasId, Base):
    """One piece of an issue. `body` is sanitised HTML that mail can carry."""

    __tablename__ = "articles"
    __table_args__ = (UniqueConstraint("issue_id", "position", deferrable=True, initially="DEFERRED"),)

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(300))
    section: Mapped[str] = mapped_column(String(120), default="")
    source: Mapped[str] = mapped_column(String(300), default="")
    # The page the contents list of the document gave.
    page: Mapped[int | None]
    body: Mapped[str] = mapped_column(Text, default="")
    # As `Issue.masthead_revision`: colleagues may work on different articles of one issue at the same time.
    revision: Mapped[int] = mapped_column(default=1)

    issue: Mapped[Issue] = relationship(back_populates="articles")


class ArticleVersion(HasId, Base):
    """An article as somebody saved it. Without a foreign key to the article: what was taken out can be brought back,
    under the address it had.
    """

    __tablename__ = "article_versions"
    __table_args__ = (
        CheckConstraint("kind IN ('saved', 'autosaved', 'removed', 'restored')", name="kind"),
        Index("ix_article_versions_article_id", "article_id", "id"),
        Index(None, "issue_id"),
    )

    at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    article_id: Mapped[int] = mapped_column(BigInteger)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[str] = mapped_column(String(16))
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(300))
    section: Mapped[str] = mapped_column(String(120), default="")
    source: Mapped[str] = mapped_column(String(300), default="")
    page: Mapped[int | None]
    body: Mapped[str] = mapped_column(Text, default="")


class SourceDocument(HasId, HasCreatedAt, Base):
    """The file an issue was imported from, kept as it came."""

    __tablename__ = "source_documents"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), index=True)
    filename: Mapped[str] = mapped_column(String(255))
    encoding: Mapped[str] = mapped_column(String(32))
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes]
    uploaded_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))


class ImportReport(Base):
    """What became of an issue's documents when they were imported, and what was mended since (`import_report`)."""

    __tablename__ = "import_reports"

    issue_id: Mapped[int] = mapped_column(
        ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    # [[line, text, role, article's id or null, "" or "unclear"]]: every line of the documents that holds anything.
    lines: Mapped[list[Any]]
    # [{"title", "page", "line", "article"}]: the contents list, with the article that was found for an entry.
    entries: Mapped[list[dict[str, Any]]]
    # [[line, name]]: where each of several files begins.
    files: Mapped[list[Any]]
    # What mending did, the last act last, as `mending_issues` takes it back.
    acts: Mapped[list[dict[str, Any]]]


class Review(HasId, Base):
    """One act on an issue's way to approval; append-only. An approval names the content hash it is for."""

    __tablename__ = "reviews"
    __table_args__ = (
        Index(None, "issue_id"),
        CheckConstraint(
            "act IN ('submitted', 'returned', 'passed', 'approved', 'withdrawn', 'changed', 'expired')", name="act"
        ),
    )

    at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    act: Mapped[ReviewAct] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text, default="")
    content_hash: Mapped[str] = mapped_column(String(64), default="")
    # Of a signature: the step's name then (see `chain`), and for whom the account stood in, if for anybody.
    step: Mapped[str] = mapped_column(String(40), default="")
    on_behalf_of: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))


class Picture(HasId, HasCreatedAt, Base):
    """A picture as mail carries it; `name` is the hash of `content` with its ending, and its address for good."""

    __tablename__ = "pictures"
    __table_args__ = (CheckConstraint("media_type IN ('image/jpeg', 'image/png')", name="media_type"),)

    name: Mapped[str] = mapped_column(String(40), unique=True)
    media_type: Mapped[str] = mapped_column(String(16))
    width: Mapped[int]
    height: Mapped[int]
    content: Mapped[bytes]
    uploaded_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))


class StandingBlock(HasId, HasCreatedAt, Base):
    """What a newsletter says again and again; in an article it is a copy. `body` is sanitised as an article's is."""

    __tablename__ = "standing_blocks"

    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    body: Mapped[str] = mapped_column(Text)


class LinkCheck(HasId, Base):
    """Whether an address on the web answered when a worker last asked (`link_probe.Verdict`)."""

    __tablename__ = "link_checks"
    __table_args__ = (
        CheckConstraint("verdict IN ('good', 'broken', 'unknown', 'forbidden')", name="verdict"),
        UniqueConstraint("url"),
    )

    url: Mapped[str] = mapped_column(Text)
    verdict: Mapped[str] = mapped_column(String(16))
    # The last HTTP status, if there was one.
    status: Mapped[int | None]
    checked_at: Mapped[dt.datetime]


class HouseRules(Base):
    """What a newsletter's newsroom has agreed upon; where there is no row, the plain rules hold (`house`)."""

    __tablename__ = "house_rules"

    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id"), primary_key=True, autoincrement=False)
    # [{"name", "role", "account_ids"}], the first signature first; see `chain.SigningStep`.
    steps: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    # How long an approval lasts; null is for good.
    approval_days: Mapped[int | None]
    # Accounts that may send; empty is everyone at the desk.
    sender_ids: Mapped[list[Any]] = mapped_column(default=list)
    # One a line.
    sensitive_words: Mapped[str] = mapped_column(Text, default="")
    proofreaders: Mapped[str] = mapped_column(Text, default="")


class Deputy(HasId, HasCreatedAt, Base):
    """From then until then `deputy_id` may sign what `account_id` may."""

    __tablename__ = "deputies"
    __table_args__ = (
        CheckConstraint("account_id <> deputy_id", name="somebody_else"),
        CheckConstraint("ends_at >= starts_at", name="order"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    deputy_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))


class Comment(HasId, HasCreatedAt, Base):
    """What a colleague says about an article (or, without one, the whole issue); `thread_id` is what it answers.
    Only the first of a thread is settled. It outlives its article.
    """

    __tablename__ = "comments"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), index=True)
    article_id: Mapped[int | None] = mapped_column(BigInteger)
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("comments.id", ondelete="CASCADE"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    text: Mapped[str] = mapped_column(Text)
    resolved_at: Mapped[dt.datetime | None]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
