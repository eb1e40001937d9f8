"""`mailer dkim`: keys that sign outgoing mail, made, published, rotated."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mailer.cli import at_terminal

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from mailer.dispatch.dkim.models import DkimKey

ALGORITHMS = ("both", "rsa", "ed25519")


@click.group()
def dkim() -> None:
    """Keys that sign outgoing mail (DKIM).

    To begin, or to change keys: create, publish what is printed, check, activate; remove the old record when `show`
    says that its time is over.
    """


@dkim.command()
@click.argument("domain")
@click.option("--selector", default="", help="Name of the key in the DNS; a month is proposed.")
@click.option(
    "--algorithm",
    type=click.Choice(ALGORITHMS),
    default="both",
    show_default=True,
    help="Both sign every message: rsa is understood everywhere, ed25519 is short and modern.",
)
@at_terminal
def create(domain: str, selector: str, algorithm: str) -> None:
    """Makes keys for DOMAIN and prints their DNS records. They do not sign before they are activated."""
    from mailer.db import session_scope
    from mailer.dispatch.dkim.keys import create_keys
    from mailer.dispatch.dkim.signing import Algorithm

    wanted = list(Algorithm) if algorithm == "both" else [Algorithm(f"{algorithm}-sha256")]
    with session_scope() as session:
        keys = create_keys(session, domain, by=None, selector=selector, algorithms=wanted)
        for key in keys:
            _print(session, key)
        click.echo(f"Publish these records, then: mailer dkim check {keys[0].domain}")


@dkim.command()
@click.argument("domain", required=False)
def show(domain: str | None) -> None:
    """Prints keys, those of DOMAIN or all, with their DNS records ready to be copied."""
    from mailer.db import session_scope
    from mailer.dispatch.dkim.keys import list_keys

    with session_scope() as session:
        keys = list_keys(session, domain)
        for key in keys:
            _print(session, key)
        if not keys:
            click.echo("There is no DKIM key. Make one with: mailer dkim create DOMAIN")


@dkim.command()
@click.argument("domain")
@click.argument("selectors", nargs=-1, metavar="[SELECTOR]...")
@at_terminal
def activate(domain: str, selectors: Sequence[str]) -> None:
    """Mail of DOMAIN is signed with these keys from now on (without SELECTOR: those that wait).

    The key before, of the same algorithm, is retired. Its record has to stay in the DNS until the date that is printed.
    """
    from mailer.db import session_scope
    from mailer.dispatch.dkim import keys as dkim_keys
    from mailer.dispatch.dkim.rules import KeyState
    from mailer.errors import RuleError

    with session_scope() as session:
        if selectors:
            keys = [dkim_keys.get_key_of(session, domain, selector) for selector in selectors]
        else:
            # The newest of each algorithm, should several wait.
            waiting = [key for key in dkim_keys.list_keys(session, domain) if _state(session, key) is KeyState.WAITING]
            keys = list({key.algorithm: key for key in reversed(waiting)}.values())
        if not keys:
            raise RuleError("No key of this domain waits to be activated.")
        for key in keys:
            dkim_keys.activate(session, key, by=None)
        for key in dkim_keys.list_keys(session, domain):
            _tell(session, key)


@dkim.command()
@click.argument("domain")
@click.argument("selectors", nargs=-1, required=True, metavar="SELECTOR...")
@at_terminal
def retire(domain: str, selectors: Sequence[str]) -> None:
    """These keys sign no more. Where no other one is activated, mail of DOMAIN goes out unsigned."""
    from mailer.db import session_scope
    from mailer.dispatch.dkim import keys as dkim_keys

    with session_scope() as session:
        for selector in selectors:
            key = dkim_keys.get_key_of(session, domain, selector)
            dkim_keys.retire(session, key, by=None)
            _tell(session, key)


@dkim.command()
@click.argument("domain")
@click.argument("selectors", nargs=-1, required=True, metavar="SELECTOR...")
@at_terminal
def remove(domain: str, selectors: Sequence[str]) -> None:
    """Deletes keys that were never used or whose time is over, with their private halves."""
    from mailer.db import session_scope
    from mailer.dispatch.dkim import keys as dkim_keys

    with session_scope() as session:
        for selector in selectors:
            dkim_keys.remove(session, dkim_keys.get_key_of(session, domain, selector), by=None)
            click.echo(f"{selector}: removed")


@dkim.command()
@click.argument("domain")
def check(domain: str) -> None:
    """Asks the DNS for the records of DOMAIN's keys; exit code 1 if one in use or waiting is missing or different.

    A DNS that cannot be asked is no failure: then nothing is known.
    """
    from mailer.db import session_scope
    from mailer.dispatch.dkim.dns import look_up
    from mailer.dispatch.dkim.keys import list_keys
    from mailer.dispatch.dkim.rules import FOUND, KeyState, Published
    from mailer.errors import NotFoundError

    with session_scope() as session:
        keys = [(key, _state(session, key)) for key in list_keys(session, domain)]
    if not keys:
        raise NotFoundError("This domain has no DKIM key. Make one with: mailer dkim create DOMAIN")
    is_bad = False
    for key, state in keys:
        if state is KeyState.OVER:
            continue
        found = look_up(key)
        is_bad |= found in {Published.MISSING, Published.DIFFERENT} and state is not KeyState.RETIRED
        click.echo(f"{key.selector} ({state}): {FOUND[found]}")
    sys.exit(1 if is_bad else 0)


def _state(session: "Session", key: "DkimKey") -> str:
    from mailer.dispatch.dkim.keys import get_state

    return get_state(session, key)


def _tell(session: "Session", key: "DkimKey") -> None:
    """One line: the key, and where it stands."""
    from mailer.dispatch.dkim.keys import published_until

    until = published_until(key)
    kept = f", keep its record in the DNS until {until:%Y-%m-%d}" if until else ""
    click.echo(f"{key.domain} {key.selector} {key.algorithm}: {_state(session, key)}{kept}")


def _print(session: "Session", key: "DkimKey") -> None:
    from mailer.dispatch.dkim.rules import record_name, record_value, zone_line

    name, value = record_name(key.domain, key.selector), record_value(key.algorithm, key.public_key)
    _tell(session, key)
    click.echo(f"  name   {name}")
    click.echo("  type   TXT")
    click.echo(f"  value  {value}")
    click.echo(f"  zone   {zone_line(name, value)}\n")
