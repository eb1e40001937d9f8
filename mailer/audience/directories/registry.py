"""Directories as admins set them up: made, changed, switched on after a dry run, paused, removed. Every act is audited.

Keys and passwords go in sealed and never come out.
"""

import datetime as dt
import re
from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mailer import sealing
from mailer.accounts.models import Account
from mailer.audience.directories.ldap_source import parse_filter
from mailer.audience.directories.models import Directory, DirectoryMember
from mailer.audience.directories.places import (
    LDAP_PORT,
    LDAPS_PORT,
    check_ldap_host,
    find_path,
    read_https,
    read_server,
)
from mailer.audience.directories.rules import (
    Auth,
    DirectoryKind,
    DirectoryState,
    Mapping,
    Scope,
    Security,
    next_night,
)
from mailer.audience.directories.trail import record_act
from mailer.audience.layouts import KEY_LENGTH
from mailer.db import now
from mailer.errors import NotFoundError, RuleError
from mailer.i18n import N_
from mailer.newsletters import get_list
from mailer.newsletters.rules import check_text
from mailer.settings import get_settings

_T = TypeVar("_T", bound=StrEnum)
# What is read: a change of it asks for a new dry run.
_READ = ("list_id", "kind", "location", "options", "mapping")
_OTHER = ("name", "decided_by", "decided_on", "hour", "limit_percent", "limit_count")
FIELDS = frozenset((*_READ, *_OTHER))
MOST_ATTRIBUTES = 20
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
# Those that make a request what it is are not a key's.
_NO_KEY = frozenset({"host", "connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer"})


def list_directories(session: Session) -> Sequence[Directory]:
    """By name."""
    return session.scalars(select(Directory).order_by(Directory.name)).all()


def get_directory(session: Session, directory_id: int) -> Directory:
    """Raises `NotFoundError`."""
    directory = session.get(Directory, directory_id)
    if directory is None:
        raise NotFoundError(N_("There is no such directory."))
    return directory


def get_directory_by_name(session: Session, name: str) -> Directory:
    """Raises `NotFoundError`."""
    directory = session.scalar(select(Directory).where(Directory.name == name.strip()))
    if directory is None:
        raise NotFoundError(N_("There is no such directory."))
    return directory


def count_members(session: Session, directory_id: int) -> int:
    """Readers it brought and has."""
    query = select(func.count()).where(
        DirectoryMember.directory_id == directory_id, DirectoryMember.removed_at.is_(None)
    )
    return session.scalar(query) or 0


def create_directory(
    session: Session, *, by: Account | None, secret: str = "", ip: str | None = None, **values: Any
) -> Directory:
    """A new one, a draft; `values` are all of `FIELDS`, `mapping` a `rules.Mapping`. Raises `RuleError`."""
    cleaned = _clean(session, values)
    _check_secret(cleaned["kind"], cleaned["options"], secret, has_one=False)
    directory = Directory(sealed_secret=sealing.seal(secret.encode(), sealing.DIRECTORY_SECRETS), **cleaned)
    _save(session, directory)
    record_act(session, directory, "created", by, ip, list_id=directory.list_id, kind=directory.kind)
    return directory


def change_directory(
    session: Session,
    directory: Directory,
    *,
    by: Account | None,
    secret: str | None = None,
    ip: str | None = None,
    **values: Any,
) -> None:
    """Changes all of `FIELDS`; a `secret` of `None` stays as it is, an empty one is forgotten. Where what is read
    becomes another, it is paused until a dry run has shown it. Raises `RuleError`.
    """
    session.refresh(directory, with_for_update=True)
    cleaned = _clean(session, values)
    _check_secret(
        cleaned["kind"], cleaned["options"], secret or "", has_one=secret is None and bool(directory.sealed_secret)
    )
    if cleaned["list_id"] != directory.list_id and count_members(session, directory.id):
        raise RuleError(N_("It has brought readers to its list already. Make another directory for another list."))
    # A key is for the place it was entered for: it must not be sent to another by changing the address alone.
    if secret is None and directory.sealed_secret and _place(cleaned) != _place(vars(directory)):
        raise RuleError(N_("The source is another one now: enter its key or password again."))
    changed = {name: value for name, value in cleaned.items() if getattr(directory, name) != value}
    for name, value in changed.items():
        setattr(directory, name, value)
    if secret is not None:
        directory.sealed_secret = sealing.seal(secret.encode(), sealing.DIRECTORY_SECRETS)
    if secret is not None or not changed.keys().isdisjoint(_READ):
        directory.revision += 1
        if directory.state == DirectoryState.ON:
            directory.state = DirectoryState.PAUSED
    directory.next_run_at = _next(session, directory)
    _save(session, directory)
    fields = [*changed, *(["secret"] if secret is not None else [])]
    if fields:
        record_act(session, directory, "changed", by, ip, fields=sorted(fields))


def switch_on(session: Session, directory: Directory, *, by: Account | None, ip: str | None = None) -> None:
    """Read every night from now on. Raises `RuleError` before a dry run has shown it as it stands."""
    session.refresh(directory, with_for_update=True)
    if directory.tried_revision != directory.revision:
        raise RuleError(N_("Try it first: a dry run shows what it would do."))
    if get_list(session, directory.list_id).archived_at is not None:
        raise RuleError(N_("This list is archived: nobody can be added to it."))
    directory.state = DirectoryState.ON
    directory.next_run_at = _next(session, directory)
    record_act(session, directory, "switched_on", by, ip)


def pause(session: Session, directory: Directory, *, by: Account | None, ip: str | None = None) -> None:
    """Not read until it is switched on again; nobody is taken off for that."""
    session.refresh(directory, with_for_update=True)
    if directory.state != DirectoryState.ON:
        raise RuleError(N_("This directory is not switched on."))
    directory.state = DirectoryState.PAUSED
    directory.next_run_at = None
    record_act(session, directory, "paused", by, ip)


def remove_directory(session: Session, directory: Directory, *, by: Account | None, ip: str | None = None) -> None:
    """Gone with its runs; the readers it brought stay on the list."""
    record_act(session, directory, "removed", by, ip, list_id=directory.list_id)
    session.delete(directory)
    session.flush()


def _next(session: Session, directory: Directory) -> dt.datetime | None:
    if directory.state != DirectoryState.ON:
        return None
    return next_night(now(session), directory.hour, get_settings().time_zone)


def _save(session: Session, directory: Directory) -> None:
    try:
        with session.begin_nested():
            session.add(directory)
            session.flush()
    except IntegrityError:
        raise RuleError(N_("There is a directory of this name already.")) from None


def _place(values: MappingType[str, Any]) -> tuple[Any, ...]:
    """Where a key goes."""
    kind, location = values["kind"], values["location"]
    if kind == DirectoryKind.HTTPS:
        parts = read_https(location)
        return kind, parts.hostname, parts.port
    return kind, location


def _clean(session: Session, values: dict[str, Any]) -> dict[str, Any]:
    if values.keys() != FIELDS:
        raise TypeError(f"a directory has the fields {', '.join(sorted(FIELDS))}")
    target = get_list(session, values["list_id"])
    if target.archived_at is not None:
        raise RuleError(N_("This list is archived: nobody can be added to it."))
    try:
        kind = DirectoryKind(values["kind"])
    except ValueError:
        raise RuleError(N_("There is no such choice.")) from None
    location = check_text(values["location"], length=1000, is_required=True)
    cleaned = {
        "name": check_text(values["name"], length=64, is_required=True),
        "list_id": target.id,
        "kind": kind,
        "location": location,
        "options": _CLEANERS[kind](location, values["options"]),
        "mapping": _clean_mapping(values["mapping"]).as_json(),
        "decided_by": check_text(values["decided_by"], length=200, is_required=True),
        "decided_on": values["decided_on"],
        "hour": values["hour"],
        "limit_percent": values["limit_percent"],
        "limit_count": values["limit_count"],
    }
    if values["decided_on"] > now(session).astimezone(ZoneInfo(get_settings().time_zone)).date():
        raise RuleError(N_("The decision cannot lie in the future."))
    if not 0 <= values["hour"] <= 23:
        raise RuleError(N_("An hour is a number from 0 to 23."))
    if not (0 <= values["limit_percent"] <= 100 and 0 <= values["limit_count"] <= 1_000_000):
        raise RuleError(N_("A limit is from 0 to 100 percent, and from 0 to 1,000,000 readers."))
    return cleaned


def _clean_mapping(mapping: Mapping) -> Mapping:
    attributes = {
        check_text(key, length=KEY_LENGTH, is_required=True): check_text(column, length=KEY_LENGTH, is_required=True)
        for key, column in mapping.attributes.items()
    }
    if len(attributes) > MOST_ATTRIBUTES:
        raise RuleError(N_("A directory can bring at most %(count)s attributes."), count=MOST_ATTRIBUTES)
    return Mapping(
        email=check_text(mapping.email, length=KEY_LENGTH, is_required=True),
        name=check_text(mapping.name, length=KEY_LENGTH),
        locale=check_text(mapping.locale, length=KEY_LENGTH),
        attributes=attributes,
    )


def _clean_file(location: str, _options: dict[str, Any]) -> dict[str, Any]:
    find_path(location)
    return {}


def _clean_https(location: str, options: dict[str, Any]) -> dict[str, Any]:
    read_https(location)
    auth = _choice(Auth, options["auth"])
    header = options.get("header", "").strip() if auth is Auth.HEADER else ""
    if auth is Auth.HEADER and (not _HEADER.fullmatch(header) or header.lower() in _NO_KEY):
        raise RuleError(N_("Name the header that carries the key, such as X-Api-Key."))
    return {"auth": auth.value, "header": header}


def _clean_ldap(location: str, options: dict[str, Any]) -> dict[str, Any]:
    security = _choice(Security, options["security"])
    check_ldap_host(*read_server(location, LDAPS_PORT if security is Security.TLS else LDAP_PORT))
    parse_filter(options.get("filter", ""))
    return {
        "security": security.value,
        "bind_dn": check_text(options.get("bind_dn", ""), length=500),
        "base": check_text(options.get("base", ""), length=500, is_required=True),
        "scope": _choice(Scope, options["scope"]).value,
        "filter": check_text(options.get("filter", ""), length=2000),
    }


def _choice(kind: type[_T], value: Any) -> _T:
    try:
        return kind(value)
    except ValueError:
        raise RuleError(N_("There is no such choice.")) from None


_CLEANERS = {
    DirectoryKind.FILE: _clean_file,
    DirectoryKind.HTTPS: _clean_https,
    DirectoryKind.LDAP: _clean_ldap,
}


def _check_secret(kind: DirectoryKind, options: dict[str, Any], secret: str, *, has_one: bool) -> None:
    """A bind with a name and without a password would let anybody in, and prove nothing (RFC 4513 section 5.1.2)."""
    is_needed = (kind is DirectoryKind.HTTPS and options["auth"] != Auth.NONE) or (
        kind is DirectoryKind.LDAP and bool(options["bind_dn"])
    )
    if is_needed and not secret and not has_one:
        raise RuleError(N_("Enter the key or password that the source asks for."))
    if kind is DirectoryKind.HTTPS and not (secret.isascii() and (secret.isprintable() or not secret)):
        raise RuleError(N_("A key for a web server has letters, digits and signs only."))
