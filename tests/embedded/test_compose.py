"""The production set-up reads as what it should be, asks for every secret, and holds none."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SECRETS = {
    "MAILER_PUBLIC_URL": "https://news.example.org",
    "MAILER_RELAY_URL": "smtp://relay.example.org",
    "MAILER_SECRET_KEY": "s" * 48,
    "MAILER_SENDER_ADDRESS": "mailer@example.org",
    "POSTGRES_PASSWORD": "p" * 24,
    "REDIS_PASSWORD": "r" * 24,
}
# In CI its absence is a failure: `.ci/run` installs it.
has_compose = pytest.mark.skipif(
    shutil.which("docker-compose") is None and "CI" not in os.environ, reason="docker-compose is not installed"
)


def config(tmp_path: Path, *arguments: str, without: str = "") -> subprocess.CompletedProcess[str]:
    """Run in a folder without a .env of the developer's own."""
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    given = {name: value for name, value in SECRETS.items() if name != without}
    return subprocess.run(
        ["docker-compose", "config", *arguments],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)} | given,
        capture_output=True,
        text=True,
        check=False,
    )


@has_compose
def test_compose_finds_the_file_valid_and_names_the_services(tmp_path: Path) -> None:
    listed = config(tmp_path, "--services")
    assert listed.returncode == 0, listed.stderr
    assert set(listed.stdout.split()) == {"postgres", "redis", "upgrade", "web", "worker", "beat"}
    volumes = config(tmp_path, "--volumes")
    assert "journals" in volumes.stdout.split()


@has_compose
@pytest.mark.parametrize("name", sorted(SECRETS))
def test_what_must_be_set_is_asked_for_by_name(tmp_path: Path, name: str) -> None:
    refused = config(tmp_path, "--quiet", without=name)
    assert refused.returncode != 0
    assert name in refused.stderr
    assert ".env.example" in refused.stderr


def test_every_long_running_service_has_a_health_check_and_workers_can_be_scaled() -> None:
    services = read_services()
    assert services
    for name in ("postgres", "redis", "web", "worker", "beat"):
        assert "healthcheck:" in services[name], name
    assert "container_name" not in services["worker"]
    assert "ports" not in services["worker"]
    assert "journals:/data" in services["worker"]


def test_neither_the_file_nor_the_example_holds_a_secret() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    for name in ("MAILER_SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"):
        assert re.search(rf"\$\{{{name}:\?", compose), f"{name} must be required, without a default"
        assert f"\n{name}=\n" in (ROOT / ".env.example").read_text()


def test_the_image_is_installed_from_hashes_and_runs_as_nobody_in_particular() -> None:
    lines = (ROOT / "Dockerfile").read_text()
    for requirements in re.findall(r"--requirement (\S+)", lines):
        assert (ROOT / requirements).exists()
        assert "--hash=sha256:" in (ROOT / requirements).read_text()
    assert len(re.findall(r"pip install --require-hashes", lines)) == 2
    assert re.search(r"^USER mailer$", lines, re.MULTILINE)
    # What the page asks for where no Chinese font is installed.
    assert "--no-install-recommends fonts-noto-cjk " in lines.rpartition("\nFROM ")[2]


def test_the_image_starts_the_same_command_that_the_web_service_needs() -> None:
    command = json.loads(re.findall(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[-1])
    assert command[:2] == ["gunicorn", "mailer.web.app:create_app()"]


def read_services() -> dict[str, str]:
    """{service: its lines}, read by indentation: there is no YAML library among the dependencies."""
    text = (ROOT / "docker-compose.yml").read_text().partition("\nservices:\n")[2].partition("\nvolumes:\n")[0]
    parts: list[Any] = re.split(r"^  (\w+):\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
