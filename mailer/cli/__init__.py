"""Operator commands. `main` is the `mailer` program; each command's module is loaded only when it is called, so that
`mailer parse` starts without a database driver or a queue. `docs/commands.md` lists them all, and a test proves it.
"""

import functools
import importlib
import sys
from collections.abc import Callable
from typing import ClassVar, ParamSpec, TypeVar

import click

from mailer.errors import MailerError, SettingsError

EXIT_REFUSED = 1
EXIT_UNREADABLE = 2


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called: name -> ``module:object``."""

    lazy: ClassVar[dict[str, str]] = {
        "accounts": "mailer.cli.accounts:accounts",
        "bench": "mailer.cli.bench:bench",
        "compile": "mailer.cli.documents:compile_command",
        "db": "mailer.cli.database:db",
        "demo": "mailer.cli.running:demo",
        "directory": "mailer.cli.directory:directory",
        "dkim": "mailer.cli.dkim:dkim",
        "doctor": "mailer.cli.doctor:doctor",
        "import-subscribers": "mailer.cli.subscribers:import_subscribers",
        "parse": "mailer.cli.documents:parse",
        "relay": "mailer.cli.relay:relay",
        "run": "mailer.cli.running:run",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lazy:
            return None
        module, _, attribute = self.lazy[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


P = ParamSpec("P")
R = TypeVar("R")


def at_terminal(command: Callable[P, R]) -> Callable[P, R]:
    """For a command whose acts are audited: they are done at the terminal, by whom only the machine knows."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        from mailer.accounts.auditing import TERMINAL, acting_as

        with acting_as(TERMINAL):
            return command(*args, **kwargs)

    return wrapped


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mailer", message="Mailer %(version)s")
def program() -> None:
    """Mailer publishes a periodical by email: import, approve, send, and know what became of every copy."""


def main() -> None:
    """Entry point: an error raised on purpose is one clear sentence on stderr, never a traceback."""
    try:
        program(prog_name="mailer")
    except SettingsError as error:
        click.echo("Mailer cannot start with these settings:", err=True)
        for problem in error.problems:
            click.echo(f"  {problem}", err=True)
        sys.exit(EXIT_REFUSED)
    except MailerError as error:
        click.echo(f"mailer: {error}", err=True)
        sys.exit(EXIT_REFUSED)
