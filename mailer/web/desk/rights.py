"""What an account may do at the desk; pages offer only that, and views refuse the rest."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import abort
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.accounts.rules import Role
from mailer.newsroom import house
from mailer.web.desk import blueprint
from mailer.web.signing_in import get_account

P = ParamSpec("P")
R = TypeVar("R")


def may_edit(account: Account) -> bool:
    """Write, import, submit and withdraw issues."""
    return Role.EDITOR in account.roles


def may_approve(account: Account) -> bool:
    """Approve or return what was submitted; four eyes are the newsroom's rule."""
    return Role.APPROVER in account.roles


def may_send(account: Account) -> bool:
    """Send an approved issue to its readers: everyone at the desk, for what they send has been approved. A house that
    wants fewer people at this button changes this line.
    """
    return bool({Role.EDITOR, Role.APPROVER, Role.ADMIN} & set(account.roles))


def may_send_issues_of(session: Session, newsletter_id: int, account: Account) -> bool:
    """Send issues of this newsletter: who may send at all, and is named where the newsletter names anybody."""
    return may_send(account) and house.may_send(session, newsletter_id, account)


def may_govern(account: Account) -> bool:
    """Found newsletters and change who they are: sender, tracking and four eyes are not the writer's to choose."""
    return Role.ADMIN in account.roles


def only(right: Callable[[Account], bool]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A view for those who have `right`; others get 403."""

    def wrap(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            if not right(get_account()):
                abort(403)
            return view(*args, **kwargs)

        return wrapped

    return wrap


@blueprint.context_processor
def _rights() -> dict[str, Callable[[Account], bool]]:
    return {"may_edit": may_edit, "may_approve": may_approve, "may_send": may_send, "may_govern": may_govern}
