"""Sending windows as they are kept: a mailing's own, else its newsletter's; outside of it nothing is claimed."""

import datetime as dt
from collections.abc import Collection
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.dispatch.models import Mailing, SendingWindow
from mailer.dispatch.pace.window_hours import EVERY_DAY, Window
from mailer.errors import RuleError
from mailer.i18n import N_


def window_of(row: SendingWindow) -> Window:
    """The row as the calendar needs it."""
    return Window(frozenset(day for day in EVERY_DAY if row.days >> day & 1), row.starts, row.ends, row.zone)


def find_window(session: Session, *, newsletter_id: int, mailing_id: int | None = None) -> Window | None:
    """The one that decides for a mailing (or for one to come); `None` where mail may leave at any time."""
    rows = session.scalars(
        select(SendingWindow).where(
            or_(SendingWindow.newsletter_id == newsletter_id, SendingWindow.mailing_id == mailing_id)
        )
    ).all()
    row = next((row for row in rows if row.mailing_id is not None), rows[0] if rows else None)
    return window_of(row) if row else None


def find_own(session: Session, *, newsletter_id: int | None = None, mailing_id: int | None = None) -> Window | None:
    """The one set for exactly this newsletter, or exactly this mailing."""
    row = _find_row(session, newsletter_id, mailing_id)
    return window_of(row) if row else None


def list_closed(session: Session, mailings: Collection[Mailing], at: dt.datetime) -> set[int]:
    """Those of `mailings` whose window is not open at `at`; one question for all of them."""
    if not mailings:
        return set()
    rows = session.scalars(
        select(SendingWindow).where(
            or_(
                SendingWindow.newsletter_id.in_({mailing.newsletter_id for mailing in mailings}),
                SendingWindow.mailing_id.in_({mailing.id for mailing in mailings}),
            )
        )
    ).all()
    of_newsletter = {row.newsletter_id: row for row in rows if row.newsletter_id is not None}
    of_mailing = {row.mailing_id: row for row in rows if row.mailing_id is not None}
    deciding = {each.id: of_mailing.get(each.id) or of_newsletter.get(each.newsletter_id) for each in mailings}
    return {number for number, row in deciding.items() if row and window_of(row).closes_at(at) is None}


def set_window(
    session: Session,
    window: Window | None,
    *,
    newsletter_id: int | None = None,
    mailing_id: int | None = None,
    by: Account | None,
) -> None:
    """Sets it for a newsletter or for one mailing; `None` takes it away. In force within seconds. Audited.

    Raises `RuleError` without any day, or for a time zone that is not known.
    """
    row = _find_row(session, newsletter_id, mailing_id)
    if window is None:
        if row is not None:
            session.delete(row)
    else:
        _check(window)
        row = row or SendingWindow(newsletter_id=newsletter_id, mailing_id=mailing_id)
        row.days = sum(1 << day for day in window.days)
        row.starts, row.ends, row.zone = window.starts, window.ends, window.zone
        session.add(row)
    session.flush()
    told = _told(window)
    if newsletter_id is not None:
        action = "newsletter.window_set" if window else "newsletter.window_removed"
        record(session, by=by, action=action, subject_type="newsletter", subject_id=newsletter_id, **told)
    else:
        action = "mailing.window_set" if window else "mailing.window_removed"
        record(session, by=by, action=action, subject_type="mailing", subject_id=mailing_id, **told)


def _told(window: Window | None) -> dict[str, Any]:
    if window is None:
        return {}
    hours = f"{window.starts:%H:%M}-{window.ends:%H:%M}"
    return {"days": sorted(window.days), "hours": hours, "zone": window.zone}


def _check(window: Window) -> None:
    if not window.days or not window.days <= EVERY_DAY:
        raise RuleError(N_("Choose at least one day."))
    try:
        ZoneInfo(window.zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise RuleError(N_("There is no such time zone.")) from None


def _find_row(session: Session, newsletter_id: int | None, mailing_id: int | None) -> SendingWindow | None:
    column, value = (
        (SendingWindow.newsletter_id, newsletter_id)
        if newsletter_id is not None
        else (SendingWindow.mailing_id, mailing_id)
    )
    return session.scalar(select(SendingWindow).where(column == value))
