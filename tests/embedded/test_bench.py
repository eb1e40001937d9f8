"""What `mailer bench dispatch` measures, and that it ends what it began."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mailer.embedded.bench_meters import peak_megabytes, tree_of, usage_of
from tests.dispatch.sink import Sink

BUSY = "import sys, time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True)\nsys.stdin.read()"
PARENT = (
    "import subprocess, sys\n"
    "child = subprocess.Popen([sys.executable, '-c', sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
    "child.stdout.readline()\nprint(child.pid, flush=True)\nsys.stdin.read()\nchild.communicate(b'')\n"
    "print('buried', flush=True)\nsys.stdin.read()"
)


def test_a_tree_of_processes_costs_what_its_offspring_costs() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert tree_of(parent.pid) == [parent.pid, child]
        # Not less than the child alone; the parent's own share may be under a tick of the kernel's clock.
        assert 0.25 < usage_of(child).cpu_seconds <= usage_of(parent.pid).cpu_seconds
        parent.stdin.close()
        parent.wait()


def test_memory_is_told_in_megabytes_and_not_of_who_is_gone() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "x = bytearray(50_000_000); input()"], stdin=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        while peak_megabytes([process.pid])[process.pid] < 50:
            assert process.poll() is None
        process.stdin.write(b"\n")
        process.stdin.close()
        process.wait()
        assert peak_megabytes([process.pid]) == {}


@pytest.mark.integration
def test_a_mailing_is_measured_on_the_real_path(tmp_path: Path) -> None:
    with Sink() as sink:
        done = subprocess.run(
            [
                sys.executable, "-c", "from mailer.cli import main; main()", "bench", "dispatch", "--recipients", "120",
                "--message-bytes", "6000", "--relay", sink.url, "--connections", "3", "--reference", "--json",
            ],
            stdout=subprocess.PIPE, check=False, cwd=tmp_path,
        )  # fmt: skip
        report = json.loads(done.stdout)
        sizes = {len(message.content) for message in sink.messages}
        count = len(sink.messages)
    assert done.returncode == 0
    assert count == report["mailing"]["accepted"] == report["mailing"]["roster"] == 120
    assert abs(report["message_bytes"] - 6000) < 100
    assert all(abs(size - 6000) < 150 for size in sizes)
    assert report["messages_per_second"] > 0
    assert set(report["cpu_seconds_per_1000"]) == {"worker", "postgres", "redis"}
    assert report["cpu_seconds_per_1000"]["worker"] > 0
    assert 0 <= report["latency_ms"]["p50"] <= report["latency_ms"]["p95"] <= report["latency_ms"]["p99"]
    assert report["worker_peak_mb"] > 20
    assert report["reference"]["insert_seconds"] > 0
