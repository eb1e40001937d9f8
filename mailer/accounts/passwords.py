"""Passwords at rest: argon2id with the parameters of RFC 9106 section 4 (argon2-cffi's defaults), and nothing else."""

from dataclasses import dataclass
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mailer.accounts.rules import MAX_PASSWORD, normalise_password, password_problem
from mailer.errors import RuleError

_hasher = PasswordHasher()


@dataclass(frozen=True, slots=True)
class Verification:
    """`renewed` is a new hash of the same password where the stored one has outdated parameters."""

    is_right: bool
    renewed: str | None = None


def hash_password(password: str) -> str:
    """An argon2id string that carries its own salt and parameters."""
    return _hasher.hash(normalise_password(password))


def hash_chosen_password(password: str, *, email: str, name: str) -> str:
    """The hash of a password somebody chose for themselves. Raises `RuleError` where it will not do."""
    problem = password_problem(password, email=email, name=name)
    if problem is not None:
        message, params = problem
        raise RuleError(message, **params)
    return hash_password(password)


def verify_password(stored: str | None, password: str) -> Verification:
    """Takes the same time whether there is a stored hash or not: a stranger must not learn who has an account."""
    decoy = _decoy()
    # An endless text must not become endless hashing; it is wrong, and costs what any wrong one costs.
    plain = normalise_password(password[: MAX_PASSWORD + 1])
    try:
        _hasher.verify(stored or decoy, plain)
    except (VerificationError, InvalidHashError):
        return Verification(is_right=False)
    if not stored or len(password) > MAX_PASSWORD:
        return Verification(is_right=False)
    return Verification(is_right=True, renewed=_hasher.hash(plain) if _hasher.check_needs_rehash(stored) else None)


@lru_cache(maxsize=1)
def _decoy() -> str:
    """A hash that no password is compared with in earnest; made once per process, whoever comes first."""
    return _hasher.hash("nobody's password")
