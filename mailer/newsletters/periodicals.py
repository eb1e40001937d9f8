"""Newsletters: founding one, changing it, finding it."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.addresses import parse_address
from mailer.errors import NotFoundError, RuleError
from mailer.i18n import N_
from mailer.newsletters.models import Newsletter
from mailer.newsletters.rules import (
    ArchiveAccess,
    Tracking,
    check_language,
    check_origin,
    check_paragraphs,
    check_slug,
    check_text,
    check_time_zone,
)


def _line(length: int, *, is_required: bool = False) -> Callable[[str], str]:
    return lambda value: check_text(value, length=length, is_required=is_required)


def _optional_address(value: str | None) -> str | None:
    return parse_address(value).email if value and value.strip() else None


def _tracking(value: str) -> Tracking:
    try:
        return Tracking(value)
    except ValueError:
        raise RuleError(N_("There is no such choice.")) from None


def _archive_access(value: str) -> ArchiveAccess:
    try:
        return ArchiveAccess(value)
    except ValueError:
        raise RuleError(N_("There is no such choice.")) from None


def _origins(values: Sequence[str]) -> list[str]:
    return sorted({check_origin(value) for value in values})


# What can be changed later, each with what makes a clean value of it. The short name is not among them: it stands
# in every link ever mailed and in the List-Id by which readers filter.
_FIELDS: dict[str, Callable[[Any], Any]] = {
    "title": _line(200, is_required=True),
    "description": check_paragraphs,
    "publisher": _line(200),
    "language": check_language,
    "time_zone": check_time_zone,
    "sender_name": _line(120, is_required=True),
    "sender_address": lambda value: parse_address(value).email,
    "reply_to": _optional_address,
    "theme": _line(64, is_required=True),
    "theme_options": dict,
    "contact": check_paragraphs,
    "tracking": _tracking,
    "archive_access": _archive_access,
    "is_four_eyes": bool,
    "frequency": _line(120),
    "allowed_origins": _origins,
}


def _clean(values: dict[str, Any]) -> dict[str, Any]:
    for name in values:
        if name not in _FIELDS:
            raise TypeError(f"a newsletter has no field {name!r} that can be set")
    return {name: _FIELDS[name](value) for name, value in values.items()}


def create_newsletter(
    session: Session,
    *,
    slug: str,
    title: str,
    sender_name: str,
    sender_address: str,
    by: Account | None = None,
    **values: Any,
) -> Newsletter:
    """A new newsletter, without lists; `values` are further columns of `Newsletter`. Raises `RuleError`."""
    slug = check_slug(slug)
    if find_newsletter_by_slug(session, slug):
        raise RuleError(N_("The short name “%(slug)s” is taken by another newsletter."), slug=slug)
    values |= {"title": title, "sender_name": sender_name, "sender_address": sender_address}
    newsletter = Newsletter(slug=slug, **_clean(values))
    session.add(newsletter)
    session.flush()
    record(session, by=by, action="newsletter.created", subject_type="newsletter", subject_id=newsletter.id, slug=slug)
    return newsletter


def change_newsletter(session: Session, newsletter: Newsletter, *, by: Account | None = None, **values: Any) -> None:
    """Changes columns of `newsletter`; its short name never changes. Raises `RuleError`."""
    changed = {name: value for name, value in _clean(values).items() if getattr(newsletter, name) != value}
    for name, value in changed.items():
        setattr(newsletter, name, value)
    if changed:
        session.flush()
        record(
            session, by=by, action="newsletter.changed", subject_type="newsletter", subject_id=newsletter.id, **changed
        )


def archive_newsletter(session: Session, newsletter: Newsletter, *, at: dt.datetime, by: Account | None = None) -> None:
    """It appears no more: its issues stay readable, and nobody can sign up."""
    if newsletter.archived_at is None:
        newsletter.archived_at = at
        record(session, by=by, action="newsletter.archived", subject_type="newsletter", subject_id=newsletter.id)


def list_newsletters(session: Session, *, has_archived: bool = False) -> Sequence[Newsletter]:
    """All newsletters by title; those that appear no more only when asked for."""
    query = select(Newsletter).order_by(Newsletter.title, Newsletter.id)
    if not has_archived:
        query = query.where(Newsletter.archived_at.is_(None))
    return session.scalars(query).all()


def get_newsletter(session: Session, newsletter_id: int) -> Newsletter:
    """Raises `NotFoundError`."""
    newsletter = session.get(Newsletter, newsletter_id)
    if newsletter is None:
        raise NotFoundError(N_("There is no such newsletter."))
    return newsletter


def find_newsletter_by_slug(session: Session, slug: str) -> Newsletter | None:
    """The newsletter whose address is ``/n/<slug>/``."""
    return session.scalar(select(Newsletter).where(Newsletter.slug == slug))


def get_newsletter_by_slug(session: Session, slug: str) -> Newsletter:
    """Raises `NotFoundError`."""
    newsletter = find_newsletter_by_slug(session, slug)
    if newsletter is None:
        raise NotFoundError(N_("There is no such newsletter."))
    return newsletter
