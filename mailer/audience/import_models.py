"""Tables of imports: uploaded files while they wait, and the lines that were refused."""

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mailer.audience.rules import ImportState
from mailer.db import Base, HasCreatedAt, HasId


class ImportRun(HasId, HasCreatedAt, Base):
    """One uploaded table going into one list: looked at, checked, and then carried out, whole or not at all.

    The file lies in `import_chunks` until it has been carried out or given up, never longer.
    """

    __tablename__ = "import_runs"
    __table_args__ = (
        CheckConstraint(
            "state IN ('uploaded', 'checking', 'checked', 'queued', 'running', 'finished', 'failed', 'cancelled')",
            name="state",
        ),
    )

    list_id: Mapped[int] = mapped_column(ForeignKey("lists.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    filename: Mapped[str] = mapped_column(String(255))
    # Of the file, in bytes.
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    basis: Mapped[str] = mapped_column(String(64))
    # How the readers agreed, or who decided: kept with every consent.
    wording: Mapped[str] = mapped_column(Text, default="")
    decided_by: Mapped[str] = mapped_column(String(200), default="", server_default="")
    decided_on: Mapped[dt.date | None]
    # tables.Shape and layouts.Layout, as JSON.
    shape: Mapped[dict[str, Any]] = mapped_column(default=dict)
    layout: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[ImportState] = mapped_column(String(16), default=ImportState.UPLOADED)
    # Of the check or the import that is under way: rows read, and the share of the work that is done (0 to 1).
    rows_read: Mapped[int] = mapped_column(default=0)
    progress: Mapped[float] = mapped_column(default=0.0)
    # When it was last handed to a worker, or its worker last said that it lives.
    progressed_at: Mapped[dt.datetime | None]
    cancel_asked_at: Mapped[dt.datetime | None]
    # importing.COUNTS: rows of the file, first as the check found them, then as they were carried out.
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[str] = mapped_column(Text, default="")
    finished_at: Mapped[dt.datetime | None]


class ImportChunk(Base):
    """A piece of an uploaded file: it is never in memory, nor in one value, as a whole."""

    __tablename__ = "import_chunks"

    run_id: Mapped[int] = mapped_column(ForeignKey("import_runs.id", ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes]


class ImportRefusal(Base):
    """A line of an uploaded file that was not taken, and why (a gettext id): all of them, for the report.

    `email_key` is the address in its compared form where it is one, so that erasing a reader finds it.
    """

    __tablename__ = "import_refusals"
    __table_args__ = (Index(None, "email_key"),)

    run_id: Mapped[int] = mapped_column(ForeignKey("import_runs.id", ondelete="CASCADE"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(String(320))
    email_key: Mapped[str] = mapped_column(String(320))
    reason: Mapped[str] = mapped_column(Text)
