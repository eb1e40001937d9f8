"""States of mailings and deliveries, and which act leads from which to which.

The tables here are the whole truth about what may happen; `tests/dispatch/test_rules.py` walks every state × event.
"""

from enum import StrEnum


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
    CANCELLED = "cancelled"


class ExclusionReason(StrEnum):
    """Why a candidate is not on the roster."""

    SUPPRESSED = "suppressed"
    ALREADY_SENT = "already_sent"


class Outcome(StrEnum):
    """What one attempt came to."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
