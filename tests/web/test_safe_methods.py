"""GET and HEAD change nothing (RFC 9110 section 9.2.1): scanners, previews and link checkers send both."""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from mailer import links
from mailer.accounts.models import Account
from mailer.accounts.rules import Role
from mailer.audience.rules import SuppressionReason
from mailer.audience.segments import create_segment
from mailer.audience.suppressing import suppress
from mailer.db import get_engine
from mailer.resources import PACKAGE
from tests.web.admin_scene import make_list, make_mailing, make_readers
from tests.web.conftest import Visitor

WRITES = ("INSERT", "UPDATE", "DELETE", "MERGE")


@contextmanager
def writes() -> Iterator[list[str]]:
    """The statements that change something, as they are sent."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: object) -> None:
        if statement.lstrip().upper().startswith(WRITES):
            sent.append(statement)

    event.listen(get_engine(), "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(get_engine(), "before_cursor_execute", note)


@pytest.fixture
def addresses(session: Session, admin: Account, make_account: Any) -> list[str]:
    """Every page that asks before it acts, of things that are there to be acted upon."""
    target = make_list(session)
    readers = make_readers(session, target, 3)
    mailing = make_mailing(session, target, readers, ["accepted", "rejected", "unknown"])
    suppression = suppress(session, email_key="gone@example.org", reason=SuppressionReason.MANUAL)
    domain = {"is": "domain", "test": "equals", "value": "example.org"}
    segment = create_segment(session, name="Everybody", tree={"all": [{"all": [domain]}]}, by=None)
    editor = make_account("editor", Role.EDITOR)
    session.commit()
    reader = readers[0].id
    return [
        f"/admin/subscribers/{reader}/erase",
        f"/admin/subscribers/{reader}/lists/{target.id}/unsubscribe",
        "/admin/subscribers/new",
        f"/admin/lists/{target.id}",
        f"/admin/lists/{target.id}/archive",
        "/admin/lists/new",
        f"/admin/suppressions/{suppression.id}/lift",
        "/admin/suppressions/new",
        "/admin/suppressions/import",
        f"/admin/segments/{segment.id}",
        "/admin/segments/new",
        "/admin/imports/new",
        f"/admin/accounts/{editor.id}",
        f"/admin/accounts/{editor.id}/disable",
        "/admin/accounts/invite",
        "/admin/providers/qq.com",
        "/admin/providers/qq.com/reset",
        "/admin/relays/new",
        "/admin/dkim/new",
        "/admin/directories/new/file",
        f"/admin/unknown/mailings/{mailing.id}/send-again",
        f"/admin/unknown/mailings/{mailing.id}/keep",
        f"/personal/{links.make_personal_token(reader, days=1)}",
        f"/personal/{links.make_personal_token(reader, days=1)}/erase",
        f"/preferences/{links.make_preferences_token(reader)}",
        f"/confirm/{links.make_confirm_token(reader, [target.id])}",
        f"/u/{links.make_unsubscribe_token(links.UnsubscribeTarget(reader, 0, (target.id,)))}",
        f"/invitation/{links.make_invitation_token(target.id)}",
        "/subscribe",
        "/n/tech/subscribe",
    ]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_at_a_page_that_asks_changes_nothing(
    app: Flask, signed_in: Visitor, addresses: list[str], method: str
) -> None:
    for address in addresses:
        with writes() as sent:
            answer = signed_in.client.open(address, method=method)
        assert (address, answer.status_code) == (address, 200)
        assert (address, sent) == (address, [])


def test_no_view_takes_what_is_no_get_for_a_post() -> None:
    """HEAD goes wherever GET goes: `if request.method == "GET": ask` lets it act, without a CSRF token, too."""
    found = []
    for path in sorted((PACKAGE / "web").glob("**/*.py")):
        if "node_modules" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and ast.unparse(node.left) == "request.method":
                found += [f"{path.name}:{node.lineno}" for each in node.comparators if ast.unparse(each) == "'GET'"]
    assert found == []
