"""A forgotten password: asked for by anybody, answered only by letter."""

from sqlalchemy.orm import Session

from mailer import letters, links
from mailer.accounts.auditing import record
from mailer.accounts.lookup import find_account_by_email, get_account_by_token
from mailer.accounts.models import Account
from mailer.accounts.passwords import hash_chosen_password
from mailer.accounts.rules import AccountState
from mailer.letters.rules import LetterKind

RESET_HOURS = 2


def ask_reset(session: Session, email: str, *, ip: str | None = None) -> None:
    """Writes the letter with a link when an active account has this address, and says nothing either way: who has an
    account is nobody's business. The present password goes on working.
    """
    account = find_account_by_email(session, email)
    if account is None or account.state != AccountState.ACTIVE:
        return
    token = links.make_account_token("reset", account.id, account.credential_version, hours=RESET_HOURS)
    letters.write(
        session,
        LetterKind.RESET,
        address=account.email,
        locale=account.locale,
        parameters={"name": account.name, "url": links.account_url("reset", token), "hours": RESET_HOURS},
    )
    record(session, by=None, action="account.reset_asked", subject_type="account", subject_id=account.id, ip=ip)


def reset_password(session: Session, token: str, password: str, *, ip: str | None = None) -> Account:
    """Sets a new password, which ends every session and voids every link. Raises `LinkError` for a link that is
    void, `RuleError` for a password that will not do; the link still works after the latter.
    """
    account = get_account_by_token(session, "reset", token)
    account.password_hash = hash_chosen_password(password, email=account.email, name=account.name)
    account.credential_version += 1
    record(session, by=account, action="account.password_reset", subject_type="account", subject_id=account.id, ip=ip)
    return account
