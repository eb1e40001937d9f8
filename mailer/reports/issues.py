"""What was sent of each issue, for lists of issues: cheap, out of the mailings alone."""

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.dispatch.models import Mailing


def count_recipients(session: Session, issue_ids: Iterable[int]) -> dict[int, int]:
    """How many readers stood on the rosters of each issue's mailings; issues that were never sent are left out."""
    rows = session.execute(
        select(Mailing.issue_id, func.sum(Mailing.roster_size))
        .where(Mailing.issue_id.in_(list(issue_ids)), Mailing.roster_size.is_not(None))
        .group_by(Mailing.issue_id)
    )
    return {row[0]: int(row[1] or 0) for row in rows}


def list_sent_editions(session: Session, issue_id: int) -> dict[int, dt.datetime]:
    """Edition id -> when its first mailing started, of those editions of an issue that readers have had."""
    rows = session.execute(
        select(Mailing.edition_id, func.min(Mailing.started_at))
        .where(Mailing.issue_id == issue_id, Mailing.started_at.is_not(None))
        .group_by(Mailing.edition_id)
    )
    return {edition_id: at for edition_id, at in rows if at is not None}
