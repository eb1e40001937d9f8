"""What the holder of an account changes by themselves."""

from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.accounts.passwords import hash_chosen_password, verify_password
from mailer.accounts.rules import clean_name
from mailer.errors import RuleError
from mailer.i18n import LOCALES, N_


class WrongPasswordError(RuleError):
    """The present password was asked for, and another one given."""


def change_profile(session: Session, account: Account, *, name: str, locale: str, ip: str | None = None) -> None:
    """Name and language. Raises `RuleError` for an empty name or a language we do not have."""
    name = clean_name(name)
    if not name:
        raise RuleError(N_("Enter a name."))
    if locale not in LOCALES:
        raise RuleError(N_("Choose one of the languages offered."))
    changed = [field for field, value in (("name", name), ("locale", locale)) if getattr(account, field) != value]
    if not changed:
        return
    account.name, account.locale = name, locale
    record(
        session,
        by=account,
        action="account.profile_changed",
        subject_type="account",
        subject_id=account.id,
        ip=ip,
        changed=changed,
    )


def change_password(session: Session, account: Account, *, current: str, new: str, ip: str | None = None) -> None:
    """Ends every session of the account, the present one included: the caller signs it in again. Raises
    `WrongPasswordError` when `current` is wrong, `RuleError` when `new` will not do.
    """
    if not verify_password(account.password_hash, current).is_right:
        raise WrongPasswordError(N_("That is not your present password."))
    account.password_hash = hash_chosen_password(new, email=account.email, name=account.name)
    account.credential_version += 1
    record(session, by=account, action="account.password_changed", subject_type="account", subject_id=account.id, ip=ip)
