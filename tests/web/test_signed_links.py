"""A signed link opens what it was made for, and nothing else: no other purpose, no part of it, no day after."""

from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from mailer import links
from mailer.web.limits import limiter
from tests.web.admin_scene import make_list, make_readers
from tests.web.test_safe_methods import writes

PLACES: dict[str, tuple[str, ...]] = {
    "preferences": (
        "/preferences/{}", "/preferences/{}/pause", "/preferences/{}/resume", "/preferences/{}/address",
        "/preferences/{}/address/cancel", "/preferences/{}/personal",
    ),
    "unsubscribe": ("/u/{}", "/u/{}/everything", "/u/{}/reason", "/u/{}/undo"),
    "confirm": ("/confirm/{}", "/confirm/{}/again"),
    "personal": ("/personal/{}", "/personal/{}/copy.json", "/personal/{}/erase"),
    "address": ("/address/{}", "/address/{}/refuse"),
    "invitation": ("/invitation/{}",),
    "link": ("/c/{}/x",),
    "account/invite": ("/account/invite/{}",),
    "account/reset": ("/account/reset/{}",),
}  # fmt: skip
# What each of those forms would send, all at once.
FORM = {
    "sure": "yes", "email": "evil@example.org", "until": "2099-01-01", "locale": "en", "name": "x", "reason": "other",
    "agree": "y", "password": "a very long pass phrase of theirs",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever guesses is stopped much sooner; here each token is to be looked at."""
    monkeypatch.setattr(limiter, "enabled", False)


@pytest.fixture
def tokens(session: Session) -> dict[str, str]:
    """One of each purpose, all about the same reader."""
    target = make_list(session)
    [reader] = make_readers(session, target, 1)
    return {
        "preferences": links.make_preferences_token(reader.id),
        "unsubscribe": links.make_unsubscribe_token(links.UnsubscribeTarget(reader.id, 0, (target.id,))),
        "confirm": links.make_confirm_token(reader.id, [target.id]),
        "personal": links.make_personal_token(reader.id, days=1),
        "address": links.make_address_token(1, is_new=True, days=1),
        "invitation": links.make_invitation_token(target.id),
        "link": links.make_link_token(links.LinkTarget(1, 1, "https://www.example.org/")),
        "account/invite": links.make_account_token("invite", 1, 1, hours=1),
        "account/reset": links.make_account_token("reset", 1, 1, hours=1),
        "reader": links.make_reader_token(1),
        "reading": links.make_reading_token(target.newsletter_id, reader.id),
    }


def spoiled(token: str) -> list[str]:
    """What mail programs, people and worse make of a token."""
    other = "A" if token[0] != "A" else "B"
    cut = [token[:-1], token[: len(token) // 2], token[1:]]
    return [*cut, other + token[1:], token + "A", token * 40, "x", "你", "\0", token + "\0", token + "\r\nX-Evil: 1"]


@pytest.mark.parametrize("purpose", PLACES)
def test_a_signed_link_opens_what_it_was_made_for_and_nothing_else(
    app: Flask, tokens: dict[str, str], purpose: str
) -> None:
    client = app.test_client()
    foreign = [token for other, token in tokens.items() if other != purpose]
    with writes() as sent:
        for place in PLACES[purpose]:
            for token in (*foreign, *spoiled(tokens[purpose])):
                for method in ("GET", "POST"):
                    address = place.format(quote(token, safe=""))
                    answer = client.open(address, method=method, data=FORM if method == "POST" else None)
                    assert (address, method, answer.status_code in {400, 404, 405, 410}) == (address, method, True)
                    assert "X-Evil" not in answer.headers
    assert sent == []


@pytest.mark.parametrize("purpose", ["personal", "address"])
def test_a_link_that_is_over_opens_nothing(app: Flask, tokens: dict[str, str], purpose: str) -> None:
    reader = links.read_personal_token(tokens["personal"])
    over = {
        "personal": links.make_personal_token(reader, days=-1),
        "address": links.make_address_token(1, is_new=True, days=-1),
    }[purpose]
    client = app.test_client()
    with writes() as sent:
        for place in PLACES[purpose]:
            for method in ("GET", "POST"):
                answer = client.open(place.format(over), method=method, data=FORM if method == "POST" else None)
                assert answer.status_code in {404, 405, 410}
                assert "reader0@example.org" not in answer.get_data(as_text=True)
    assert sent == []
