"""The people who sign in: what the other rooms may call. See `docs/seams.md`."""

from mailer.accounts.administering import change_roles, disable, enable
from mailer.accounts.auditing import record
from mailer.accounts.inviting import accept_invitation, create_account, create_first_admin, invite, invite_again
from mailer.accounts.lookup import (
    count_active_admins,
    find_account_by_email,
    get_account,
    get_account_by_token,
    list_accounts,
)
from mailer.accounts.profile import WrongPasswordError, change_password, change_profile
from mailer.accounts.resetting import ask_reset, reset_password
from mailer.accounts.signing_in import authenticate

__all__ = [
    "WrongPasswordError",
    "accept_invitation",
    "ask_reset",
    "authenticate",
    "change_password",
    "change_profile",
    "change_roles",
    "count_active_admins",
    "create_account",
    "create_first_admin",
    "disable",
    "enable",
    "find_account_by_email",
    "get_account",
    "get_account_by_token",
    "invite",
    "invite_again",
    "list_accounts",
    "record",
    "reset_password",
]
