"""`mailer run` and `mailer demo`: the whole service on this machine."""

import json
import os
import sys
from pathlib import Path

import click


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), default=None, help="Default: .mailer")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Of the web server.")
@click.option("--smtp-port", type=click.IntRange(1, 65535), default=2525, show_default=True, help="Of the mailbox.")
def run(data_dir: Path | None, port: int, smtp_port: int) -> None:
    """Runs the whole service on this machine until Ctrl-C; the first start loads a sample newsletter."""
    from mailer.embedded.running import run_everything

    folder = data_dir or Path(os.environ.get("MAILER_DATA_DIR", ".mailer"))
    sys.exit(run_everything(folder, web_port=port, smtp_port=smtp_port))


def parse_rate(_context: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    """``50/s`` or ``50`` as a number of messages a second."""
    if value is None:
        return None
    try:
        rate = float(value.removesuffix("/s"))
    except ValueError:
        raise click.BadParameter("write it as 50/s") from None
    if rate <= 0:
        raise click.BadParameter("must be more than 0")
    return rate


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--recipients", type=click.IntRange(1, 1_000_000), required=True, help="How many made-up subscribers.")
@click.option("--relay", default=None, help="smtp://host:port instead of the capturing mailbox.")
@click.option("--rate", default=None, callback=parse_rate, metavar="N/s", help="Send no faster than this.")
@click.option("--mailbox", type=click.Path(path_type=Path, file_okay=False), default=None, help="Maildir to keep.")
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), default=None, help="Keep the data here.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def demo(
    file: Path,
    recipients: int,
    relay: str | None,
    rate: float | None,
    mailbox: Path | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """The main job by itself: import FILE, compile, approve, send to N made-up subscribers, read, report, end."""
    from mailer.embedded.demo import run_demo

    report = run_demo(file, recipients=recipients, relay=relay, rate=rate, mailbox=mailbox, data_dir=data_dir)
    click.echo(json.dumps(report.as_json(), ensure_ascii=False, indent=2) if as_json else report.as_text())
    sys.exit(0 if report.is_complete else 1)
