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
