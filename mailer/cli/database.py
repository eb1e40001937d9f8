"""`mailer db`: the schema."""

import click


@click.group()
def db() -> None:
    """The database's schema."""


@db.command()
def upgrade() -> None:
    """Brings the database up to this version of Mailer; safe to call at every start and by several servers at once."""
    from mailer.migrations import get_revisions, upgrade

    before = get_revisions()[0]
    upgrade()
    after = get_revisions()[0]
    click.echo(f"The database is up to date ({after})." if before == after else f"Upgraded from {before} to {after}.")
