"""States and choices of the people who read."""

from enum import StrEnum


class SubscriptionState(StrEnum):
    """``none -> unconfirmed -> confirmed -> unsubscribed``; a leaver comes back only by an act of their own."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"


class ConsentAct(StrEnum):
    """What a reader answered, or what a person decided for them with its legal basis."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    IMPORTED = "imported"


class SuppressionReason(StrEnum):
    """Why we will not send to an address."""

    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    MANUAL = "manual"
    UNSUBSCRIBED_ALL = "unsubscribed_all"
    ERASED = "erased"


class ImportState(StrEnum):
    """A CSV import: read in the background, whole or not at all."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
