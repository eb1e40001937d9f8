"""Relays and letters as the admin sees them, with a real SMTP server at the other end."""

from collections.abc import Iterator

import pytest

from mailer.db import now
from mailer.letters.models import Letter
from tests.dispatch.sink import Sink


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.fixture
def relay(signed_in, sink):
    """A relay in use that leads to the sink."""
    wanted = {
        "name": "main", "host": "127.0.0.1", "port": str(sink.port), "security": "none", "connections": "1",
        "messages_per_connection": "10", "is_enabled": "y",
    }  # fmt: skip
    return signed_in.submit("/admin/relays/new", wanted)


def test_a_relay_that_answers_is_said_to_work(signed_in, relay):
    page = signed_in.submit("/admin/relays/1", action="/admin/relays/1/test")
    assert "The relay main takes mail" in page.text


def test_a_relay_that_lets_nobody_in_is_told_with_its_own_words(signed_in, relay, sink):
    sink.answer("greeting", "554 5.7.1 Not you")
    page = signed_in.submit("/admin/relays/1", action="/admin/relays/1/test")
    assert "does not greet" in page.text
    assert "Not you" in page.text


def test_a_test_mail_arrives_and_the_answer_is_shown(signed_in, relay, sink):
    page = signed_in.submit("/admin/relays", {"address": "me@example.org"}, action="/admin/relays/send-test")
    assert "main took the mail: 250" in page.text
    (message,) = sink.messages
    assert message.recipients == ("me@example.org",)


def test_the_test_mail_goes_to_oneself_unless_told_otherwise(signed_in, relay, admin):
    page = signed_in.get("/admin/relays")
    assert page.tree.get_element_by_id("address").get("value") == admin.email


def test_a_refused_test_mail_is_told(signed_in, relay, sink):
    sink.answer("rcpt", "550 5.1.1 No such user")
    page = signed_in.submit("/admin/relays", {"address": "me@example.org"}, action="/admin/relays/send-test")
    assert "main did not take the mail: 550 5.1.1" in page.text


@pytest.mark.parametrize(("address", "words"), [("", "fill this in"), ("nobody", "@")])
def test_a_test_mail_needs_an_address(signed_in, relay, sink, address, words):
    page = signed_in.submit("/admin/relays", {"address": address}, action="/admin/relays/send-test")
    assert words in page.text
    assert sink.messages == []


def rows(page) -> list[str]:
    return [" ".join(row.text_content().split()) for row in page.tree.xpath("//tbody/tr")]


@pytest.fixture
def letters(session):
    """Three letters that were accepted, refused, and wait."""
    for address, state, code, reply in (
        ("a", "accepted", 250, "OK"),
        ("b", "rejected", 550, "No such user"),
        ("c", "queued", None, ""),
    ):
        session.add(
            Letter(
                kind="confirm",
                locale="en",
                address=f"{address}@example.org",
                address_key=f"{address}@example.org",
                message_id="<x@example.org>",
                state=state,
                code=code,
                reply=reply,
                next_attempt_at=now(session),
            )
        )
    session.commit()


@pytest.mark.parametrize(("view", "addresses"), [("", "cba"), ("failed", "b"), ("waiting", "c"), ("odd", "cba")])
def test_letters_are_narrowed_to_what_failed_or_waits(signed_in, letters, view, addresses):
    shown = rows(signed_in.get(f"/admin/letters?view={view}"))
    assert [row[0] for row in shown] == list(addresses)


def test_a_refused_letter_tells_what_the_server_said(signed_in, letters):
    (row,) = rows(signed_in.get("/admin/letters?view=failed"))
    assert "Confirmation letter" in row
    assert "550 No such user" in row


def test_an_accounts_page_shows_what_became_of_its_invitation(signed_in, session):
    signed_in.submit(
        "/admin/accounts/invite", {"name": "Wang", "email": "wang@example.org", "locale": "en", "roles": ["editor"]}
    )
    page = signed_in.get("/admin/accounts/2")
    assert "Invitation Queued" in page.text
