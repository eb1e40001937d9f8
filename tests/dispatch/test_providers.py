from pathlib import Path

import pytest

from mailer.dispatch.pace.providers import OTHER, get_providers, provider_of, read_providers


@pytest.mark.parametrize(
    ("domain", "provider"),
    [
        ("qq.com", "qq.com"),
        ("foxmail.com", "qq.com"),
        ("163.com", "netease.com"),
        ("yeah.net", "netease.com"),
        ("gmail.com", "google.com"),
        ("hotmail.com", "outlook.com"),
        ("me.com", "icloud.com"),
        ("example.org", OTHER),
        ("notqq.com", OTHER),
    ],
)
def test_a_domain_belongs_to_its_group(domain: str, provider: str) -> None:
    assert provider_of(domain) == provider


def test_the_data_has_the_limits_the_providers_publish() -> None:
    groups = get_providers()
    pairs = {name: (group.connections, group.messages_per_connection) for name, group in groups.items()}
    assert pairs == {
        "qq.com": (4, 8),
        "netease.com": (4, 7),
        "google.com": (5, 50),
        "outlook.com": (5, 50),
        "yahoo.com": (10, 20),
        "icloud.com": (10, 5),
        OTHER: (10, 100),
    }
    netease = groups["netease.com"].rate
    assert netease is not None
    # 20,000 readers take 6.7 hours.
    assert 20_000 / netease / 3600 == pytest.approx(6.67, abs=0.01)
    assert groups["qq.com"].rate is None
    # Too many connections is a class of its own (`slowing`): two of those leave NetEase one place for an hour.
    assert (groups["qq.com"].suspend_after, groups["netease.com"].suspend_after) == (5, 5)
    assert groups[OTHER].suspend_after is None


def test_the_tighter_of_hour_and_day_decides(tmp_path: Path) -> None:
    path = tmp_path / "providers.toml"
    path.write_text(
        "[other]\ndomains = []\nconnections = 1\nmessages_per_connection = 1\nper_hour = 3600\nper_day = 43200\n"
    )
    assert read_providers(path)[OTHER].rate == 0.5


GROUP = "connections = 1\nmessages_per_connection = 1\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"[a]\ndomains = ['x.test']\n{GROUP}", "other"),
        (f"[a]\ndomains = ['x.test']\n{GROUP}[other]\ndomains = ['x.test']\n{GROUP}", "x.test"),
    ],
)
def test_broken_data_is_refused_with_what_is_wrong(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "providers.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=problem):
        read_providers(path)
