"""The whole path (PostgreSQL, Redis, Celery worker, wire) against Postfix's `smtp-source`, in one run: the targets.

    python bench/dispatch.py [throughput] [bulletin] [growth] [latency] [pacing] [providers] [signing]
        [--recipients 100000] [--million] [--rounds 3] [--file FILE] [--json]

Each is a ratio between what was measured before and after on the same machine: `smtp-source -d` runs on both sides of
every run of ours, into the same `smtp-sink`, and the mean of the two is the reference. Needs the Debian package postfix
(its programs only).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from bench.dkim import openssl_signs_per_second
from bench.smtp import Figure, run_source, start_sink
from mailer.embedded.service import find_free_port

CONNECTIONS = 10
# Of the runs whose speed the relay decides.
PACED = 4000
Report = dict[str, Any]


def run_mailer(port: int, recipients: int, *options: str) -> Report:
    command = [
        sys.executable, "-c", "from mailer.cli import main; main()", "bench", "dispatch", "--json",
        "--recipients", str(recipients), "--relay", f"smtp://127.0.0.1:{port}?messages=1000000", *options,
    ]  # fmt: skip
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"mailer bench dispatch failed: {done.stdout.decode()}")
    report: Report = json.loads(done.stdout)
    return report


def beside_source(port: int, recipients: int, *options: str) -> Report:
    """One run of ours between two of `smtp-source` with messages of the same size."""
    size = measured_size(port, *options)
    messages = min(recipients, 30_000)
    before = run_source(port, messages, size, CONNECTIONS)
    report = run_mailer(port, recipients, *options)
    after = run_source(port, messages, size, CONNECTIONS)
    return report | {"ratios": ratios(report, before, after), "smtp-source": vars(before) | {"after": vars(after)}}


def measured_size(port: int, *options: str) -> int:
    size: int = run_mailer(port, 1, *options)["message_bytes"]
    return size


def ratios(report: Report, *references: Figure) -> dict[str, float]:
    rate = statistics.mean(figure.messages_per_second for figure in references)
    cpu = statistics.mean(figure.cpu_us for figure in references) / 1e6
    used = {name: seconds / 1000 for name, seconds in report["cpu_seconds_per_1000"].items()}
    return {
        "messages_per_second": round(report["messages_per_second"] / rate, 2),
        "worker_cpu": round(used["worker"] / cpu, 2),
        "all_cpu": round(sum(used.values()) / cpu, 2),
    }


def throughput(options: argparse.Namespace, port: int) -> Report:
    """1: made-up messages of 5 KB."""
    return beside_source(port, options.recipients, "--message-bytes", "5000")


def bulletin(options: argparse.Namespace, port: int) -> Report:
    """2: a real bulletin, compiled."""
    return beside_source(port, options.recipients // 5, "--file", str(options.file))


def growth(options: argparse.Namespace, port: int) -> Report:
    """3: what a recipient costs among ten thousand and among many."""
    few = run_mailer(port, 10_000, "--message-bytes", "5000", "--reference")
    many = run_mailer(
        port, 1_000_000 if options.million else options.recipients, "--message-bytes", "5000", "--reference"
    )
    cost = [sum(report["cpu_seconds_per_1000"].values()) for report in (few, many)]
    tenths = many["rate_by_tenth"]
    return {
        "few": few,
        "many": many,
        "ratios": {
            "cpu_per_recipient": round(cost[1] / cost[0], 2),
            "peak_memory": round(many["worker_peak_mb"] / few["worker_peak_mb"], 2),
            "last_tenth_to_first": round(tenths[-1] / tenths[0], 2),
            "prepare_to_insert": round(many["prepare_seconds"] / many["reference"]["insert_seconds"], 2),
        },
    }


def latency(_options: argparse.Namespace, _port: int) -> Report:
    """4: a relay that answers each segment after 50 ms; one process, then two."""
    with slow_sink(50) as port:
        one = run_mailer(port, 4000, "--message-bytes", "5000", "--processes", "1")
        two = run_mailer(port, 8000, "--message-bytes", "5000", "--processes", "2")
    possible = CONNECTIONS / (2 * 0.05)
    return {
        "one": one,
        "two": two,
        "ratios": {
            "to_two_round_trips": round(one["messages_per_second"] / possible, 2),
            "two_processes": round(two["messages_per_second"] / one["messages_per_second"], 2),
        },
    }


def pacing(_options: argparse.Namespace, _port: int) -> Report:
    """5: a hundred a second through a relay that takes 200 ms."""
    with slow_sink(200) as port:
        report = run_mailer(port, 3000, "--message-bytes", "5000", "--rate", "100/s", "--connections", "50")
    found = report["providers"]["other"]
    return report | {
        "ratios": {
            # From the frozen roster until the mailing is over; and while it was running.
            "to_rate": round(report["messages_per_second"] / 100, 3),
            "to_rate_running": round(found["messages_per_second"] / 100, 3),
        }
    }


def providers(options: argparse.Namespace, _port: int) -> Report:
    """5: one provider alone, then beside another that takes its time, and beside one that has a rate of its own.

    The relay answers each segment after 200 ms, and mail to qq.com after two seconds, of which four messages may be on
    their way at a time; 163.com gets 3,000 an hour. Each of the two has mail for longer than the fast one. What is
    measured is limited by the relay's answers and a hundred connections and not by this machine, so that a busy one
    tells the truth as well; the slow one takes up to four of the hundred. The median of some rounds.
    """
    fixed = ("--message-bytes", "5000", "--connections", "100")
    beside = {"slow_replies": "qq.com=40", "own_rate": "163.com=20"}
    found: dict[str, list[float]] = {"alone": [], **{name: [] for name in beside}}
    with slow_sink(200, "qq.com=2000") as port:
        for _ in range(options.rounds):
            found["alone"].append(fast_rate(run_mailer(port, PACED, *fixed)))
            for name, share in beside.items():
                found[name].append(fast_rate(run_mailer(port, PACED, *fixed, "--also", share)))
    usual = statistics.median(found["alone"])
    ratios = {name: round(statistics.median(found[name]) / usual, 3) for name in beside}
    return {**found, "ratios": ratios}


def fast_rate(report: Report) -> float:
    """Messages a second of the providers without a limit, from the first that was settled to their last."""
    rate: float = report["providers"]["other"]["messages_per_second"]
    return rate


def signing(options: argparse.Namespace, port: int) -> Report:
    """6: RSA-2048 alone, and with Ed25519 beside it, against what OpenSSL says one core signs in a second of CPU.

    By the clock, and by the CPU that the worker took: beside others on its machine only the second is a measure.
    """
    found: Report = {"openssl": [], "rsa": [], "both": [], "rsa_by_cpu": [], "both_by_cpu": []}
    for _ in range(options.rounds):
        found["openssl"].append(openssl_signs_per_second())
        for algorithms in ("rsa", "both"):
            report = run_mailer(port, options.recipients // 5, "--message-bytes", "5000", "--dkim", algorithms)
            found[algorithms].append(fast_rate(report))
            found[f"{algorithms}_by_cpu"].append(1000 / report["cpu_seconds_per_1000"]["worker"])
    found["openssl"].append(openssl_signs_per_second())
    reference = statistics.median(found["openssl"])
    ratios = {name: round(statistics.median(rates) / reference, 2) for name, rates in found.items()}
    return found | {"ratios": ratios}


@contextmanager
def slow_sink(milliseconds: int, *domains: str) -> Iterator[int]:
    port = find_free_port()
    program = str(Path(__file__).with_name("slow_sink.py"))
    sink = subprocess.Popen([sys.executable, program, str(port), str(milliseconds), *domains])
    try:
        time.sleep(1)
        yield port
    finally:
        sink.terminate()
        sink.wait()


PARTS: dict[str, Callable[[argparse.Namespace, int], Report]] = {
    part.__name__: part for part in (throughput, bulletin, growth, latency, pacing, providers, signing)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--recipients", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3, help="of providers and signing: their medians count")
    parser.add_argument("--million", action="store_true", help="growth up to a million readers")
    parser.add_argument("--file", type=Path, default=Path(__file__).parents[1] / "mailer/embedded/bulletins/first.txt")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sink, port = start_sink()
    found: dict[str, Report] = {}
    try:
        for name in options.parts or PARTS:
            found[name] = PARTS[name](options, port) | {"load": [round(load, 1) for load in os.getloadavg()]}
            if not options.json:
                shown = " ".join(f"{key} {value}" for key, value in found[name]["ratios"].items())
                print(f"{name:11} {shown}   (load {found[name]['load'][0]})", flush=True)
    finally:
        sink.terminate()
        sink.wait()
    if options.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
