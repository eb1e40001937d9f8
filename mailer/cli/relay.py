"""`mailer relay`: whether the way out works."""

import asyncio
import sys

import click


@click.group()
def relay() -> None:
    """SMTP relays."""


@relay.command()
@click.argument("address")
def test(address: str) -> None:
    """Sends one short test mail to ADDRESS through the relay in use, and prints what its server said."""
    from mailer.db import session_scope
    from mailer.dispatch.relays.registry import send_test

    with session_scope() as session:
        result = asyncio.run(send_test(session, address))
    click.echo(f"{result.relay}: {result.outcome}: {result.code or '-'} {result.enhanced or ''} {result.reply}".strip())
    sys.exit(0 if result.outcome == "accepted" else 1)
