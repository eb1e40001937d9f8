"""Lists of a newsletter: who it goes to."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.addresses import parse_address
from mailer.errors import NotFoundError, RuleError
from mailer.i18n import N_
from mailer.newsletters.models import List, Newsletter
from mailer.newsletters.questions import check_questions
from mailer.newsletters.rules import OptIn, Visibility, check_paragraphs, check_slug, check_text


def _choice(kind: type[OptIn] | type[Visibility]) -> Callable[[str], str]:
    def clean(value: str) -> str:
        try:
            return kind(value)
        except ValueError:
            raise RuleError(N_("There is no such choice.")) from None

    return clean


# The short name is not among them: it is part of List-Id, by which readers filter.
_FIELDS: dict[str, Callable[[Any], Any]] = {
    "name": lambda value: check_text(value, length=200, is_required=True),
    "description": check_paragraphs,
    "opt_in": _choice(OptIn),
    "visibility": _choice(Visibility),
    "position": int,
    "has_welcome": bool,
    "required_attributes": check_questions,
    "owner": lambda value: parse_address(value).email if value and value.strip() else "",
}


def _clean(values: dict[str, Any]) -> dict[str, Any]:
    for name in values:
        if name not in _FIELDS:
            raise TypeError(f"a list has no field {name!r} that can be set")
    return {name: _FIELDS[name](value) for name, value in values.items()}


def create_list(
    session: Session, newsletter: Newsletter, *, slug: str, name: str, by: Account | None = None, **values: Any
) -> List:
    """A new list of `newsletter`; `values` are further columns of `List`. Raises `RuleError`."""
    slug = check_slug(slug)
    if session.scalar(select(List.id).where(List.newsletter_id == newsletter.id, List.slug == slug)):
        raise RuleError(N_("The short name “%(slug)s” is taken by another list of this newsletter."), slug=slug)
    made = List(newsletter=newsletter, slug=slug, **_clean(values | {"name": name}))
    session.add(made)
    session.flush()
    record(session, by=by, action="list.created", subject_type="list", subject_id=made.id, slug=slug)
    return made


def change_list(session: Session, changed_list: List, *, by: Account | None = None, **values: Any) -> None:
    """Changes columns of a list; its short name never changes. Raises `RuleError`."""
    changed = {name: value for name, value in _clean(values).items() if getattr(changed_list, name) != value}
    for name, value in changed.items():
        setattr(changed_list, name, value)
    if changed:
        session.flush()
        record(session, by=by, action="list.changed", subject_type="list", subject_id=changed_list.id, **changed)


def archive_list(session: Session, archived: List, *, at: dt.datetime, by: Account | None = None) -> None:
    """Nobody can join it and no mailing can go to it any more; what was sent stays."""
    if archived.archived_at is None:
        archived.archived_at = at
        record(session, by=by, action="list.archived", subject_type="list", subject_id=archived.id)


def restore_list(session: Session, restored: List, *, by: Account | None = None) -> None:
    """The undo of `archive_list`; its readers are as they were."""
    if restored.archived_at is not None:
        restored.archived_at = None
        record(session, by=by, action="list.restored", subject_type="list", subject_id=restored.id)


def list_lists(
    session: Session, *, newsletter_id: int | None = None, is_public: bool = False, has_archived: bool = False
) -> Sequence[List]:
    """Lists with their newsletters, in the order readers see; `is_public` leaves out what the portal must not show."""
    query = select(List).join(List.newsletter).options(joinedload(List.newsletter))
    if newsletter_id is not None:
        query = query.where(List.newsletter_id == newsletter_id)
    if is_public:
        query = query.where(List.visibility == Visibility.PUBLIC, Newsletter.archived_at.is_(None))
    if not has_archived:
        query = query.where(List.archived_at.is_(None))
    return session.scalars(query.order_by(Newsletter.title, Newsletter.id, List.position, List.id)).all()


def get_list(session: Session, list_id: int) -> List:
    """Raises `NotFoundError`."""
    found = session.get(List, list_id)
    if found is None:
        raise NotFoundError(N_("There is no such list."))
    return found


def get_list_by_name(session: Session, name: str) -> List:
    """The list an operator means by its name, its short name, or ``newsletter/list`` in short names.

    Raises `NotFoundError`, or `RuleError` when several lists answer to `name`.
    """
    newsletter_slug, _, slug = name.strip().rpartition("/")
    query = select(List).join(List.newsletter).where(List.archived_at.is_(None))
    if newsletter_slug:
        query = query.where(Newsletter.slug == newsletter_slug, List.slug == slug)
    else:
        query = query.where(or_(List.slug == slug, List.name == slug))
    found = session.scalars(query).all()
    if not found:
        raise NotFoundError(N_("There is no list “%(name)s”."), name=name)
    if len(found) > 1:
        raise RuleError(N_("Several lists are called “%(name)s”; say which as newsletter/list."), name=name)
    return found[0]


def list_id_of(named: List) -> str:
    """The value of List-Id without brackets (RFC 2919): ``slug.newsletter-slug.domain``, at most 255 octets."""
    domain = named.newsletter.sender_address.rpartition("@")[2]
    return f"{named.slug}.{named.newsletter.slug}.{domain}"
