"""`mailer bench`: what this machine can do, measured on the real path."""

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailer.cli.running import parse_rate

if TYPE_CHECKING:
    from mailer.dispatch.dkim.signing import Algorithm


@click.group()
def bench() -> None:
    """Measures this machine."""


def _parse_also(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> dict[str, int]:
    """``qq.com=100`` and so on, as how many at which domain."""
    found = [re.fullmatch(r"([a-z0-9.-]{3,100})=([1-9]\d{0,6})", value) for value in values]
    if not all(found):
        raise click.BadParameter("write it as example.com=100")
    return {match[1]: int(match[2]) for match in found if match}


def _algorithms(signing: str | None) -> "tuple[Algorithm, ...]":
    from mailer.dispatch.dkim.signing import Algorithm

    return {None: (), "rsa": (Algorithm.RSA,), "both": tuple(Algorithm)}[signing]


@bench.command()
@click.option("--recipients", type=click.IntRange(1, 5_000_000), required=True, help="How many made-up subscribers.")
@click.option("--message-bytes", type=click.IntRange(1, 10_000_000), help="Made-up messages of this size (5000).")
@click.option(
    "--file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A bulletin to compile and send."
)
@click.option("--relay", required=True, metavar="URL", help="smtp://host:port of a sink; it gets all of it.")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="That send at a time.")
@click.option("--connections", type=click.IntRange(1, 200), default=10, show_default=True, help="Of each process.")
@click.option("--rate", default=None, callback=parse_rate, metavar="N/s", help="Send no faster than this.")
@click.option(
    "--also",
    multiple=True,
    metavar="DOMAIN=N",
    callback=_parse_also,
    help="And N made-up subscribers there, to see one provider beside another (repeatable).",
)
@click.option(
    "--dkim",
    "signing",
    type=click.Choice(["both", "rsa"]),
    is_flag=False,
    flag_value="both",
    help="Sign with RSA-2048 and Ed25519, or with RSA-2048 alone.",
)
@click.option("--reference", "has_reference", is_flag=True, help="Time a bare INSERT of the roster as well.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def dispatch(
    *,
    recipients: int,
    message_bytes: int | None,
    file: Path | None,
    relay: str,
    processes: int,
    connections: int,
    rate: float | None,
    also: dict[str, int],
    signing: str | None,
    has_reference: bool,
    as_json: bool,
) -> None:
    """Prepares and sends a mailing on services of its own, in a data directory that goes when it ends."""
    from mailer.embedded.bench_dispatch import Load, run_bench

    if file is not None and message_bytes is not None:
        raise click.UsageError("Give --message-bytes or --file, not both.")
    report = run_bench(
        Load(
            recipients=recipients,
            relay=relay,
            processes=processes,
            connections=connections,
            message_bytes=message_bytes,
            file=file,
            rate=rate,
            also=also,
            algorithms=_algorithms(signing),
            has_reference=has_reference,
        )
    )
    click.echo(json.dumps(report.as_json(), ensure_ascii=False, indent=2) if as_json else report.as_text())
    sys.exit(0 if report.is_complete else 1)
