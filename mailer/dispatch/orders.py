"""What a run is told to do, and what it tells afterwards."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from mailer.dispatch.envelopes import Result
from mailer.dispatch.messages import MessageMaker
from mailer.dispatch.pace.providers import Provider
from mailer.dispatch.relays.shares import Shares
from mailer.dispatch.rules import DeliveryEvent
from mailer.dispatch.smtp.relay import RelayAddress


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sent, and how: read once per run. Rates are in messages per second over all workers."""

    mailing_id: int
    mailing_rate: float | None
    relay: RelayAddress
    relay_rate: float | None
    providers: tuple[str, ...]
    messages: MessageMaker
    # The groups as an admin and their own replies have set them; those that are not in it have no limit.
    groups: Mapping[str, Provider] = field(default_factory=dict)
    # Where several relays send side by side.
    shares: Shares | None = None
    # (number of this relay among them, how many they are).
    part: tuple[int, int] = (0, 1)
    # When the sending window closes, on this process's monotonic clock; counted from PostgreSQL's.
    closes_at: float = math.inf


@dataclass(slots=True)
class RunReport:
    """What a run came to: outcomes by name, and why it stopped early, if it did."""

    settled: dict[DeliveryEvent, int] = field(default_factory=dict)
    skipped: int = 0
    outage: Result | None = None
    is_refused_by_all: bool = False
    last_reply: str = ""
    # Of the relays that sent side by side.
    others: list["RunReport"] = field(default_factory=list)

    @property
    def outages(self) -> list[Result]:
        """Of every relay that had one."""
        return [each.outage for each in (self, *self.others) if each.outage is not None]

    def add(self, other: "RunReport") -> None:
        """Another relay's run, or the next one of the same."""
        for event, count in other.settled.items():
            self.settled[event] = self.settled.get(event, 0) + count
        self.skipped += other.skipped
        self.others.append(other)
        if other.is_refused_by_all:
            self.is_refused_by_all, self.last_reply = True, other.last_reply
