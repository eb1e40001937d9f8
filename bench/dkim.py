"""What signing costs: RSA-2048 against `openssl speed rsa2048`, each message, and whole sends into `smtp-sink`.

    python bench/dkim.py [--messages 3000] [--kilobytes 60] [--rounds 3] [--json]

`openssl speed` tells signatures per second of CPU; so do the first lines here, which are therefore comparable on a busy
machine. The last ones are messages per second of the clock, all in the same run: unsigned, signed on the wire's own
thread, and signed ahead of it as `mailer.dispatch.dkim.ahead` does. They need `smtp-sink` (Debian package postfix).
"""

import argparse
import asyncio
import datetime as dt
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from press import DATE, IDENTITY, SUBJECT, WEB_URL, make_parts, values_of
from smtp import find, start_sink

from mailer.dispatch.dkim import ahead
from mailer.dispatch.dkim.signing import Algorithm, Signer, SigningKey
from mailer.dispatch.journal import Journal
from mailer.dispatch.rules import Outcome
from mailer.dispatch.smtp.transmission import Envelope, RelayAddress, Transmitter, new_event_loop
from mailer.press.message import MessageTemplate, assemble

RSA = SigningKey("example.org", "bench-rsa", Algorithm.RSA, generate_private_key(65_537, 2048))
ED25519 = SigningKey("example.org", "bench-ed25519", Algorithm.ED25519, Ed25519PrivateKey.generate())
DIGEST = b"\x5a" * 32
KEYS: dict[str, Sequence[SigningKey]] = {"unsigned": (), "rsa": (RSA,), "both": (RSA, ED25519)}


def openssl_signs_per_second() -> float:
    """Of one core, in CPU time, as OpenSSL measures itself."""
    command = [find("openssl"), "speed", "-seconds", "2", "rsa2048"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    line = next(line for line in told.splitlines() if re.match(r"rsa\s+2048 bits", line))
    return float(re.findall(r"[\d.]+", line)[3])


def cpu_us(call: Callable[[], object], seconds: float = 0.5) -> float:
    """Microseconds of this process's CPU for one call; the best of three."""
    call()
    best = float("inf")
    for _ in range(3):
        count, began = 0, time.process_time()
        while (spent := time.process_time() - began) < seconds / 3:
            for _ in range(20):
                call()
            count += 20
        best = min(best, spent / count * 1e6)
    return best


def make_template(kilobytes: int) -> MessageTemplate:
    html, text = make_parts(kilobytes, links=30)
    return assemble(SUBJECT, html, text, "zh_CN", IDENTITY, WEB_URL)


def fill(template: MessageTemplate, number: int) -> bytes:
    pieces = template.fill(
        to=f"reader{number}@example.com", to_name="李雷", message_id=f"<{number}.key@example.org>",
        date=DATE + dt.timedelta(seconds=number), slots=values_of(number),
    )  # fmt: skip
    return b"".join(pieces)


def signer_of(template: MessageTemplate, keys: Sequence[SigningKey]) -> Signer:
    return Signer(keys, fixed_header=template.fixed_header, body_prefix=template.body_prefix)


def message_costs(template: MessageTemplate) -> dict[str, float]:
    message = fill(template, 7)
    costs = {"fill": cpu_us(lambda: fill(template, 7))}
    for name, keys in (("rsa", (RSA,)), ("ed25519", (ED25519,)), ("both", (RSA, ED25519))):
        signer = signer_of(template, keys)
        costs[f"sign, {name}"] = cpu_us(lambda signer=signer: signer.fields(message))
    plain = Signer((RSA, ED25519))
    costs["sign, both, hashed from the beginning"] = cpu_us(lambda: plain.fields(message))
    return costs


def send(port: int, messages: int, template: MessageTemplate, keys: Sequence[SigningKey], *, is_ahead: bool) -> float:
    """Messages a second through the message loop, journal included."""
    signer = signer_of(template, keys)
    relay = RelayAddress.from_url(f"smtp://127.0.0.1:{port}", connections=10, messages_per_connection=10**9)

    def envelopes() -> Iterator[Envelope]:
        for number in range(messages):

            def make(number: int = number) -> bytes:
                return signer.sign(fill(template, number))

            yield Envelope(
                number, "bounce@example.org", f"reader{number}@example.com", "other",
                ahead.begin(make) if is_ahead else make, "token", is_ready=True,
            )  # fmt: skip

    async def go() -> int:
        with tempfile.TemporaryDirectory() as directory:
            journal = Journal(Path(directory), "bench")
            transmitter = Transmitter(relay, journal)
            outcomes = [result.outcome async for result in transmitter.send(envelopes())]
            await transmitter.close()
            journal.close()
        return outcomes.count(Outcome.ACCEPTED)

    began = time.perf_counter()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        accepted = runner.run(go())
    if accepted != messages:
        sys.exit(f"only {accepted} of {messages} were accepted")
    return messages / (time.perf_counter() - began)


def send_all(messages: int, rounds: int, template: MessageTemplate) -> dict[str, float]:
    """The best of the rounds, each of which does everything once."""
    best: dict[str, float] = {}
    sink, port = start_sink()
    try:
        for _ in range(rounds):
            for name, keys in KEYS.items():
                for way in ("inline", "ahead") if keys else ("inline",):
                    key = f"{name}, {way}" if keys else name
                    best[key] = max(best.get(key, 0), send(port, messages, template, keys, is_ahead=way == "ahead"))
    finally:
        sink.terminate()
        sink.wait()
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=3_000)
    parser.add_argument("--kilobytes", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    reference = openssl_signs_per_second()
    ours = 1e6 / cpu_us(lambda: RSA.sign(DIGEST))
    small, large = make_template(2), make_template(options.kilobytes)
    found = {
        "signs_per_cpu_second": {"openssl": reference, "mailer": ours, "ratio": ours / reference},
        "cpu_us": {f"{len(fill(each, 7)) // 1000} KB": message_costs(each) for each in (small, large)},
        "messages_per_second": send_all(options.messages, options.rounds, small),
    }
    best = found["messages_per_second"]["rsa, ahead"]
    found["sent_to_openssl_ratio"] = {"rsa, ahead": best / reference}
    if options.json:
        print(json.dumps(found))
        return
    print(
        f"rsa2048 signatures per CPU second: openssl {reference:.0f}, mailer {ours:.0f}, ratio {ours / reference:.2f}"
    )
    for size, costs in found["cpu_us"].items():
        for name, cost in costs.items():
            print(f"{size:>7} message, {name:40} {cost:7.0f} us CPU")
    for name, rate in found["messages_per_second"].items():
        print(f"sent, {name:15} {rate:7.0f} messages/s, {rate / reference:.2f} of what openssl signs on one core")


if __name__ == "__main__":
    main()
