"""States of mailings and deliveries, and which act leads from which to which.

The tables here are the whole truth about what may happen; `tests/dispatch/test_rules.py` walks every state × event.
Set-based SQL cannot call them row by row; `tests/dispatch/test_ledger_machine.py` proves that it obeys them.
"""

from enum import StrEnum

from mailer.errors import RuleError
from mailer.i18n import N_


class MailingState(StrEnum):
    """One edition going to lists at a time."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PREPARING = "preparing"
    SENDING = "sending"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class DeliveryState(StrEnum):
    """One mailing to one subscriber. Accepted means that a server answered 250: nothing more is claimed."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    EXPIRED = "expired"


class SkipReason(StrEnum):
    """Why a delivery was given up without an attempt of its content."""

    SUPPRESSED = "suppressed"
    UNSUBSCRIBED = "unsubscribed"
    # The reader is away, and has said until when.
    PAUSED = "paused"
    CANCELLED = "cancelled"


class ExclusionReason(StrEnum):
    """Why a candidate is not on the roster."""

    SUPPRESSED = "suppressed"
    PAUSED = "paused"
    ALREADY_SENT = "already_sent"
    # Of a correction: this reader never had what it corrects.
    NOT_RECEIVED = "not_received"
    # Outside the segments the mailing goes to, or inside one it does not go to.
    SEGMENT = "segment"


class Outcome(StrEnum):
    """What one attempt came to."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class SuspensionKind(StrEnum):
    """How somebody is left alone: altogether, or written to more slowly."""

    SUSPENDED = "suspended"
    SLOWED = "slowed"


class MailingEvent(StrEnum):
    """What people and the sweep do to a mailing."""

    SCHEDULE = "schedule"
    UNSCHEDULE = "unschedule"
    # Its time passed while nobody was there to send it, and too long ago to send it unasked.
    OVERDUE = "overdue"
    # Its edition may not be sent any more: the approval was withdrawn, or a later edition has been approved.
    REFUSE = "refuse"
    LAUNCH = "launch"
    PREPARED = "prepared"
    PAUSE = "pause"
    RESUME = "resume"
    # No delivery is queued or claimed any more.
    DRAINED = "drained"
    # A person sends one of its unknown deliveries again: a finished mailing has work once more.
    REOPEN = "reopen"
    CANCEL = "cancel"


class DeliveryEvent(StrEnum):
    """What happens to a delivery."""

    CLAIM = "claim"
    ACCEPT = "accept"
    REJECT = "reject"
    DEFER = "defer"
    # The connection died between the final dot and its reply.
    LOSE = "lose"
    # Given back untried: paused, the relay's fault, or a lease that ended before any intent.
    RELEASE = "release"
    SKIP = "skip"
    # Deferred once more, and its budget is spent.
    EXPIRE = "expire"
    SEND_AGAIN = "send_again"
    KEEP = "keep"


_M, _ME = MailingState, MailingEvent
MAILING_TRANSITIONS: dict[tuple[MailingState, MailingEvent], MailingState] = {
    (_M.DRAFT, _ME.SCHEDULE): _M.SCHEDULED,
    (_M.DRAFT, _ME.LAUNCH): _M.PREPARING,
    (_M.SCHEDULED, _ME.SCHEDULE): _M.SCHEDULED,
    (_M.SCHEDULED, _ME.UNSCHEDULE): _M.DRAFT,
    (_M.SCHEDULED, _ME.OVERDUE): _M.DRAFT,
    (_M.SCHEDULED, _ME.REFUSE): _M.DRAFT,
    (_M.SCHEDULED, _ME.LAUNCH): _M.PREPARING,
    (_M.PREPARING, _ME.PREPARED): _M.SENDING,
    (_M.PREPARING, _ME.REFUSE): _M.DRAFT,
    (_M.SENDING, _ME.PAUSE): _M.PAUSED,
    (_M.SENDING, _ME.DRAINED): _M.FINISHED,
    (_M.SENDING, _ME.REOPEN): _M.SENDING,
    (_M.PAUSED, _ME.RESUME): _M.SENDING,
    (_M.PAUSED, _ME.DRAINED): _M.FINISHED,
    (_M.PAUSED, _ME.REOPEN): _M.PAUSED,
    (_M.FINISHED, _ME.REOPEN): _M.SENDING,
    (_M.DRAFT, _ME.CANCEL): _M.CANCELLED,
    (_M.SCHEDULED, _ME.CANCEL): _M.CANCELLED,
    (_M.PREPARING, _ME.CANCEL): _M.CANCELLED,
    (_M.SENDING, _ME.CANCEL): _M.CANCELLED,
    (_M.PAUSED, _ME.CANCEL): _M.CANCELLED,
    # The claimed ones have drained: the state stays, the time is set.
    (_M.CANCELLED, _ME.DRAINED): _M.CANCELLED,
}

_D, _DE = DeliveryState, DeliveryEvent
DELIVERY_TRANSITIONS: dict[tuple[DeliveryState, DeliveryEvent], DeliveryState] = {
    (_D.QUEUED, _DE.CLAIM): _D.CLAIMED,
    (_D.QUEUED, _DE.SKIP): _D.SKIPPED,
    (_D.CLAIMED, _DE.ACCEPT): _D.ACCEPTED,
    (_D.CLAIMED, _DE.REJECT): _D.REJECTED,
    (_D.CLAIMED, _DE.DEFER): _D.QUEUED,
    (_D.CLAIMED, _DE.LOSE): _D.UNKNOWN,
    (_D.CLAIMED, _DE.RELEASE): _D.QUEUED,
    (_D.CLAIMED, _DE.SKIP): _D.SKIPPED,
    (_D.CLAIMED, _DE.EXPIRE): _D.EXPIRED,
    (_D.UNKNOWN, _DE.SEND_AGAIN): _D.QUEUED,
    (_D.UNKNOWN, _DE.KEEP): _D.UNKNOWN,
}

# Whoever is in one of these has the issue, or may have it, or is about to: never a second time unasked.
HAS_ISSUE: tuple[DeliveryState, ...] = (_D.QUEUED, _D.CLAIMED, _D.ACCEPTED, _D.UNKNOWN)
# A mailing ends when none of its deliveries is in one of these.
PENDING: tuple[DeliveryState, ...] = (_D.QUEUED, _D.CLAIMED)

OUTCOME_EVENTS: dict[Outcome, DeliveryEvent] = {
    Outcome.ACCEPTED: _DE.ACCEPT,
    Outcome.DEFERRED: _DE.DEFER,
    Outcome.REJECTED: _DE.REJECT,
    Outcome.UNKNOWN: _DE.LOSE,
}

# The sentence for the person whose act does not fit the mailing's state.
REFUSALS: dict[MailingEvent, str] = {
    MailingEvent.SCHEDULE: N_("Only a draft can be scheduled."),
    MailingEvent.UNSCHEDULE: N_("This mailing is not scheduled."),
    MailingEvent.LAUNCH: N_("This mailing has been started already."),
    MailingEvent.PAUSE: N_("Only a mailing that is being sent can be paused."),
    MailingEvent.RESUME: N_("This mailing is not paused."),
    MailingEvent.REOPEN: N_("A cancelled mailing sends nothing more."),
    MailingEvent.CANCEL: N_("This mailing is over: there is nothing left to cancel."),
}


def next_mailing_state(state: MailingState, event: MailingEvent) -> MailingState:
    """The state `event` leads to. Raises `RuleError` where it may not happen."""
    try:
        return MAILING_TRANSITIONS[MailingState(state), event]
    except KeyError:
        raise RuleError(REFUSALS.get(event, N_("This is not possible in the mailing's present state."))) from None


def next_delivery_state(state: DeliveryState, event: DeliveryEvent) -> DeliveryState:
    """The state `event` leads to. Raises `RuleError` where it may not happen."""
    try:
        return DELIVERY_TRANSITIONS[DeliveryState(state), event]
    except KeyError:
        raise RuleError(N_("This is not possible in the delivery's present state.")) from None
