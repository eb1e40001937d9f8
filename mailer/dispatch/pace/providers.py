"""Provider groups: whose mailbox an address is in, and how much of it one sender may give to each.

Data, in `providers.toml` beside this module, with the defaults of the providers' own pages; what an admin has set
otherwise is laid over it by `provider_settings`. Through a relay the group follows the address's domain; sent direct it
would follow the MX (a later issue).
"""

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import idna

OTHER = "other"
DATA = Path(__file__).with_name("providers.toml")
# A domain as A-labels, or every domain below one.
PATTERN = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Provider:
    """A group of domains behind the same servers. A limit of `None` does not exist; `zone` is where its day begins.

    A domain may be ``*.example.org``: every domain below it. `share` is of its rate, below 1 while it is slowed.
    """

    name: str
    domains: tuple[str, ...]
    connections: int
    messages_per_connection: int
    per_minute: int | None = None
    per_hour: int | None = None
    per_day: int | None = None
    suspend_after: int | None = None
    suspend_minutes: int = 60
    zone: str = "UTC"
    share: float = 1.0

    @property
    def rate(self) -> float | None:
        """Messages per second that keep the minute's, the hour's and the day's limit."""
        limits = ((self.per_minute, 60), (self.per_hour, 3600), (self.per_day, 86_400))
        rates = [limit / seconds for limit, seconds in limits if limit]
        return self.share * min(rates) if rates else None

    @property
    def at_once(self) -> int | None:
        """How many messages may be on their way to it at a time; `None` for `other`, which is no one's server."""
        return None if self.name == OTHER else self.connections


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


def domain_pattern(typed: str) -> str | None:
    """A domain, or ``*.`` and a domain, as it is compared: A-labels in lower case; `None` where it is neither."""
    tidy = typed.strip().strip(".").lower()
    head, tail = ("*.", tidy[2:]) if tidy.startswith("*.") else ("", tidy)
    try:
        domain = head + idna.encode(tail, uts46=True).decode("ascii")
    except idna.IDNAError:
        return None
    return domain if PATTERN.fullmatch(domain) and len(domain) <= 255 else None


@lru_cache(maxsize=1)
def get_domains() -> dict[str, str]:
    """Domain (A-labels, lower case) -> name of its group, for those that are in one."""
    return {domain: group.name for group in get_providers().values() for domain in group.domains}


def provider_of(domain: str) -> str:
    """The name of the group that the file puts a domain in, by its own name or the longest suffix."""
    domains = get_domains()
    names = [domain]
    rest = domain
    while rest := rest.partition(".")[2]:
        names.append(f"*.{rest}")
    return next((domains[name] for name in names if name in domains), OTHER)
