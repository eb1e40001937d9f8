"""Who may do what, and which passwords will do, as plain decisions."""

import unicodedata
from collections.abc import Iterable
from enum import StrEnum

from mailer.accounts.common_passwords import COMMON_PASSWORDS
from mailer.i18n import N_

MIN_PASSWORD = 10
# Far above what a person types (NIST SP 800-63B-4 section 3.1.1.2 wants at least 64), far below what would make
# hashing a burden.
MAX_PASSWORD = 256
MAX_NAME = 120
# A guesser tries runs like these first; NIST calls them repetitive or sequential.
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "0123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv5tgb")


class Role(StrEnum):
    """What an account may do; an account may hold several."""

    EDITOR = "editor"
    APPROVER = "approver"
    ADMIN = "admin"


class AccountState(StrEnum):
    """An account is invited until its holder has set a password; a disabled one cannot sign in."""

    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"


class AccountEvent(StrEnum):
    """What happens to an account. `ACCEPT` is the holder's own act, the others an admin's."""

    ACCEPT = "accept"
    INVITE_AGAIN = "invite_again"
    RESET = "reset"
    DISABLE = "disable"
    ENABLE = "enable"


def next_state(state: AccountState, event: AccountEvent, *, has_password: bool) -> AccountState | None:
    """The state after `event`, or `None` where the event is not allowed. Enabled again, an account that never had a
    password is still only invited.
    """
    match state, event:
        case AccountState.INVITED, AccountEvent.ACCEPT:
            return AccountState.ACTIVE
        case AccountState.INVITED, AccountEvent.INVITE_AGAIN:
            return AccountState.INVITED
        case AccountState.ACTIVE, AccountEvent.RESET:
            return AccountState.ACTIVE
        case ((AccountState.INVITED | AccountState.ACTIVE), AccountEvent.DISABLE):
            return AccountState.DISABLED
        case AccountState.DISABLED, AccountEvent.ENABLE:
            return AccountState.ACTIVE if has_password else AccountState.INVITED
    return None


def order_roles(roles: Iterable[str]) -> list[Role]:
    """Each role once, in the order of `Role`. Raises `ValueError` for a word that is no role."""
    wanted = {Role(role) for role in roles}
    return [role for role in Role if role in wanted]


def is_acting_admin(state: AccountState, roles: Iterable[str]) -> bool:
    """Whether this account can do an admin's work today; one such must always be left."""
    return state == AccountState.ACTIVE and Role.ADMIN in roles


def clean_name(name: str) -> str:
    """The name as it is kept: one line, single blanks, no invisible signs; empty where nothing is left."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())[:MAX_NAME].rstrip()


def normalise_password(password: str) -> str:
    """The form that is hashed and compared: what two keyboards type differently (full-width forms, composed accents)
    is the same password (NIST SP 800-63B-4 section 3.1.1.2, RFC 8265 section 4).
    """
    return unicodedata.normalize("NFKC", password)


def password_problem(password: str, *, email: str, name: str) -> tuple[str, dict[str, int]] | None:
    """Why `password` will not do, as a message id and what fills its places, or `None`.

    Length, a list of the ones everybody tries, and what is known about the holder; no rules about kinds of
    characters, which make passwords worse (NIST SP 800-63B-4 section 3.1.1.2).
    """
    plain = normalise_password(password).casefold()
    if len(plain) < MIN_PASSWORD:
        return N_("Use at least %(min)s characters."), {"min": MIN_PASSWORD}
    if len(plain) > MAX_PASSWORD:
        return N_("Use at most %(max)s characters."), {"max": MAX_PASSWORD}
    if plain in COMMON_PASSWORDS or len(set(plain)) < 4 or _is_run(plain):
        return N_("This password is one of the first to be guessed. Use another one, such as four unrelated words."), {}
    if any(_is_mostly(plain, word) for word in _words_about(email, name)):
        return N_("Your name or email address is too easy to guess as a password."), {}
    return None


def _is_run(plain: str) -> bool:
    """Whether it only walks along the alphabet, the digits or a keyboard row, forwards or back, or repeats one part."""
    for row in _ROWS:
        endless = row * (len(plain) // len(row) + 2)
        if plain in endless or plain in endless[::-1]:
            return True
    return any(plain == (plain[:n] * len(plain))[: len(plain)] for n in range(1, 5))


def _words_about(email: str, name: str) -> set[str]:
    local, _, domain = email.casefold().partition("@")
    whole = normalise_password(name).casefold()
    words = {email.casefold(), local, domain, whole, "".join(whole.split())}
    return {word for word in words if len(word) >= 3}


def _is_mostly(plain: str, word: str) -> bool:
    """The word itself, or the word with up to four characters around it: a year, an exclamation mark."""
    return word in plain and len(plain) - len(word) <= 4
