"""`mailer run`: everything on this machine until Ctrl-C or SIGTERM, and what a newcomer finds at the first start."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from mailer import accounts
from mailer.db import session_scope
from mailer.embedded import sample
from mailer.embedded.scene import settings_of
from mailer.embedded.service import make_data_dir
from mailer.embedded.supervisor import Supervisor
from mailer.embedded.surroundings import Plan, make_environment
from mailer.settings import load_settings

FIRST_ADMIN = ("admin@example.org", "管理员")
LOOK_SECONDS = 0.1
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """SIGTERM, Ctrl-C or a closed terminal: not an error, and nothing that handles errors swallows it."""


def say(line: str) -> None:
    """One line for the operator, at once also where the output goes to a file."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def run_everything(data_dir: Path, *, web_port: int = 8000, smtp_port: int = 2525) -> int:
    """Runs until it is told to stop, and returns the exit code. Raises `ServiceError` or `SettingsError`, one
    sentence, when it cannot start; nothing is left running then.
    """
    plan = make_plan(data_dir, web_port=web_port, smtp_port=smtp_port)
    check_settings(plan)
    supervisor = Supervisor(plan, say)
    with interruptible():
        try:
            say(f"Mailer starts on {plan.data_dir} …")
            supervisor.start()
            _welcome(supervisor)
            while True:
                supervisor.check()
                time.sleep(LOOK_SECONDS)
        except Interrupted:
            say("Mailer stops …")
        finally:
            with uninterrupted():
                supervisor.stop()
    say("Mailer has stopped.")
    return 0


def check_settings(plan: Plan) -> None:
    """Raises `SettingsError` for the operator's bad settings before anything is started."""
    make_data_dir(plan.data_dir)
    with settings_of(make_environment(plan, "postgresql://nobody@127.0.0.1/none", "redis://127.0.0.1/0")):
        load_settings()


def make_plan(data_dir: Path, *, web_port: int, smtp_port: int) -> Plan:
    """The plan for `mailer run`: the operator's own relay, public address and secret key where they are set."""
    return Plan(
        data_dir=data_dir.absolute(),
        web_port=web_port,
        smtp_port=smtp_port,
        mailbox_dir=data_dir.absolute() / "mailbox",
        relay_url=os.environ.get("MAILER_RELAY_URL"),
        public_url=os.environ.get("MAILER_PUBLIC_URL"),
        secret_key=os.environ.get("MAILER_SECRET_KEY"),
    )


def _welcome(supervisor: Supervisor) -> None:
    """Prints the addresses and, at the first start, the first admin's password; then loads the sample."""
    plan = supervisor.plan
    password = None
    with settings_of(supervisor.environment), session_scope() as session:
        if not accounts.count_active_admins(session):
            password = accounts.create_first_admin(session, *FIRST_ADMIN)
            sample.want(plan.data_dir)
    public = supervisor.environment["MAILER_PUBLIC_URL"]
    say("")
    say(f"  Portal   {public}/")
    say(f"  Desk     {public}/desk/")
    say(f"  Admin    {public}/admin/")
    say(f"  Mailbox  {public}/mailbox/   (SMTP 127.0.0.1:{plan.smtp_port})")
    say("")
    if password:
        say(f"  First admin   {FIRST_ADMIN[0]}")
        say(f"  Password      {password}   (shown this once)")
        say("")
    if not plan.sends_to_mailbox:
        say("  Mail leaves this machine: MAILER_RELAY_URL names a relay.")
    say(f"  Data and logs are in {plan.data_dir}. Ctrl-C stops everything.")
    if sample.is_wanted(plan.data_dir):
        supervisor.begin_once(sample.make_child(plan, supervisor.environment))
        say("  A sample newsletter is being loaded and sent to the mailbox; its figures are there in a minute.")
    say("")


@contextmanager
def interruptible() -> Iterator[None]:
    """`STOP_SIGNALS` raise `Interrupted` within the block."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise Interrupted

    with _handling(interrupt):
        yield


@contextmanager
def uninterrupted() -> Iterator[None]:
    """`STOP_SIGNALS` are ignored within the block: stopping is under way and takes a bounded time."""
    with _handling(signal.SIG_IGN):
        yield


@contextmanager
def _handling(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> Iterator[None]:
    # What the caller ignores stays ignored: `nohup` wants it so.
    heard = [number for number in STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
