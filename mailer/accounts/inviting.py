"""New accounts: by invitation, where the holder chooses the password, or at the terminal, where one is made."""

import secrets
from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mailer import letters, links
from mailer.accounts.auditing import record
from mailer.accounts.lookup import count_active_admins, get_account_by_token
from mailer.accounts.models import Account
from mailer.accounts.passwords import hash_chosen_password
from mailer.accounts.rules import AccountEvent, AccountState, Role, clean_name, next_state, order_roles
from mailer.addresses import parse_address
from mailer.errors import RuleError
from mailer.i18n import DEFAULT_LOCALE, LOCALES, N_
from mailer.letters.rules import LetterKind
from mailer.settings import get_settings

# A long weekend; the letter says so, and an admin can send another.
INVITATION_HOURS = 72
# Only one process makes the first admin, though two web servers may start at once.
_FIRST_ADMIN_LOCK = 0x6D61696C6572


def invite(
    session: Session,
    *,
    email: str,
    name: str,
    roles: Iterable[str],
    locale: str = DEFAULT_LOCALE,
    by: Account | None,
    ip: str | None = None,
) -> Account:
    """Makes an account that cannot sign in yet and writes the letter with its link. Raises `RuleError` when the
    address is none or has an account already, the name is empty, or no role is given.
    """
    account = _new_account(session, email=email, name=name, roles=roles, locale=locale)
    _write_invitation(session, account, by)
    record(
        session,
        by=by,
        action="account.invited",
        subject_type="account",
        subject_id=account.id,
        ip=ip,
        roles=list(account.roles),
    )
    return account


def invite_again(session: Session, account: Account, *, by: Account | None, ip: str | None = None) -> None:
    """Writes the letter once more; the link of the earlier one is void. Raises `RuleError` unless invited."""
    if _after(account, AccountEvent.INVITE_AGAIN) is None:
        raise RuleError(N_("Only an account that has not set a password yet can be invited again."))
    account.credential_version += 1
    _write_invitation(session, account, by)
    record(session, by=by, action="account.invited_again", subject_type="account", subject_id=account.id, ip=ip)


def accept_invitation(session: Session, token: str, password: str, *, ip: str | None = None) -> Account:
    """Sets the first password. Raises `LinkError` for a link that is void, `RuleError` for a password that will not
    do; the link still works after the latter.
    """
    account = get_account_by_token(session, "invite", token)
    account.password_hash = hash_chosen_password(password, email=account.email, name=account.name)
    account.state = _after(account, AccountEvent.ACCEPT) or account.state
    account.credential_version += 1
    record(
        session, by=account, action="account.invitation_accepted", subject_type="account", subject_id=account.id, ip=ip
    )
    return account


def create_account(
    session: Session, *, email: str, name: str, roles: Iterable[str], password: str, locale: str = DEFAULT_LOCALE
) -> Account:
    """An account that can sign in at once, for an operator at the terminal. Raises `RuleError` like `invite`, and for
    a password that will not do.
    """
    account = _new_account(session, email=email, name=name, roles=roles, locale=locale)
    account.password_hash = hash_chosen_password(password, email=account.email, name=account.name)
    account.state = AccountState.ACTIVE
    record(
        session,
        by=None,
        action="account.created",
        subject_type="account",
        subject_id=account.id,
        roles=list(account.roles),
    )
    return account


def create_first_admin(session: Session, email: str, name: str, *, locale: str = DEFAULT_LOCALE) -> str:
    """The generated password of a new account with every role. Raises `RuleError` when there is an admin already."""
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _FIRST_ADMIN_LOCK})
    if count_active_admins(session):
        raise RuleError(N_("There is an admin already."))
    password = make_password()
    create_account(session, email=email, name=name, roles=list(Role), password=password, locale=locale)
    return password


def make_password() -> str:
    """Four groups of five letters and digits that cannot be mistaken for one another: 98 bits, readable aloud."""
    signs = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(signs) for _ in range(5)) for _ in range(4))


def _new_account(session: Session, *, email: str, name: str, roles: Iterable[str], locale: str) -> Account:
    address = parse_address(email)
    name, roles = clean_name(name), order_roles(roles)
    if not name:
        raise RuleError(N_("Enter a name."))
    if not roles:
        raise RuleError(N_("Choose at least one role."))
    if locale not in LOCALES:
        raise RuleError(N_("Choose one of the languages offered."))
    account = Account(email=address.email, email_key=address.key, name=name, roles=roles, locale=locale)
    try:
        # The unique constraint decides, not a look beforehand: two admins may invite the same person at once.
        with session.begin_nested():
            session.add(account)
            session.flush()
    except IntegrityError:
        raise RuleError(N_("There is an account with this address already.")) from None
    return account


def _write_invitation(session: Session, account: Account, by: Account | None) -> None:
    token = links.make_account_token("invite", account.id, account.credential_version, hours=INVITATION_HOURS)
    service = get_settings().sender_name
    letters.write(
        session,
        LetterKind.INVITE,
        address=account.email,
        locale=account.locale,
        parameters={
            "name": account.name,
            "inviter": service if by is None else by.name,
            "service": service,
            "url": links.account_url("invite", token),
            "hours": INVITATION_HOURS,
        },
    )


def _after(account: Account, event: AccountEvent) -> AccountState | None:
    return next_state(AccountState(account.state), event, has_password=account.password_hash is not None)
