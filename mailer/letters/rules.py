"""Kinds and states of letters: mail to one person that they or we asked for, never advertising."""

from enum import StrEnum


class LetterKind(StrEnum):
    """Each has a template folder of its own under `templates/email/letters/`."""

    CONFIRM = "confirm"
    WELCOME = "welcome"
    INVITE = "invite"
    RESET = "reset"
    NOTICE = "notice"
    # An edition sent to an editor for a look: rendered from the edition, not from a letter template.
    PROOF = "proof"


class LetterState(StrEnum):
    """The same words as for deliveries; a letter is its own roster of one."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    EXPIRED = "expired"
