"""No way round the suppression list: whatever is suppressed, when and for what, neither a mailing nor a letter goes
there.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from mailer import letters
from mailer.audience.models import Subscriber, Suppression
from mailer.audience.rules import LETTER_BLOCKERS, SuppressionReason
from mailer.db import now
from mailer.dispatch.claiming import claim
from mailer.dispatch.outbox import send_letters
from mailer.dispatch.preparing import prepare
from mailer.letters.rules import LetterKind
from mailer.newsletters.models import Newsletter
from tests.dispatch.conftest import House
from tests.dispatch.sink import Sink

# (reason, what it holds for, how it stands, whether it came after the roster was frozen)
ENTRY = st.tuples(
    st.sampled_from([reason for reason in SuppressionReason if reason is not SuppressionReason.ERASED]),
    st.sampled_from(["everything", "this", "another"]),
    st.sampled_from(["active", "until tomorrow", "over", "lifted"]),
    st.booleans(),
)
QUIET = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def sink(relay: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    monkeypatch.setenv("MAILER_DATA_DIR", str(tmp_path))
    with Sink() as sink:
        relay(sink.url)
        yield sink


def enter(house: House, key: str, entry: tuple[str, str, str, bool], scopes: dict[str, int | None]) -> None:
    reason, scope, standing, _ = entry
    moment, day = now(house.session), dt.timedelta(days=1)
    ends = {"until tomorrow": moment + day, "over": moment - day}.get(standing)
    house.session.add(
        Suppression(
            email_key=key, reason=reason, newsletter_id=scopes[scope], expires_at=ends,
            lifted_at=moment if standing == "lifted" else None,
        )
    )  # fmt: skip
    house.session.commit()


def clean(house: House) -> dict[str, int | None]:
    house.session.rollback()
    house.session.execute(text("TRUNCATE subscribers, mailings, suppressions, letters CASCADE"))
    house.session.execute(text("DELETE FROM newsletters WHERE slug = 'another'"))
    other = Newsletter(slug="another", title="B", sender_name="B", sender_address="b@example.org")
    house.session.add(other)
    house.session.commit()
    return {"everything": None, "this": house.newsletter.id, "another": other.id}


def holds(entry: tuple[str, str, str, bool], *, scopes: set[str]) -> bool:
    return entry[1] in scopes and entry[2] in {"active", "until tomorrow"}


@QUIET
@given(st.lists(st.none() | ENTRY, min_size=1, max_size=6))
def test_no_mailing_claims_a_suppressed_reader_before_or_after_its_roster(
    house: House, entries: list[tuple[str, str, str, bool] | None]
) -> None:
    scopes = clean(house)
    readers = [house.subscribe(1)[0] for _ in entries]
    keys = {reader: house.session.get_one(Subscriber, reader).email_key for reader in readers}
    pairs = [(reader, entry) for reader, entry in zip(readers, entries, strict=True) if entry is not None]
    for reader, entry in pairs:
        if not entry[3]:
            enter(house, keys[reader], entry, scopes)
    mailing = house.mailing(0)
    prepare(mailing.id)
    for reader, entry in pairs:
        if entry[3]:
            enter(house, keys[reader], entry, scopes)
    taken = claim(house.session, mailing.id, key="h", token="1", quotas={"other": 100}, batch=100, lease=60)
    house.session.commit()
    blocked = {keys[reader] for reader, entry in pairs if holds(entry, scopes={"everything", "this"})}
    assert {each.address.lower() for each in taken.claims} == set(keys.values()) - blocked


@QUIET
@given(st.lists(st.none() | ENTRY, min_size=1, max_size=4))
def test_no_letter_goes_to_the_dead_and_to_who_complained(
    house: House, sink: Sink, redis: str, entries: list[tuple[str, str, str, bool] | None]
) -> None:
    scopes = clean(house)
    sink.messages.clear()
    expected = set()
    for number, entry in enumerate(entries):
        address = f"r{number}@example.org"
        if entry is not None:
            enter(house, address, entry, scopes)
        if entry is None or not (entry[0] in LETTER_BLOCKERS and holds(entry, scopes={"everything"})):
            expected.add(address)
        letters.write(
            house.session, LetterKind.RESET, address=address, locale="zh_CN",
            parameters={"name": "王", "url": "https://news.example.org/account/reset/token", "hours": 2},
        )  # fmt: skip
    house.session.commit()
    send_letters()
    assert {recipient for message in sink.messages for recipient in message.recipients} == expected
