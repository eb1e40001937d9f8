"""Provider groups: whose mailbox an address is in, and how much of it one sender may give to each.

Data, in `providers.toml` beside this module, with the defaults of the providers' own pages. Through a relay the group
follows the address's domain; sent direct it would follow the MX (a later issue).
"""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

OTHER = "other"
DATA = Path(__file__).with_name("providers.toml")


@dataclass(frozen=True, slots=True)
class Provider:
    """A group of domains behind the same servers. A limit of `None` does not exist; `zone` is where its day begins."""

    name: str
    domains: tuple[str, ...]
    connections: int
    messages_per_connection: int
    per_hour: int | None = None
    per_day: int | None = None
    suspend_after: int | None = None
    suspend_minutes: int = 60
    zone: str = "UTC"

    @property
    def rate(self) -> float | None:
        """Messages per second that keep both the hour's and the day's limit."""
        rates = [limit / seconds for limit, seconds in ((self.per_hour, 3600), (self.per_day, 86_400)) if limit]
        return min(rates) if rates else None


def read_providers(path: Path) -> dict[str, Provider]:
    """Name -> group. Raises `ValueError` where a domain stands in two groups or `other` is missing."""
    with path.open("rb") as file:
        tables = tomllib.load(file)
    groups = {name: Provider(name=name, domains=tuple(table.pop("domains")), **table) for name, table in tables.items()}
    if OTHER not in groups:
        raise ValueError(f"{path}: there must be a group {OTHER!r}")
    seen: dict[str, str] = {}
    for group in groups.values():
        ZoneInfo(group.zone)
        for domain in group.domains:
            if seen.setdefault(domain, group.name) != group.name:
                raise ValueError(f"{path}: {domain} stands in {seen[domain]} and in {group.name}")
    return groups


@lru_cache(maxsize=1)
def get_providers() -> dict[str, Provider]:
    """Every group of the data file."""
    return read_providers(DATA)


@lru_cache(maxsize=1)
def get_domains() -> dict[str, str]:
    """Domain (A-labels, lower case) -> name of its group, for those that are in one."""
    return {domain: group.name for group in get_providers().values() for domain in group.domains}


def provider_of(domain: str) -> str:
    """The name of the group a domain belongs to."""
    return get_domains().get(domain, OTHER)
