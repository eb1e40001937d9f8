from pathlib import Path

import pytest

from mailer.errors import SettingsError
from mailer.settings import Settings, load_settings
from tests.conftest import TEST_SETTINGS


def test_every_bad_setting_is_named_at_once_and_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_SECRET_KEY", "too-short-to-be-safe")
    monkeypatch.setenv("MAILER_RELAY_URL", "http://user:hunter2@relay.example.org")
    monkeypatch.setenv("MAILER_PUBLIC_URL", "news.example.org")
    monkeypatch.setenv("MAILER_TIME_ZONE", "Asia/Peking")
    monkeypatch.delenv("MAILER_DATABASE_URL")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    told = str(raised.value)
    for name in ("SECRET_KEY", "RELAY_URL", "PUBLIC_URL", "TIME_ZONE", "DATABASE_URL"):
        assert f"MAILER_{name}" in told
    assert len(raised.value.problems) == 5
    assert "hunter2" not in told
    assert "too-short-to-be-safe" not in told


def test_secrets_are_not_printed() -> None:
    shown = repr(load_settings())
    assert TEST_SETTINGS["MAILER_SECRET_KEY"] not in shown


@pytest.mark.parametrize(
    "url",
    ["smtp://relay.example.org", "smtps://relay.example.org:465", "smtp+starttls://user:p%40ss@relay.example.org:587"],
)
def test_each_kind_of_relay_is_accepted(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("MAILER_RELAY_URL", url)
    assert load_settings().relay_url.get_secret_value() == url


def test_every_setting_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    missing = [name for name in Settings.model_fields if f"`MAILER_{name.upper()}`" not in page]
    assert missing == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOURCE_ADDRESS", "mail.example.org"),
        ("SOURCE_ADDRESS", "192.0.2.300"),
        ("EHLO_NAME", "two words"),
        ("EHLO_NAME", "a\r\nRCPT"),
        ("DNS_SERVER", "dns.example.org"),
        ("DNS_SERVER", "192.0.2.1:99999"),
        ("SMTP_GREETING_SECONDS", "0"),
        ("SMTP_CONTENT_SECONDS", "soon"),
    ],
)
def test_a_setting_of_the_wire_that_cannot_work_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"MAILER_{name}", value)
    with pytest.raises(SettingsError, match=f"MAILER_{name}"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOURCE_ADDRESS", "192.0.2.7"),
        ("SOURCE_ADDRESS", "2001:db8::7"),
        ("EHLO_NAME", "mail.example.org"),
        ("EHLO_NAME", "[IPv6:2001:db8::7]"),
        ("DNS_SERVER", "192.0.2.1:5353"),
        ("DNS_SERVER", "[2001:db8::1]:53"),
        ("SMTP_GREETING_SECONDS", "12.5"),
    ],
)
def test_a_setting_of_the_wire_that_can_work_is_taken(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"MAILER_{name}", value)
    assert str(getattr(load_settings(), name.lower())) == value


@pytest.mark.parametrize("name", ["SOURCE_ADDRESS", "EHLO_NAME", "DNS_SERVER"])
def test_an_empty_setting_of_the_wire_is_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"MAILER_{name}", "")
    assert getattr(load_settings(), name.lower()) is None
