"""`mailer accounts`: for an operator who has a shell and no admin's password."""

import click

from mailer.accounts.rules import Role
from mailer.cli import at_terminal
from mailer.i18n import LOCALES


@click.group()
def accounts() -> None:
    """People who sign in."""


@accounts.command()
@click.argument("email")
@click.option("--name", required=True, help="Name shown beside what the account does.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="May be given several times.",
)
@click.option("--locale", type=click.Choice(LOCALES), default=LOCALES[0], show_default=True)
@click.password_option(envvar="MAILER_NEW_PASSWORD", help="Asked for when neither given nor in MAILER_NEW_PASSWORD.")
@at_terminal
def create(email: str, name: str, roles: tuple[str, ...], locale: str, password: str) -> None:
    """Makes an active account with a password of your choice."""
    from mailer.accounts import create_account
    from mailer.db import session_scope

    with session_scope() as session:
        account = create_account(
            session, email=email, name=name, roles=[Role(role) for role in roles], locale=locale, password=password
        )
        click.echo(f"{account.email}: {', '.join(account.roles)}")
