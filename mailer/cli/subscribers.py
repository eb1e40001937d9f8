"""`mailer import-subscribers`: a CSV file into a list, from the shell."""

import datetime as dt
import sys
from pathlib import Path

import click

from mailer.cli import at_terminal


@click.command("import-subscribers")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--list", "list_name", required=True, help="Name or slug of the list; NEWSLETTER/LIST where two share it."
)
@click.option("--basis", default="official_distribution", show_default=True, help="Legal basis, kept as evidence.")
@click.option("--decided-by", default="", help="Who decided it: a person or an office, kept as evidence.")
@click.option("--decided-on", type=click.DateTime(["%Y-%m-%d"]), help="On which day.")
@at_terminal
def import_subscribers(file: Path, list_name: str, basis: str, decided_by: str, decided_on: dt.datetime | None) -> None:
    """Imports the addresses of FILE (columns email, name). Someone who has left is never re-subscribed."""
    from mailer.audience.deciding import Decision
    from mailer.audience.import_models import ImportRun
    from mailer.audience.importing import list_refusals, run_import, start_import
    from mailer.db import session_scope
    from mailer.newsletters import get_list_by_name

    with session_scope() as session:
        found = get_list_by_name(session, list_name)
        decision = Decision(decided_by, decided_on.date()) if decided_by and decided_on else None
        run = start_import(
            session,
            list_id=found.id,
            filename=file.name,
            content=file.read_bytes(),
            basis=basis,
            decision=decision,
            by=None,
        )
    run_import(run.id)
    with session_scope() as session:
        done = session.get_one(ImportRun, run.id)
        for refusal in list_refusals(session, done.id):
            click.echo(f"line {refusal.line}: {refusal.value}: {refusal.reason}", err=True)
        click.echo(", ".join(f"{count} {kind}" for kind, count in done.counts.items()) or done.error)
        sys.exit(0 if done.state == "finished" else 1)
