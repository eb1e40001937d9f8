"""Provider groups as an admin has set them: `providers.toml`, with what stands in `provider_overrides` over it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.dispatch.models import ProviderOverride
from mailer.dispatch.pace.providers import OTHER, Provider, domain_pattern, get_providers
from mailer.errors import NotFoundError, RuleError
from mailer.i18n import N_

# Bounds of what may be typed; beyond them a slip of the finger is likelier than a wish.
LIMITS: dict[str, int] = {
    "connections": 200,
    "messages_per_connection": 100_000,
    "per_minute": 1_000_000,
    "per_hour": 10_000_000,
    "per_day": 100_000_000,
    "suspend_after": 10_000,
    "suspend_minutes": 7 * 24 * 60,
}
# Domains that an admin may add to one group.
MOST_DOMAINS = 500

# Every domain that has a reader and lies below one of the suffixes: the domains are hopped through in their index, not
# the readers.
BELOW = text("""
WITH RECURSIVE hop(domain) AS (
    (SELECT domain FROM subscribers ORDER BY domain LIMIT 1)
    UNION ALL
    SELECT (SELECT s.domain FROM subscribers s WHERE s.domain > hop.domain ORDER BY s.domain LIMIT 1)
    FROM hop WHERE hop.domain IS NOT NULL
)
SELECT hop.domain FROM hop
WHERE hop.domain LIKE ANY(SELECT '%.' || suffix FROM unnest(CAST(:suffixes AS varchar[])) AS x(suffix))
""")


def load_providers(session: Session) -> dict[str, Provider]:
    """Name -> group, as they are in force now."""
    groups = dict(get_providers())
    for row in session.scalars(select(ProviderOverride)):
        if (group := groups.get(row.name)) is None:
            continue
        changes: dict[str, Any] = {name: value for name in LIMITS if (value := getattr(row, name)) is not None}
        groups[row.name] = replace(group, domains=(*group.domains, *row.domains), **changes)
    return groups


def load_domains(session: Session) -> dict[str, str]:
    """Domain -> name of its group, of those in any: asked once when a roster is frozen or forecast.

    Suffixes (``*.example.org``) are written out as the domains below them that have a reader; the longest suffix
    decides, and a domain by its own name before any of them.
    """
    exact: dict[str, str] = {}
    suffixes: dict[str, str] = {}
    for group in load_providers(session).values():
        for domain in group.domains:
            target, name = (suffixes, domain[2:]) if domain.startswith("*.") else (exact, domain)
            target[name] = group.name
    if suffixes:
        for domain in session.scalars(BELOW, {"suffixes": list(suffixes)}):
            exact.setdefault(domain, _by_suffix(domain, suffixes))
    return exact


def _by_suffix(domain: str, suffixes: Mapping[str, str]) -> str:
    rest = domain
    while rest not in suffixes or rest == domain:
        rest = rest.partition(".")[2]
        if not rest:
            return OTHER
    return suffixes[rest]


def find_override(session: Session, name: str) -> ProviderOverride | None:
    """What was set for a group. Raises `NotFoundError` where there is no such group."""
    if name not in get_providers():
        raise NotFoundError(N_("There is no such provider group."))
    return session.get(ProviderOverride, name)


def set_override(
    session: Session, name: str, *, by: Account | None, domains: Sequence[str] = (), **values: int | None
) -> None:
    """`values` of `LIMITS` over the file's (`None`: as the file says); `domains` added to the group. Audited.

    In force for the next run, within seconds; a roster that is frozen keeps its groups. Raises `RuleError`,
    `NotFoundError`.
    """
    if unknown := values.keys() - LIMITS.keys():
        raise TypeError(f"a provider has no limit {', '.join(sorted(unknown))}")
    for limit, value in values.items():
        if value is not None and not 0 < value <= LIMITS[limit]:
            raise RuleError(N_("A limit is a whole number from 1 to %(most)s."), most=LIMITS[limit])
    row = find_override(session, name)
    default = get_providers()[name]
    kept = {limit: value for limit, value in values.items() if value != getattr(default, limit)}
    added = _read_domains(session, name, domains)
    if not added and not any(value is not None for value in kept.values()):
        reset_override(session, name, by=by)
        return
    row = row or ProviderOverride(name=name)
    for limit in LIMITS:
        setattr(row, limit, kept.get(limit))
    row.domains = added
    session.add(row)
    session.flush()
    told: dict[str, Any] = {limit: value for limit, value in kept.items() if value is not None}
    told |= {"provider": name, "domains": added}
    record(session, by=by, action="provider.changed", subject_type="provider", subject_id=None, **told)


def reset_override(session: Session, name: str, *, by: Account | None) -> None:
    """All as the file says. Audited, where anything was otherwise."""
    row = find_override(session, name)
    if row is not None:
        session.delete(row)
        session.flush()
        record(session, by=by, action="provider.reset", subject_type="provider", subject_id=None, provider=name)


def _read_domains(session: Session, name: str, domains: Sequence[str]) -> list[str]:
    """Tidied, each once, in the form addresses are kept in. Raises `RuleError`."""
    own = set(get_providers()[name].domains)
    others = {
        domain: group.name
        for group in load_providers(session).values()
        for domain in group.domains
        if group.name != name
    }
    added: list[str] = []
    for typed in domains:
        if not typed.strip():
            continue
        domain = domain_pattern(typed)
        if domain is None:
            raise RuleError(N_("“%(domain)s” is not a domain."), domain=typed.strip()[:100])
        if domain in others:
            raise RuleError(
                N_("%(domain)s belongs to the group %(group)s already."), domain=domain, group=others[domain]
            )
        if domain not in own and domain not in added:
            added.append(domain)
    if len(added) > MOST_DOMAINS:
        raise RuleError(N_("At most %(most)s domains can be added to a group."), most=MOST_DOMAINS)
    return added
