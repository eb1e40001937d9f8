"""States and choices of the people who read, and which act leads from which state to which.

The table here is the whole truth about subscriptions; `tests/audience/test_rules.py` walks every state × act.
"""

from enum import StrEnum


class SubscriptionState(StrEnum):
    """``none -> unconfirmed -> confirmed -> unsubscribed``; a leaver comes back only by an act of their own.

    ``confirmed -> removed`` where a directory that brought the reader has them no more: that is no departure, and the
    directory may bring them back.
    """

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"
    REMOVED = "removed"


class ConsentAct(StrEnum):
    """What a reader answered, or what a person decided for them with its legal basis."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    IMPORTED = "imported"
    # A directory that brought the reader has them no more.
    REMOVED = "removed"


class SuppressionReason(StrEnum):
    """Why we will not send to an address."""

    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    MANUAL = "manual"
    UNSUBSCRIBED_ALL = "unsubscribed_all"
    ERASED = "erased"


class WhyLeft(StrEnum):
    """What a reader may say when leaving."""

    TOO_MANY = "too_many"
    NOT_RELEVANT = "not_relevant"
    NEVER_ASKED = "never_asked"
    OTHER_ADDRESS = "other_address"
    OTHER = "other"


class ChangeHow(StrEnum):
    """How a reader's name, language, answers or pause became another."""

    PREFERENCES = "preferences"  # by the link in a mail
    SIGN_UP = "sign_up"  # typed into a form of a list with single opt-in
    CONFIRMED = "confirmed"  # typed into a form, and confirmed by letter
    IMPORT = "import"
    DIRECTORY = "directory"  # its nightly run
    MERGED = "merged"  # two rows turned out to be one person


class DomainVerdict(StrEnum):
    """What the DNS says of a domain's mail; `UNKNOWN` where it did not answer."""

    ACCEPTS = "accepts"
    REFUSES = "refuses"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """Whether a stranger's sign-up is let in. It is decided without a look at the address: it tells nothing of it."""

    LET_IN = "let_in"
    # With a proof of work it would be.
    PROVE = "prove"
    # Too many from there; not before an hour is over.
    LATER = "later"


class ImportState(StrEnum):
    """``uploaded -> checking -> checked -> queued -> running -> finished``; checked again as often as one likes.

    What reads in the background may fail; what is not over may be cancelled.
    """

    UPLOADED = "uploaded"
    CHECKING = "checking"
    CHECKED = "checked"
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


# A worker has, or should have, these in hand.
IMPORT_UNDER_WAY = (ImportState.CHECKING, ImportState.QUEUED, ImportState.RUNNING)
IMPORT_OVER = (ImportState.FINISHED, ImportState.FAILED, ImportState.CANCELLED)


class Act(StrEnum):
    """What can happen to a subscription.

    Only `CONFIRM`, `CHOOSE` and `UNDO` prove that the reader's mailbox is behind it: their links were mailed there.
    Anybody can type anybody's address into a form, so `SIGN_UP` and `JOIN` never undo a departure by themselves.
    """

    SIGN_UP = "sign_up"  # a form, list with double opt-in
    JOIN = "join"  # a form, list with single opt-in
    CONFIRM = "confirm"  # the button behind the confirmation letter's link
    CHOOSE = "choose"  # ticked on the preferences page, behind a mailed link
    LEAVE = "leave"  # one-click, the page behind it, or unticked on the preferences page
    UNDO = "undo"  # right after leaving, behind the same mailed link
    IMPORT = "import"  # by an admin, with a legal basis
    REMOVE = "remove"  # the directory that brought the reader has them no more


_UNCONFIRMED, _CONFIRMED, _UNSUBSCRIBED, _REMOVED = SubscriptionState

# (state, act) -> new state. What is not named leaves everything as it is. `None` is no subscription at all.
_NEXT: dict[tuple[SubscriptionState | None, Act], SubscriptionState] = {
    (None, Act.SIGN_UP): _UNCONFIRMED,
    (None, Act.JOIN): _CONFIRMED,
    (None, Act.CHOOSE): _CONFIRMED,
    (None, Act.IMPORT): _CONFIRMED,
    (_UNCONFIRMED, Act.CONFIRM): _CONFIRMED,
    (_UNCONFIRMED, Act.CHOOSE): _CONFIRMED,
    (_UNCONFIRMED, Act.IMPORT): _CONFIRMED,
    (_UNCONFIRMED, Act.LEAVE): _UNSUBSCRIBED,
    (_CONFIRMED, Act.LEAVE): _UNSUBSCRIBED,
    (_UNSUBSCRIBED, Act.SIGN_UP): _UNCONFIRMED,
    (_UNSUBSCRIBED, Act.JOIN): _UNCONFIRMED,
    (_UNSUBSCRIBED, Act.CHOOSE): _CONFIRMED,
    (_UNSUBSCRIBED, Act.UNDO): _CONFIRMED,
    (_CONFIRMED, Act.REMOVE): _REMOVED,
    # As if there had never been one, but that a departure is remembered.
    (_REMOVED, Act.SIGN_UP): _UNCONFIRMED,
    (_REMOVED, Act.JOIN): _CONFIRMED,
    (_REMOVED, Act.CHOOSE): _CONFIRMED,
    (_REMOVED, Act.IMPORT): _CONFIRMED,
    (_REMOVED, Act.LEAVE): _UNSUBSCRIBED,
}


def next_state(state: SubscriptionState | None, act: Act, *, has_left: bool = False) -> SubscriptionState | None:
    """What `act` makes of a subscription in `state`; `state` itself where it changes nothing.

    `has_left` is about an unconfirmed one: its reader once left and has not confirmed the return yet. To an import
    such a reader is a leaver still.
    """
    if act is Act.IMPORT and has_left:
        return state
    return _NEXT.get((state, act), state)


# Least first. A letter the reader asked for goes out unless the address is dead or its owner complained, so a weaker
# reason must not hide a stronger one.
_STRENGTH = (
    SuppressionReason.UNSUBSCRIBED_ALL,
    SuppressionReason.MANUAL,
    SuppressionReason.HARD_BOUNCE,
    SuppressionReason.COMPLAINT,
    SuppressionReason.ERASED,
)

# The reasons that the reader's own confirmation takes back; the others are an admin's to lift.
TAKEN_BACK_BY_CONFIRMING = (SuppressionReason.UNSUBSCRIBED_ALL, SuppressionReason.ERASED)

# The reasons for which not even a letter is sent.
LETTER_BLOCKERS = (SuppressionReason.HARD_BOUNCE, SuppressionReason.COMPLAINT)


def replaces(new: SuppressionReason, old: SuppressionReason) -> bool:
    """Whether a suppression for `new` takes the place of an active one for `old`."""
    return _STRENGTH.index(new) > _STRENGTH.index(old)
