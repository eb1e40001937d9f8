"""`mailer doctor`: what is well, what is not, and what to do."""

import json
import sys

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
def doctor(as_json: bool) -> None:
    """Checks settings, data directory, database, Redis, workers, relay and DKIM keys; exit code 1 if one failed."""
    from mailer.reports.health import Verdict, check_everything

    checks = check_everything()
    if as_json:
        found = [
            {"name": c.name, "verdict": c.verdict, "message": c.message % c.params, "advice": c.advice} for c in checks
        ]
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        colours = {Verdict.WELL: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "red"}
        for check in checks:
            click.echo(f"{click.style(f'{check.verdict:8}', colours[check.verdict])} {check.name}: ", nl=False)
            click.echo(check.message % check.params)
            if check.advice:
                click.echo(f"         {check.advice}")
    sys.exit(1 if any(check.verdict == Verdict.FAILED for check in checks) else 0)
