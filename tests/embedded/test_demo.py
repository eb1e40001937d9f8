"""`mailer demo` from outside: the main job by itself, its report, the mail that arrived, a worker that is killed."""

import email
import email.policy
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from mailer.embedded.demo import run_demo
from mailer.embedded.processes import command_of, read_pid, wait_until
from mailer.embedded.service import find_free_port
from mailer.errors import RuleError, UnreadableError
from mailer.maildir import Maildir

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

MAILER = (sys.executable, "-c", "from mailer.cli import main; main()")
RECIPIENTS = 50
BULLETIN = """青禾科技简讯

2025年第3期

青禾市科学技术情报站 编辑

- ★ 青禾湖畔的微塑料监测网 …… 1
- ★ 老厂房里的激光实验室 …… 2

青禾湖畔的微塑料监测网

青禾市在环湖十二个点位布设了微塑料采样器，每周把数据公布一次。

采样器由本地中学生参与维护，数据同时供高校研究使用。

老厂房里的激光实验室

停产多年的灯泡厂改建为激光实验室，保留了原来的行车和红砖墙。

青禾市科学技术情报站编辑

编辑：方 予

电话：0000-5550100
"""


@pytest.fixture(scope="module")
def bulletin() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mailer-demo-test-") as folder:
        Path(folder).chmod(0o711)
        path = Path(folder) / "bulletin.txt"
        path.write_text(BULLETIN)
        yield path


def command(file: Path, recipients: int, *options: str) -> list[str]:
    return [*MAILER, "demo", str(file), "--recipients", str(recipients), "--json", *options]


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("MAILER_")}


@pytest.fixture(scope="module")
def done(bulletin: Path) -> subprocess.CompletedProcess[str]:
    """One whole demo into a Maildir, with a temporary folder of its own."""
    temporary = bulletin.parent / "tmp"
    temporary.mkdir(mode=0o711)
    return subprocess.run(
        command(bulletin, RECIPIENTS, f"--mailbox={bulletin.parent / 'arrived'}"),
        env=environment() | {"TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.fixture(scope="module")
def report(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


@pytest.fixture(scope="module")
def arrived(bulletin: Path, report: dict[str, Any]) -> list[bytes]:
    return [content for _, content in Maildir(bulletin.parent / "arrived").read_all()]


def test_the_report_has_the_keys_that_scripts_rely_on(report: dict[str, Any]) -> None:
    assert list(report) == ["issue", "mailing", "opens", "clicks", "seconds"]
    assert report["issue"]["title"] == "青禾科技简讯"
    assert (report["issue"]["year"], report["issue"]["number"], report["issue"]["articles"]) == (2025, "3", 2)
    assert report["seconds"].keys() == {"prepare", "send"}
    assert min(report["seconds"].values()) > 0


def test_everyone_on_the_roster_was_accepted_for(report: dict[str, Any]) -> None:
    assert report["mailing"] == {
        "roster": RECIPIENTS,
        "accepted": RECIPIENTS,
        "rejected": 0,
        "unknown": 0,
        "skipped": 0,
        "expired": 0,
        "queued": 0,
        "claimed": 0,
    }


def test_readers_opened_and_followed_links(report: dict[str, Any]) -> None:
    assert report["opens"] == 10, "a fifth of fifty, each once"
    assert 0 < report["clicks"] <= 20


def test_each_message_is_different_and_goes_to_one_reader(arrived: list[bytes]) -> None:
    messages = [email.message_from_bytes(content) for content in arrived]
    assert len({message["Delivered-To"] for message in messages}) == len(messages) == RECIPIENTS
    assert len({message["Message-ID"] for message in messages}) == RECIPIENTS
    assert len(set(arrived)) == RECIPIENTS


def test_each_message_parses_cleanly_and_can_be_unsubscribed_from_by_one_click(arrived: list[bytes]) -> None:
    for content in arrived:
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert not message.defects
        assert [part.get_content_type() for part in message.walk()] == [
            "multipart/alternative",
            "text/plain",
            "text/html",
        ]
        for part in message.iter_parts():
            assert not part.defects
            assert "青禾湖畔的微塑料监测网" in part.get_content()
        head = content.partition(b"\r\n\r\n")[0].decode("ascii")
        assert re.search(r"^List-Unsubscribe: <http://127\.0\.0\.1:\d+/u/[\w-]+>", head, re.MULTILINE)
        assert "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in f"{head}\r\n"
        assert max(len(line) for line in content.split(b"\r\n")) <= 998
        assert all(len(word) <= 75 for word in re.findall(r"=\?[^?]+\?[bBqQ]\?[^?]*\?=", head))


def test_nothing_of_it_is_left_lying_about(bulletin: Path, report: dict[str, Any]) -> None:
    assert list((bulletin.parent / "tmp").iterdir()) == []


def test_a_worker_killed_in_the_middle_loses_nobody_and_sends_to_nobody_twice(bulletin: Path) -> None:
    """Over a relay of the operator's own, so that what is fetched comes from the ledger."""
    folder = bulletin.parent
    port, relayed = find_free_port(), Maildir(folder / "relayed")
    data_dir = folder / "killed"
    relay = subprocess.Popen([sys.executable, "-m", "mailer.embedded.mailbox", str(relayed.folder), str(port)])
    demo = subprocess.Popen(
        command(bulletin, 60, f"--relay=smtp://127.0.0.1:{port}", "--rate=6/s", f"--data-dir={data_dir}"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert wait_until(lambda: relayed.count() >= 10 or demo.poll() is not None, 90)
        worker = read_pid(data_dir / "run" / "worker.pid")
        assert worker
        assert command_of(worker)
        os.kill(worker, signal.SIGKILL)
        output, errors = demo.communicate(timeout=200)
    finally:
        for process in (demo, relay):
            if process.poll() is None:
                process.terminate()
                process.wait(60)
    assert "worker was killed by SIGKILL; starting it again." in errors
    mailing = json.loads(output)["mailing"]
    assert mailing["accepted"] + mailing["unknown"] == mailing["roster"] == 60
    assert mailing["unknown"] <= 30, "no more than ten connections of each of three processes were open"
    copies = Counter(email.message_from_bytes(content)["Delivered-To"] for _, content in relayed.read_all())
    assert set(copies.values()) == {1}
    assert json.loads(output)["opens"] > 0


def refuse(*arguments: str) -> Sequence[str]:
    done = subprocess.run(
        [*MAILER, "demo", *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_what_cannot_be_done_is_one_sentence_before_anything_is_started(bulletin: Path, tmp_path: Path) -> None:
    binary = tmp_path / "picture.txt"
    binary.write_bytes(bytes(range(256)) * 40)
    with pytest.raises(UnreadableError):
        run_demo(binary, recipients=5)
    Maildir(tmp_path / "mail").keep(b"Subject: yesterday's\r\n\r\n")
    with pytest.raises(RuleError, match="holds messages already"):
        run_demo(bulletin, recipients=5, mailbox=tmp_path / "mail")
    lines = refuse(str(bulletin), "--recipients=5", "--relay=http://relay.example.org")
    assert any(line.strip().startswith("MAILER_RELAY_URL: must look like smtp") for line in lines)
    assert not any("Traceback" in line for line in lines)
