"""What an attempt's result makes of its delivery: a pure decision, ready to be written."""

import datetime as dt
from dataclasses import dataclass

from mailer.dispatch import ladder
from mailer.dispatch.envelopes import Result
from mailer.dispatch.replies import is_about_address, is_providers_limit
from mailer.dispatch.rules import (
    DELIVERY_TRANSITIONS,
    OUTCOME_EVENTS,
    DeliveryEvent,
    DeliveryState,
    Outcome,
    SkipReason,
)

# Steps at which a recipient's own transaction has begun; before them nothing was said about anybody.
TRANSACTION = frozenset({"mail", "rcpt", "data", "content"})
# Classes that came from ourselves, before anything went out: they give the delivery back as it was.
OURS = frozenset({"withheld", "journal"})
# Steps at which a 5xx says that this relay will not take anything from us: no recipient had been named.
REFUSED_ENTRY = frozenset({"auth", "mail"})


@dataclass(slots=True)
class Attempted:
    """What the ledger keeps of one SMTP transaction, where its `Result` died with its process."""

    outcome: Outcome
    reply_class: str
    stage: str
    relay: str
    is_tls: bool
    duration_ms: int | None


@dataclass(slots=True)
class Settlement:
    """What is to be written of a claimed delivery.

    `claimed_by` says whose claim it settles: anybody else's stays untouched. `wait` is the time until the next attempt
    of one that goes back to the queue (`None` leaves its time as it was); `attempts` and `faults` are added.
    """

    delivery_id: int
    claimed_by: str
    event: DeliveryEvent
    reason: str = ""
    wait: dt.timedelta | None = None
    attempts: int = 0
    faults: int = 0
    code: int | None = None
    enhanced: str | None = None
    reply: str = ""
    provider: str = ""
    attempt: Attempted | Result | None = None

    @property
    def state(self) -> DeliveryState:
        """The state the delivery reaches."""
        return DELIVERY_TRANSITIONS[DeliveryState.CLAIMED, self.event]

    @property
    def is_address_dead(self) -> bool:
        """Whether the address itself was refused, so that it must never be sent to again."""
        return self.event is DeliveryEvent.REJECT and is_about_address(self.reason)


def give_back(delivery_id: int, claimed_by: str) -> Settlement:
    """Untried: paused, or the relay could not be reached. Costs the recipient nothing."""
    return Settlement(delivery_id, claimed_by, DeliveryEvent.RELEASE)


def skip(delivery_id: int, claimed_by: str, reason: SkipReason) -> Settlement:
    """Not sent, for good."""
    return Settlement(delivery_id, claimed_by, DeliveryEvent.SKIP, reason)


def accept(result: Result, claimed_by: str, provider: str) -> Settlement:
    """The settlement of an accepted message. What nearly all come to, so its records are filled by position."""
    return Settlement(
        result.delivery_id,
        claimed_by,
        DeliveryEvent.ACCEPT,
        "",
        None,
        1,
        0,
        result.code,
        result.enhanced,
        result.reply,
        provider,
        result,
    )


def is_outage(result: Result) -> bool:
    """Whether the relay (or our own disk) is at fault for everybody, so that going on would be of no use."""
    if result.outcome is not Outcome.DEFERRED:
        return False
    return result.stage not in TRANSACTION or result.reply_class == "journal" or is_refused_entry(result)


def is_relays(result: Result) -> bool:
    """Whether the relay itself was at fault, and not the provider behind it."""
    return result.is_relay_fault and not is_providers_limit(result.reply_class)


def is_refused_entry(result: Result) -> bool:
    """Whether the relay said for good that it takes nothing from us: a person has to mend the login or the sender."""
    return (
        result.is_relay_fault and result.stage in REFUSED_ENTRY and result.code is not None and 500 <= result.code < 600
    )


def decide(
    result: Result, *, claimed_by: str, provider: str, attempts: int, faults: int, give_up_hours: int
) -> Settlement:
    """The settlement of `result`, for a delivery that had `attempts` and `faults` before it.

    A relay that did not let us in gives the delivery back as it was. A fault within the recipient's own transaction,
    or a provider that says "slow down", is counted apart and waits; only a deferral that is the recipient's own burns
    the budget. Accepted, rejected and unknown are what they are.
    """
    if result.outcome is Outcome.ACCEPTED:
        return accept(result, claimed_by, provider)
    if is_outage(result) or result.reply_class in OURS:
        return give_back(result.delivery_id, claimed_by)
    event, wait, burnt, spoilt = OUTCOME_EVENTS[result.outcome], None, 1, 0
    if result.outcome is Outcome.DEFERRED:
        if result.is_relay_fault:
            burnt, spoilt, wait = 0, 1, ladder.wait_after_fault(faults)
            is_over = ladder.is_spent_by_faults(faults + 1, give_up_hours)
        else:
            wait = ladder.wait_after(attempts)
            is_over = ladder.is_spent(attempts + 1, give_up_hours)
        if is_over:
            event, wait = DeliveryEvent.EXPIRE, None
    return Settlement(
        delivery_id=result.delivery_id,
        claimed_by=claimed_by,
        event=event,
        reason=result.reply_class,
        wait=wait,
        attempts=burnt,
        faults=spoilt,
        code=result.code,
        enhanced=result.enhanced,
        reply=result.reply,
        provider=provider,
        attempt=result,
    )
