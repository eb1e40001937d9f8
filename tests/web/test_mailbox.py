"""The page of the captured mail: there only where mail is captured, and safe to look at."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from mailer.accounts.models import Account
from mailer.accounts.rules import Role
from mailer.maildir import Maildir
from tests.web.conftest import Visitor

MAIL = (
    b"From: =?utf-8?B?5r6c5rKn?= <keji@example.org>\r\nTo: reader@example.org\r\nDelivered-To: reader@example.org\r\n"
    b"Subject: =?utf-8?B?56ys5LiJ5pyf?=\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/alternative; boundary="x"\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n'
    b"In words.\r\n--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b"<html><head></head><body><script>alert(1)</script><p>As a page.</p></body></html>\r\n--x--\r\n"
)


@pytest.fixture
def mailbox(app: Flask, tmp_path: Path) -> Maildir:
    app.config["MAILBOX_DIR"] = tmp_path
    return Maildir(tmp_path)


@pytest.fixture
def editor(visitor: Visitor, make_account: Callable[..., Account]) -> Visitor:
    visitor.sign_in(make_account("edith", Role.EDITOR))
    return visitor


def test_where_no_mail_is_captured_there_is_no_mailbox(editor: Visitor) -> None:
    assert editor.get("/mailbox/").status == 404


def test_who_is_not_signed_in_reads_no_mail(visitor: Visitor, mailbox: Maildir) -> None:
    assert visitor.get("/mailbox/").path == "/account/sign-in"


def test_an_empty_mailbox_says_what_to_expect(editor: Visitor, mailbox: Maildir) -> None:
    assert "No mail yet" in editor.get("/mailbox/").text


def test_a_mail_is_found_and_read_as_page_text_and_source(editor: Visitor, mailbox: Maildir) -> None:
    key = mailbox.keep(MAIL)
    assert "第三期" in editor.get("/mailbox/?q=READER").text
    assert "Nothing found" in editor.get("/mailbox/?q=somebody").text
    page = editor.get(f"/mailbox/{key}")
    assert page.tree.xpath("//iframe/@src") == [f"/mailbox/{key}/body"]
    assert "In words." in editor.get(f"/mailbox/{key}?show=text").text
    assert "multipart/alternative" in editor.get(f"/mailbox/{key}?show=source").text
    assert editor.client.get(f"/mailbox/{key}.eml").data == MAIL


def test_a_mails_script_is_dead(editor: Visitor, mailbox: Maildir) -> None:
    answer = editor.client.get(f"/mailbox/{mailbox.keep(MAIL)}/body")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "frame-ancestors 'self'" in policy


def test_a_key_is_no_path(editor: Visitor, mailbox: Maildir) -> None:
    assert editor.get("/mailbox/..%2F..%2Fetc%2Fpasswd").status == 404
    assert editor.get("/mailbox/1.2.3").status == 404


def test_clearing_deletes_everything(editor: Visitor, mailbox: Maildir) -> None:
    mailbox.keep(MAIL)
    mailbox.keep(MAIL)
    assert "2 messages deleted." in editor.submit("/mailbox/", action="/mailbox/clear").text
    assert mailbox.count() == 0
