"""What a directory is and when a run of it goes too far. Pure."""

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from mailer.audience.headings import Target, fold
from mailer.audience.layouts import COLUMNS_READ, Layout
from mailer.errors import UnreadableError
from mailer.i18n import N_


class DirectoryKind(StrEnum):
    """Where it is read from."""

    FILE = "file"
    HTTPS = "https"
    LDAP = "ldap"


class DirectoryState(StrEnum):
    """``draft -> on <-> paused``; switched on only after a dry run of it as it stands."""

    DRAFT = "draft"
    ON = "on"
    PAUSED = "paused"


class RunState(StrEnum):
    """``queued -> running -> finished``, or ``failed``, or ``stopped``: it would have removed too many.

    Neither of the two has changed anything.
    """

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"


RUN_OPEN = (RunState.QUEUED, RunState.RUNNING)


class Finding(StrEnum):
    """What a run says of one person or line; who is unchanged is only counted."""

    NEW = "new"
    CHANGED = "changed"
    REMOVED = "removed"
    DUPLICATE = "duplicate"
    INVALID = "invalid"
    SUPPRESSED = "suppressed"
    LEFT = "left"


COUNTS = ("new", "changed", "unchanged", "removed", "duplicate", "invalid", "suppressed", "left")


class Auth(StrEnum):
    """How a web server is told the key."""

    NONE = "none"
    BEARER = "bearer"
    HEADER = "header"


class Security(StrEnum):
    """How a conversation with an LDAP server is secured: always, because a password goes over it."""

    TLS = "tls"
    STARTTLS = "starttls"


class Scope(StrEnum):
    """How far below the base an LDAP search looks."""

    SUBTREE = "subtree"
    ONE = "one"


@dataclass(frozen=True, slots=True)
class Mapping:
    """Which column (or LDAP attribute) says what; `attributes` is attribute of the reader -> column."""

    email: str
    name: str = ""
    locale: str = ""
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """All of them, each once."""
        named = [self.email, self.name, self.locale, *self.attributes.values()]
        return list(dict.fromkeys(column for column in named if column))

    def layout(self, headings: list[str]) -> Layout:
        """How a table with these headings is read. Raises `UnreadableError` for a column that is not there: a table
        that has lost one is broken, and says nothing about who is in it.
        """
        folded = [fold(heading) for heading in headings[:COLUMNS_READ]]
        targets, names = [Target.IGNORE] * len(folded), [""] * len(folded)
        wanted = [(Target.EMAIL, self.email, ""), (Target.NAME, self.name, ""), (Target.LOCALE, self.locale, "")]
        wanted += [(Target.ATTRIBUTE, column, key) for key, column in self.attributes.items()]
        for target, column, key in wanted:
            if not column:
                continue
            if fold(column) not in folded:
                raise UnreadableError(N_("The column “%(column)s” is not in the table."), column=column)
            place = folded.index(fold(column))
            if targets[place] is not Target.IGNORE:
                raise UnreadableError(N_("The column “%(column)s” is used for two things."), column=column)
            targets[place], names[place] = target, key
        return Layout(targets, names, has_header=True)

    def as_json(self) -> dict[str, Any]:
        return {"email": self.email, "name": self.name, "locale": self.locale, "attributes": self.attributes}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Mapping":
        return cls(value["email"], value["name"], value["locale"], dict(value["attributes"]))


def next_night(moment: dt.datetime, hour: int, zone: str) -> dt.datetime:
    """The next time after `moment` (aware) that clocks in `zone` show `hour` o'clock, in UTC. An hour that a change of
    clocks leaves out comes as the clocks are put.
    """
    local = moment.astimezone(ZoneInfo(zone))
    day = local.date()
    while True:
        due = dt.datetime.combine(day, dt.time(hour), ZoneInfo(zone)).astimezone(dt.UTC)
        if due > moment:
            return due
        day += dt.timedelta(days=1)


def is_too_many(removals: int, members: int, *, percent: int, count: int) -> bool:
    """Whether a run that would take `removals` of `members` off goes beyond either bound. Nobody is never too many."""
    return removals > 0 and (removals > count or removals * 100 > members * percent)
