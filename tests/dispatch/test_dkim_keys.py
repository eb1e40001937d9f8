import datetime as dt

import pytest
from sqlalchemy import select, update

from mailer.accounts.models import AuditEntry
from mailer.db import now
from mailer.dispatch.dkim import keys as dkim_keys
from mailer.dispatch.dkim import senders as dkim_senders
from mailer.dispatch.dkim.models import DkimKey
from mailer.dispatch.dkim.rules import KEPT_PUBLISHED, KeyState
from mailer.dispatch.dkim.signing import Algorithm
from mailer.dispatch.letter_messages import LetterClaim, compose
from mailer.dispatch.preparing import prepare
from mailer.dispatch.rules import MailingState
from mailer.dispatch.sending import send
from mailer.errors import NotFoundError, RuleError
from mailer.settings import get_settings
from tests.dispatch.conftest import House
from tests.dispatch.dkim_checking import publish, verify
from tests.dispatch.sink import Sink
from tests.press.test_letters import PARAMETERS


def make(house: House, *, selector: str = "", domain: str = "example.org", active: bool = True) -> list[DkimKey]:
    keys = dkim_keys.create_keys(house.session, domain, by=None, selector=selector)
    if active:
        for key in keys:
            dkim_keys.activate(house.session, key, by=None)
    house.session.commit()
    return keys


def letter(**changes: object) -> LetterClaim:
    values = {
        "id": 1, "kind": "reset", "locale": "zh_CN", "address": "lilei@example.com", "newsletter_id": None,
        "parameters": PARAMETERS["reset"], "message_id": "<1.letter@example.org>", "attempts": 0,
    }  # fmt: skip
    return LetterClaim(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture
def other_secret(monkeypatch: pytest.MonkeyPatch):
    def change() -> None:
        monkeypatch.setenv("MAILER_SECRET_KEY", "another secret key, long enough to be accepted")
        get_settings.cache_clear()

    yield change
    monkeypatch.undo()
    get_settings.cache_clear()


def test_a_new_domain_gets_a_key_of_each_algorithm_and_neither_signs_yet(house: House) -> None:
    keys = make(house, domain=" Example.ORG. ", active=False)
    month = f"m{now(house.session):%Y%m}"
    assert [(key.domain, key.selector, key.algorithm) for key in keys] == [
        ("example.org", f"{month}-rsa", "rsa-sha256"),
        ("example.org", f"{month}-ed25519", "ed25519-sha256"),
    ]
    assert {dkim_keys.get_state(house.session, key) for key in keys} == {KeyState.WAITING}
    assert dkim_senders.load_signing_keys(house.session, "tech@example.org") == ()


def test_a_second_key_of_the_month_gets_a_number(house: House) -> None:
    make(house, active=False)
    again = make(house, active=False)
    assert again[0].selector == f"m{now(house.session):%Y%m}-2-rsa"


def test_a_chinese_domain_is_kept_as_receivers_look_it_up(house: House) -> None:
    (key, _) = make(house, domain="新闻.example")
    assert key.domain == "新闻.example".encode("idna").decode()
    assert len(dkim_senders.load_signing_keys(house.session, "a@新闻.example")) == 2


@pytest.mark.parametrize("domain", ["", "a@b.example", "no blank.example", "localhost", "-.example"])
def test_what_is_no_domain_gets_no_key(house: House, domain: str) -> None:
    with pytest.raises(RuleError, match="domain name"):
        dkim_keys.create_keys(house.session, domain, by=None)


@pytest.mark.parametrize("selector", ["a.b", "under_score", "-a", "x" * 64, "中文"])
def test_a_selector_that_is_none_is_refused(house: House, selector: str) -> None:
    with pytest.raises(RuleError, match="selector"):
        dkim_keys.create_keys(house.session, "example.org", by=None, selector=selector, algorithms=[Algorithm.ED25519])


def test_a_selector_is_never_used_again(house: House) -> None:
    make(house, selector="spring", active=False)
    with pytest.raises(RuleError, match="already"):
        make(house, selector="spring", active=False)
    assert len(make(house, selector="spring", domain="example.com", active=False)) == 2


def test_the_private_key_is_sealed_and_in_no_audit_entry(house: House) -> None:
    for key in make(house):
        assert b"PRIVATE" not in key.sealed_private_key
        assert key.sealed_private_key.startswith(b"gAAAA")  # Fernet's version byte
    entries = house.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.action for entry in entries] == ["dkim.created"] * 2 + ["dkim.activated"] * 2
    assert {frozenset(entry.details) for entry in entries} == {frozenset({"domain", "selector", "algorithm"})}


def test_activating_a_new_key_retires_the_one_before(house: House) -> None:
    old = make(house, selector="old")
    new = make(house, selector="new")
    states = {key.selector: dkim_keys.get_state(house.session, key) for key in (*old, *new)}
    assert states == {
        "old-rsa": KeyState.RETIRED, "old-ed25519": KeyState.RETIRED,
        "new-rsa": KeyState.ACTIVE, "new-ed25519": KeyState.ACTIVE,
    }  # fmt: skip
    signing = dkim_senders.load_signing_keys(house.session, "tech@example.org")
    assert {key.selector for key in signing} == {"new-rsa", "new-ed25519"}
    assert dkim_keys.published_until(old[0]) == old[0].retired_at + KEPT_PUBLISHED
    assert dkim_keys.published_until(new[0]) is None


def test_a_rotation_can_be_taken_back_while_the_old_key_is_published(house: House) -> None:
    (old, _) = make(house, selector="old")
    (new, _) = make(house, selector="new")
    dkim_keys.activate(house.session, old, by=None)
    assert dkim_keys.get_state(house.session, old) is KeyState.ACTIVE
    assert dkim_keys.get_state(house.session, new) is KeyState.RETIRED
    assert old.retired_at is None


def test_a_key_whose_time_is_over_never_signs_again_and_can_be_removed(house: House) -> None:
    (key, _) = make(house)
    dkim_keys.retire(house.session, key, by=None)
    with pytest.raises(RuleError, match="signed lately"):
        dkim_keys.remove(house.session, key, by=None)
    past = now(house.session) - KEPT_PUBLISHED - dt.timedelta(seconds=1)
    house.session.execute(update(DkimKey).where(DkimKey.id == key.id).values(activated_at=past, retired_at=past))
    house.session.refresh(key)
    assert dkim_keys.get_state(house.session, key) is KeyState.OVER
    with pytest.raises(RuleError, match="time of this key is over"):
        dkim_keys.activate(house.session, key, by=None)
    dkim_keys.remove(house.session, key, by=None)
    with pytest.raises(NotFoundError):
        dkim_keys.get_key_of(house.session, "example.org", key.selector)


def test_a_key_in_use_can_be_neither_activated_nor_removed(house: House) -> None:
    (key, _) = make(house)
    with pytest.raises(RuleError, match="in use already"):
        dkim_keys.activate(house.session, key, by=None)
    with pytest.raises(RuleError, match="signed lately"):
        dkim_keys.remove(house.session, key, by=None)


def test_a_key_that_waits_cannot_be_retired_but_removed(house: House) -> None:
    (key, _) = make(house, active=False)
    with pytest.raises(RuleError, match="not in use"):
        dkim_keys.retire(house.session, key, by=None)
    dkim_keys.remove(house.session, key, by=None)
    assert len(dkim_keys.list_keys(house.session, "example.org")) == 1


def test_a_key_signs_for_its_own_domain_only(house: House) -> None:
    make(house)
    assert dkim_senders.load_signing_keys(house.session, "a@news.example.org") == ()
    assert dkim_senders.load_signing_keys(house.session, "a@example.com") == ()
    assert dkim_senders.load_signing_keys(house.session, "no address") == ()
    assert len(dkim_senders.load_signing_keys(house.session, "a@EXAMPLE.org")) == 2


def test_a_mailing_goes_out_signed_and_every_message_passes(house: House, relay, redis: str) -> None:
    keys = make(house)
    house.subscribe(12, lists=(0, 1))
    house.subscribe(3, lists=(1,))
    mailing = house.mailing(0, 1)
    prepare(mailing.id)
    with Sink() as sink:
        relay(sink.url)
        send(mailing.id)
    assert house.states(mailing) == {"accepted": 15}
    assert len(sink.messages) == 15
    for message in sink.messages:
        assert verify(message.content, publish(keys)) == [True, True]


def test_without_a_key_a_mailing_goes_out_unsigned(house: House, relay, redis: str) -> None:
    make(house, active=False)
    house.subscribe(1)
    mailing = house.mailing()
    prepare(mailing.id)
    with Sink() as sink:
        relay(sink.url)
        send(mailing.id)
    (message,) = sink.messages
    assert b"DKIM-Signature" not in message.content


def test_a_key_that_cannot_be_read_pauses_the_mailing_and_says_why(
    house: House, relay, redis: str, other_secret
) -> None:
    make(house)
    house.subscribe(1)
    mailing = house.mailing()
    prepare(mailing.id)
    other_secret()
    with Sink() as sink:
        relay(sink.url)
        send(mailing.id)
    house.session.rollback()
    house.session.refresh(mailing)
    assert sink.messages == []
    assert mailing.state == MailingState.PAUSED
    assert mailing.pause_reason == dkim_keys.UNREADABLE
    assert {key.algorithm for key in dkim_senders.list_unreadable(house.session)} == set(Algorithm)


def test_letters_of_a_newsletter_and_of_the_service_are_signed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_SENDER_ADDRESS", "service@example.com")
    get_settings.cache_clear()
    keys = make(house) + make(house, domain="example.com")
    for newsletter_id, domain in ((house.newsletter.id, "example.org"), (None, "example.com")):
        sender, message = compose(house.session, letter(newsletter_id=newsletter_id))
        assert sender.endswith(domain)
        assert verify(message, publish(key for key in keys if key.domain == domain)) == [True, True]
    monkeypatch.undo()
    get_settings.cache_clear()


def test_a_proof_is_signed_as_its_readers_mail_is(house: House) -> None:
    keys = make(house)
    edition = house.edition
    parameters = {
        "subject": edition.subject, "html": edition.html, "text": edition.text, "language": "zh_CN",
        "web_url": "https://news.example.org/n/tech/issues/1",
    }  # fmt: skip
    _, message = compose(house.session, letter(kind="proof", newsletter_id=house.newsletter.id, parameters=parameters))
    assert verify(message, publish(keys)) == [True, True]


def test_domains_that_nobody_signs_are_named(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    # The default address of letters, mailer@localhost.localdomain, is nobody's domain.
    assert dkim_senders.list_unsigned_domains(house.session) == ["example.org"]
    make(house)
    assert dkim_senders.list_unsigned_domains(house.session) == []
    monkeypatch.setenv("MAILER_SENDER_ADDRESS", "service@example.net")
    get_settings.cache_clear()
    house.newsletter.sender_address = "tech@example.com"
    assert dkim_senders.list_unsigned_domains(house.session) == ["example.com", "example.net"]
    house.newsletter.archived_at = now(house.session)
    assert dkim_senders.list_unsigned_domains(house.session) == ["example.net"]
    monkeypatch.undo()
    get_settings.cache_clear()
