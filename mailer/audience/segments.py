"""Segments: named conditions on readers, made and changed by admins, each act audited.

`conditions` says what a tree may hold, `segmenting` who is in it; dispatch uses them as targets and exclusions.
"""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.audience.conditions import Kind, Node, leaves, read_tree
from mailer.audience.models import Segment
from mailer.errors import NotFoundError, RuleError
from mailer.i18n import N_
from mailer.newsletters import get_list, get_newsletter
from mailer.newsletters.rules import check_text


def get_segment(session: Session, segment_id: int) -> Segment:
    """Raises `NotFoundError`."""
    segment = session.get(Segment, segment_id)
    if segment is None:
        raise NotFoundError(N_("There is no such segment."))
    return segment


def list_segments(session: Session, *, has_archived: bool = False) -> list[Segment]:
    """By name."""
    query = select(Segment).order_by(Segment.name)
    if not has_archived:
        query = query.where(Segment.archived_at.is_(None))
    return list(session.scalars(query))


def create_segment(session: Session, *, name: str, tree: Any, by: Account | None, ip: str | None = None) -> Segment:
    """Raises `RuleError` for a name that is taken or missing and for conditions that are not complete,
    `NotFoundError` for a list or newsletter that is not there.
    """
    segment = Segment(name=_check_name(session, name), tree=check_tree(session, tree))
    session.add(segment)
    session.flush()
    _record(session, segment, "created", by, ip)
    return segment


def change_segment(
    session: Session, segment: Segment, *, name: str, tree: Any, by: Account | None, ip: str | None = None
) -> None:
    """As `create_segment`. Mailings that were sent keep their rosters; those that wait get the new conditions."""
    checked, read = _check_name(session, name, segment.id), check_tree(session, tree)
    segment.name, segment.tree = checked, read
    session.flush()
    _record(session, segment, "changed", by, ip)


def archive_segment(session: Session, segment: Segment, *, by: Account | None, ip: str | None = None) -> None:
    """It is offered no longer; mailings that have it keep it."""
    if segment.archived_at is None:
        segment.archived_at = session.scalar(select(func.clock_timestamp()))
        _record(session, segment, "archived", by, ip)


def check_tree(session: Session, tree: Any) -> Node:
    """The tree as it may be kept; the lists and newsletters it names are there."""
    read = read_tree(tree)
    for leaf in leaves(read):
        if leaf["is"] == Kind.LIST:
            get_list(session, leaf["list_id"])
        elif "newsletter_id" in leaf:
            get_newsletter(session, leaf["newsletter_id"])
    return read


def _check_name(session: Session, name: str, own_id: int | None = None) -> str:
    checked = check_text(name, length=120, is_required=True)
    with session.no_autoflush:
        taken = session.scalar(select(Segment.id).where(Segment.name == checked, Segment.id != (own_id or 0)))
    if taken is not None:
        raise RuleError(N_("A segment of this name is there already."))
    return checked


def _record(session: Session, segment: Segment, act: str, by: Account | None, ip: str | None) -> None:
    record(
        session,
        by=by,
        action=f"segment.{act}",
        subject_type="segment",
        subject_id=segment.id,
        ip=ip,
        name=segment.name,
        tree=segment.tree,
    )
