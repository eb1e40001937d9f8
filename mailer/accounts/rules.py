"""Who may do what, as plain decisions."""

from enum import StrEnum


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
