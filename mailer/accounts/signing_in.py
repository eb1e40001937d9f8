"""Signing in."""

from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.lookup import find_account_by_email
from mailer.accounts.models import Account
from mailer.accounts.passwords import verify_password
from mailer.accounts.rules import AccountState
from mailer.db import now


def authenticate(session: Session, email: str, password: str, *, ip: str | None = None) -> Account | None:
    """The account, when address and password belong together and it may sign in, else `None`, in the same time
    whichever was wrong. Both outcomes are recorded: the caller commits either way.
    """
    account = find_account_by_email(session, email)
    verification = verify_password(None if account is None else account.password_hash, password)
    if account is None or not verification.is_right or account.state != AccountState.ACTIVE:
        record(
            session,
            by=None,
            action="account.sign_in_failed",
            subject_type="account",
            subject_id=None if account is None else account.id,
            ip=ip,
        )
        return None
    if verification.renewed is not None:
        account.password_hash = verification.renewed
    account.last_sign_in_at = now(session)
    record(session, by=account, action="account.signed_in", subject_type="account", subject_id=account.id, ip=ip)
    return account
