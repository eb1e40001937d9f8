import base64
import datetime as dt

import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.dispatch.dkim import dns as dkim_dns
from mailer.dispatch.dkim import keys as dkim_keys
from mailer.dispatch.dkim.models import DkimKey
from mailer.dispatch.dkim.rules import (
    KEPT_PUBLISHED,
    KeyState,
    Published,
    compare,
    propose_selector,
    record_name,
    record_value,
    split_value,
    state_of,
    zone_line,
)
from mailer.dispatch.dkim.signing import VALID_SECONDS, Algorithm
from mailer.settings import get_settings
from tests.dispatch.name_server import NameServer

KEY = base64.b64encode(bytes(range(256)) + b"tail of a key").decode()
MOMENT = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


@pytest.fixture
def key(session) -> DkimKey:
    return dkim_keys.create_keys(session, "example.org", by=None, algorithms=[Algorithm.RSA])[0]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch):
    """`ask(key, server)`: what the look-up says of it when the settings name that server."""

    def look(key: DkimKey, server: NameServer) -> Published:
        monkeypatch.setenv("MAILER_DNS_SERVER", server.address)
        get_settings.cache_clear()
        with server:
            return dkim_dns.look_up(key)

    yield look
    monkeypatch.undo()
    get_settings.cache_clear()


def ours(key: DkimKey) -> tuple[str, str]:
    return record_name(key.domain, key.selector), record_value(key.algorithm, key.public_key)


def test_a_key_that_is_published_is_found_though_it_takes_two_strings(key: DkimKey, ask) -> None:
    name, value = ours(key)
    server = NameServer({name: [value]})
    assert len(value) > 255
    assert ask(key, server) is Published.PUBLISHED
    assert server.asked == [name]


def test_a_key_that_is_not_published_is_missing(key: DkimKey, ask) -> None:
    assert ask(key, NameServer({})) is Published.MISSING
    assert ask(key, NameServer({ours(key)[0]: []})) is Published.MISSING
    assert ask(key, NameServer({ours(key)[0]: ["v=spf1 -all"]})) is Published.MISSING


def test_another_key_under_the_name_is_told(key: DkimKey, ask) -> None:
    name, value = ours(key)
    assert ask(key, NameServer({name: [record_value("rsa-sha256", KEY)]})) is Published.DIFFERENT
    assert ask(key, NameServer({name: [value, record_value("rsa-sha256", KEY)]})) is Published.DIFFERENT


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED])
def test_a_server_that_fails_stops_nothing(key: DkimKey, ask, rcode: dns.rcode.Rcode) -> None:
    assert ask(key, NameServer({}, rcode=rcode)) is Published.UNANSWERED


def test_a_server_that_keeps_silent_is_left_in_time(key: DkimKey, ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dkim_dns, "PATIENCE", 0.3)
    server = NameServer({}, rcode=None)
    assert ask(key, server) is Published.UNANSWERED
    assert server.asked


@pytest.mark.parametrize(
    ("record", "found"),
    [
        (f"v=DKIM1; k=rsa; p={KEY}", Published.PUBLISHED),
        (f"v=DKIM1;p={KEY}", Published.PUBLISHED),
        (f"p={KEY}", Published.PUBLISHED),
        (f"v=DKIM1; h=sha256; t=s; p={KEY[:50]} {KEY[50:]};", Published.PUBLISHED),
        (f"v=DKIM1; k=ed25519; p={KEY}", Published.DIFFERENT),
        ("v=DKIM1; k=rsa; p=", Published.DIFFERENT),  # revoked (RFC 6376 section 3.6.1)
        ("v=DKIM1; k=rsa; p=not base64!", Published.DIFFERENT),
        (f"v=DKIM2; p={KEY}", Published.MISSING),
        ("", Published.MISSING),
        ("v=DKIM1", Published.MISSING),
    ],
)
def test_records_are_read_as_receivers_read_them(record: str, found: Published) -> None:
    assert compare("rsa-sha256", KEY, [record]) is found


@given(st.lists(st.text(max_size=80), max_size=3))
def test_whatever_the_dns_holds_there_is_an_answer(records: list[str]) -> None:
    assert compare("ed25519-sha256", KEY, records) in {Published.MISSING, Published.DIFFERENT}


def test_strings_of_a_zone_file_hold_255_bytes_and_lose_nothing() -> None:
    value = record_value("rsa-sha256", KEY * 2)
    parts = split_value(value)
    assert "".join(parts) == value
    assert [len(part) <= 255 for part in parts] == [True] * len(parts)
    assert len(parts) > 1
    line = zone_line("a._domainkey.example.org", value)
    assert line.startswith('a._domainkey.example.org. IN TXT ( "v=DKIM1; k=rsa; p=')
    assert line.count('"') == 2 * len(parts)


def test_a_selector_tells_its_month_and_is_new() -> None:
    day = dt.date(2026, 3, 9)
    assert propose_selector(day, Algorithm.RSA, []) == "m202603-rsa"
    assert propose_selector(day, Algorithm.ED25519, ["m202603-ed25519", "m202603-2-ed25519"]) == "m202603-3-ed25519"


@pytest.mark.parametrize(
    ("activated_at", "retired_at", "state"),
    [
        (None, None, KeyState.WAITING),
        (MOMENT, None, KeyState.ACTIVE),
        (MOMENT, MOMENT, KeyState.RETIRED),
        (MOMENT, MOMENT - KEPT_PUBLISHED, KeyState.OVER),
    ],
)
def test_a_key_has_four_states(
    activated_at: dt.datetime | None, retired_at: dt.datetime | None, state: KeyState
) -> None:
    assert state_of(activated_at, retired_at, MOMENT) is state


def test_a_retired_key_stays_published_longer_than_its_last_signature_holds() -> None:
    assert KEPT_PUBLISHED.total_seconds() >= VALID_SECONDS + 86_400
