"""What people do to directories, in the audit trail."""

from typing import Any

from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.audience.directories.models import Directory


def record_act(
    session: Session, directory: Directory, act: str, by: Account | None, ip: str | None, **details: Any
) -> None:
    """`act` is the last word of the action; `details` are what its line shows."""
    record(
        session,
        by=by,
        action=f"directory.{act}",
        subject_type="directory",
        subject_id=directory.id,
        ip=ip,
        name=directory.name,
        **details,
    )
