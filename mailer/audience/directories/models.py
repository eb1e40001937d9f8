"""Tables of directories: how they are read, whom they brought, and what each run found."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from mailer.audience.directories.rules import DirectoryKind, DirectoryState, Finding, RunState
from mailer.db import Base, HasCreatedAt, HasId


class Directory(HasId, HasCreatedAt, Base):
    """A source of people that one list follows."""

    __tablename__ = "directories"
    __table_args__ = (
        CheckConstraint("kind IN ('file', 'https', 'ldap')", name="kind"),
        CheckConstraint("state IN ('draft', 'on', 'paused')", name="state"),
        CheckConstraint("hour BETWEEN 0 AND 23", name="hour"),
        CheckConstraint("limit_percent BETWEEN 0 AND 100 AND limit_count >= 0", name="limit"),
    )

    name: Mapped[str] = mapped_column(String(64), unique=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("lists.id"))
    kind: Mapped[DirectoryKind] = mapped_column(String(16))
    # A path below MAILER_DIRECTORY_DIR, an https address, or an LDAP server as host or host:port.
    location: Mapped[str] = mapped_column(String(1000))
    # What only this kind has: registry.OPTIONS.
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # The key or the bind password, sealed.
    sealed_secret: Mapped[bytes] = mapped_column(default=b"")
    # rules.Mapping as JSON.
    mapping: Mapped[dict[str, Any]]
    # Who decided that these people are sent to, and on which day: the legal basis is official distribution.
    decided_by: Mapped[str] = mapped_column(String(200))
    decided_on: Mapped[dt.date]
    state: Mapped[DirectoryState] = mapped_column(String(16), default=DirectoryState.DRAFT)
    # In MAILER_TIME_ZONE.
    hour: Mapped[int]
    next_run_at: Mapped[dt.datetime | None]
    # A run that would take more off than either of them stops.
    limit_percent: Mapped[int]
    limit_count: Mapped[int]
    # Counts changes of what is read; a dry run speaks for the revision it saw.
    revision: Mapped[int] = mapped_column(default=1)
    tried_revision: Mapped[int] = mapped_column(default=0)


class DirectoryMember(Base):
    """A reader this directory has, whose subscription came by a directory; `removed_at` once it has them no more."""

    __tablename__ = "directory_members"
    __table_args__ = (Index(None, "subscriber_id"), Index(None, "directory_id", "email_key"))

    directory_id: Mapped[int] = mapped_column(ForeignKey("directories.id", ondelete="CASCADE"), primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True)
    # As the directory has it: a reader may have moved to another address since.
    email_key: Mapped[str] = mapped_column(String(320))
    joined_at: Mapped[dt.datetime]
    removed_at: Mapped[dt.datetime | None]


class DirectoryRun(HasId, HasCreatedAt, Base):
    """One reading of a directory: a dry run, or one that is carried out whole or not at all."""

    __tablename__ = "directory_runs"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'finished', 'failed', 'stopped')", name="state"),
        Index(None, "directory_id"),
        Index(
            "uq_directory_runs_open",
            "directory_id",
            unique=True,
            postgresql_where=text("state IN ('queued', 'running')"),
        ),
    )

    directory_id: Mapped[int] = mapped_column(ForeignKey("directories.id", ondelete="CASCADE"))
    # Who asked for it; nobody for the night's.
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    is_dry: Mapped[bool]
    # The stopped run whose removals a person has agreed to: those, and no others, are not counted against the limit.
    approved_run_id: Mapped[int | None] = mapped_column(ForeignKey("directory_runs.id", ondelete="SET NULL"))
    state: Mapped[RunState] = mapped_column(String(16), default=RunState.QUEUED)
    revision: Mapped[int]
    # Whose it is while it runs; after `lease_until` another worker may take it.
    claim: Mapped[uuid.UUID | None]
    lease_until: Mapped[dt.datetime | None]
    # Claims so far.
    tries: Mapped[int] = mapped_column(default=0)
    # rules.COUNTS -> people or lines; and how many the directory had brought before.
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    members: Mapped[int] = mapped_column(default=0)
    # A gettext id with its parameters.
    error: Mapped[str] = mapped_column(Text, default="")
    error_params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    finished_at: Mapped[dt.datetime | None]


class DirectoryFinding(Base):
    """One person or line of a run's report. `reason` is a gettext id where something was refused."""

    __tablename__ = "directory_findings"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('new', 'changed', 'removed', 'duplicate', 'invalid', 'suppressed', 'left')", name="kind"
        ),
        Index(None, "email_key"),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("directory_runs.id", ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[Finding] = mapped_column(String(16))
    # Of the table; none for who is not in it any more.
    line: Mapped[int | None]
    value: Mapped[str] = mapped_column(String(320))
    email_key: Mapped[str] = mapped_column(String(320))
    reason: Mapped[str] = mapped_column(Text, default="")
