"""`mailer directory`: a list brought in step with its directory, from the shell."""

import json
import sys
from typing import Any

import click

from mailer.cli import at_terminal


@click.group()
def directory() -> None:
    """Directories that lists follow: LDAP, or a table that another system writes."""


@directory.command()
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Tells what would happen; changes nothing.")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON, for scripts.")
@at_terminal
def sync(name: str, dry_run: bool, as_json: bool) -> None:
    """Reads the directory NAME now, in this process, and brings its list in step.

    Exit code 1 when it could not be read, or stopped because it would have taken too many readers off.
    """
    from mailer.audience.directories.models import DirectoryRun
    from mailer.audience.directories.registry import get_directory_by_name
    from mailer.audience.directories.runs import ask_for_run, list_findings
    from mailer.audience.directories.syncing import run_directory
    from mailer.db import session_scope
    from mailer.i18n import translate

    with session_scope() as session:
        run = ask_for_run(session, get_directory_by_name(session, name), is_dry=dry_run, by=None)
    run_directory(run.id)
    with session_scope() as session:
        done = session.get_one(DirectoryRun, run.id)
        error = translate("en", done.error, **done.error_params) if done.error else ""
        findings = [
            {"kind": str(each.kind), "line": each.line, "value": each.value, "reason": each.reason}
            for each in list_findings(session, done.id)
        ]
        outcome = {"state": str(done.state), "is_dry": done.is_dry, "members": done.members, "counts": done.counts}
        if as_json:
            click.echo(json.dumps({**outcome, "error": error, "findings": findings}, ensure_ascii=False))
        else:
            _tell(done.counts, findings, is_stopped=done.state == "stopped", error=error)
        sys.exit(0 if done.state == "finished" else 1)


def _tell(counts: dict[str, int], findings: list[dict[str, Any]], *, is_stopped: bool, error: str) -> None:
    for each in findings:
        place = f"line {each['line']}: " if each["line"] else ""
        reason = f": {each['reason']}" if each["reason"] else ""
        click.echo(f"{each['kind']}: {place}{each['value']}{reason}", err=True)
    if counts:
        click.echo(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    if error:
        click.echo(f"mailer: {error}", err=True)
    if is_stopped:
        click.echo("mailer: Above the limit on removals: nothing was changed. An admin has to agree.", err=True)
