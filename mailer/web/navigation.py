"""The menu of the desk and the admin's pages, and how a page says where it stands in it."""

from typing import NamedTuple

from flask import Flask, current_app, request
from flask_login import current_user

from mailer.accounts.rules import Role
from mailer.i18n import N_


class Item(NamedTuple):
    """A menu entry: `endpoint` is where it leads, `prefixes` which endpoints it is the home of."""

    label: str
    endpoint: str
    icon: str
    roles: tuple[Role, ...]
    prefixes: tuple[str, ...]


DESK = (Role.EDITOR, Role.APPROVER, Role.ADMIN)
SIGNERS = (Role.APPROVER, Role.ADMIN)
ADMIN = (Role.ADMIN,)

MENU: tuple[tuple[str, tuple[Item, ...]], ...] = (
    (
        N_("Desk"),
        (
            Item(N_("Overview"), "desk.index", "home", DESK, ("desk.index",)),
            Item(
                N_("Newsletters and issues"),
                "desk.newsletters",
                "news",
                DESK,
                ("desk.newsletter", "desk.issue", "desk.article"),
            ),
            Item(N_("Mailings"), "desk.mailings", "send", DESK, ("desk.mailing",)),
            Item(N_("Deputies"), "desk.deputies_page", "user-check", SIGNERS, ("desk.deputies_page",)),
        ),
    ),
    (
        N_("Administration"),
        (
            Item(N_("Attention"), "admin.index", "bell", ADMIN, ("admin.index", "admin.unknown")),
            Item(N_("Lists"), "admin.lists", "list-details", ADMIN, ("admin.list",)),
            Item(N_("Subscribers"), "admin.subscribers", "users", ADMIN, ("admin.subscriber", "admin.import")),
            Item(N_("Directories"), "admin.directories", "book", ADMIN, ("admin.director",)),
            Item(N_("Segments"), "admin.segments", "filter", ADMIN, ("admin.segment",)),
            Item(N_("Suppressions"), "admin.suppressions", "ban", ADMIN, ("admin.suppression",)),
            Item(N_("Relays"), "admin.relays", "server", ADMIN, ("admin.relay", "admin.provider")),
            Item(N_("DKIM keys"), "admin.dkim", "signature", ADMIN, ("admin.dkim",)),
            Item(N_("Accounts"), "admin.accounts", "key", ADMIN, ("admin.account",)),
            Item(N_("Audit trail"), "admin.audit", "history", ADMIN, ("admin.audit",)),
            Item(N_("System"), "admin.system", "settings", ADMIN, ("admin.system",)),
        ),
    ),
    (N_("Development"), (Item(N_("Captured mail"), "mailbox.index", "inbox", DESK, ("mailbox.",)),)),
)


def _menu() -> list[tuple[str, list[tuple[Item, bool]]]]:
    groups = []
    here = request.endpoint or ""
    for label, items in MENU:
        shown = [
            (item, here.startswith(item.prefixes))
            for item in items
            if current_user.has_any(*item.roles)
            and item.endpoint in current_app.view_functions
            and (item.endpoint != "mailbox.index" or current_app.config["MAILBOX_DIR"] is not None)
        ]
        if shown:
            groups.append((label, shown))
    return groups


def init_app(app: Flask) -> None:
    app.jinja_env.globals["menu"] = _menu
