"""What the archive shows of a sent issue: the edition that was released. A correction is approved first and shown when
its first mailing starts, or when somebody who may send releases it; an issue can be retracted, in the open.
"""

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.accounts.models import Account
from mailer.db import now
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsroom.editing import lock_issue
from mailer.newsroom.edition_models import ArchiveAct, Edition
from mailer.newsroom.editions import get_edition, get_sendable_edition, latest_edition
from mailer.newsroom.fields import CORRECTION_LIMIT, clean_text
from mailer.newsroom.house import check_sender
from mailer.newsroom.models import Issue
from mailer.newsroom.rules import IssueState

NOT_SENT = N_("This issue has not been sent; readers cannot find it.")


def mark_sent(session: Session, edition_id: int, at: dt.datetime) -> None:
    """A mailing of this edition has started: from the first one on the archive shows the issue, and from the first of
    a later edition that one. Later calls change nothing.
    """
    edition = get_edition(session, edition_id)
    issue = session.get_one(Issue, edition.issue_id)
    if issue.first_sent_at is None:
        issue.first_sent_at = at
    if _is_newer(session, edition, issue):
        _show(session, issue, edition, "sent", None)


def release(session: Session, issue: Issue, *, by: Account | None) -> Edition:
    """The newest approved edition takes the place of the one that the archive shows, without a mailing. Raises
    `RuleError` where there is none, and for who may not send.
    """
    lock_issue(session, issue)
    check_sender(session, issue.newsletter_id, by)
    waiting = find_waiting(session, issue)
    if waiting is None:
        raise RuleError(N_("There is no corrected edition that waits to be shown."))
    edition = get_sendable_edition(session, waiting.id)
    _show(session, issue, edition, "released", by)
    _record(session, issue, "released", by, edition=edition.id)
    return edition


def find_waiting(session: Session, issue: Issue) -> Edition | None:
    """The approved edition of a sent issue that is newer than what the archive shows."""
    if issue.first_sent_at is None or issue.state != IssueState.APPROVED:
        return None
    newest = latest_edition(session, issue.id)
    return newest if newest is not None and _is_newer(session, newest, issue) else None


def retract(session: Session, issue: Issue, note: str, *, by: Account | None) -> None:
    """The archive, its feeds and its search show the issue no more; at its address stands that it was retracted, when,
    and `note`, why. Raises `RuleError` without a note, for an issue that was not sent or is retracted, and for who may
    not send. Mailings that are under way are `dispatch.retracting`'s to stop.
    """
    lock_issue(session, issue)
    check_sender(session, issue.newsletter_id, by)
    if issue.first_sent_at is None or issue.shown_edition_id is None:
        raise RuleError(NOT_SENT)
    if issue.retracted_at is not None:
        raise RuleError(N_("This issue has been retracted already."))
    words = clean_text(note, CORRECTION_LIMIT)
    if not words:
        raise RuleError(N_("Say why the issue is retracted: readers are told it."))
    issue.retracted_at, issue.retraction = now(session), words
    _act(session, issue, issue.shown_edition_id, "retracted", by, words)
    _record(session, issue, "retracted", by, note=words[:200])


def reinstate(session: Session, issue: Issue, *, by: Account | None) -> None:
    """The undo of `retract`: the issue is shown as before. Its history tells both."""
    lock_issue(session, issue)
    check_sender(session, issue.newsletter_id, by)
    if issue.retracted_at is None or issue.shown_edition_id is None:
        raise RuleError(N_("This issue has not been retracted."))
    issue.retracted_at, issue.retraction = None, ""
    _act(session, issue, issue.shown_edition_id, "reinstated", by)
    _record(session, issue, "reinstated", by)


def list_archive_acts(session: Session, issue_id: int) -> list[tuple[ArchiveAct, int, str | None]]:
    """What became of the issue in the archive, newest first: each act, the number of its edition, and who did it."""
    rows = session.execute(
        select(ArchiveAct, Edition.ordinal, Account.name)
        .join(Edition, Edition.id == ArchiveAct.edition_id)
        .outerjoin(Account, Account.id == ArchiveAct.account_id)
        .where(ArchiveAct.issue_id == issue_id)
        .order_by(ArchiveAct.id.desc())
    )
    return [(act, ordinal, name) for act, ordinal, name in rows]


def _is_newer(session: Session, edition: Edition, issue: Issue) -> bool:
    shown = session.get(Edition, issue.shown_edition_id) if issue.shown_edition_id is not None else None
    return shown is None or edition.ordinal > shown.ordinal


def _show(session: Session, issue: Issue, edition: Edition, act: str, by: Account | None) -> None:
    """A newer edition is shown, and with it ends the retraction of the one before."""
    issue.shown_edition_id = edition.id
    issue.retracted_at, issue.retraction = None, ""
    _act(session, issue, edition.id, act, by)


def _act(session: Session, issue: Issue, edition_id: int, act: str, by: Account | None, note: str = "") -> None:
    session.add(
        ArchiveAct(
            issue_id=issue.id, edition_id=edition_id, act=act, account_id=None if by is None else by.id, note=note
        )
    )
    session.flush()


def _record(session: Session, issue: Issue, act: str, by: Account | None, **details: Any) -> None:
    accounts.record(session, by=by, action=f"issue.{act}", subject_type="issue", subject_id=issue.id, **details)
