"""The four processes of ours that `mailer run` starts: how each is called, and how one sees that it answers."""

import http.client
import os
import smtplib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mailer.embedded.processes import Child, Program
from mailer.embedded.service import LOOPBACK
from mailer.embedded.surroundings import Plan

# In the order they start; they stop in the opposite one, so that no worker sends into a mailbox that has gone.
NAMES = ("mailbox", "worker", "beat", "web")
# The longest a worker may take to finish what it has in hand; what it then still holds, its lease gives back.
DRAIN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Member:
    """A child and the question whether it answers."""

    child: Child
    answers: Callable[[], bool]


def make_child(
    plan: Plan, environment: Mapping[str, str], name: str, *command: str, stop_seconds: float = 10.0
) -> Child:
    """A process of ours that runs the module `command` begins with, told what `environment` says."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAILER_TEST_")}
    program = Program(
        name,
        [sys.executable, "-m", *command],
        environment=kept | dict(environment) | {"PYTHONUNBUFFERED": "1"},
        stop_seconds=stop_seconds,
    )
    return Child(plan.data_dir, program)


def make_crew(plan: Plan, environment: Mapping[str, str]) -> list[Member]:
    """The processes of `plan`, not started yet."""

    def member(name: str, *command: str, answers: Callable[[], bool] = lambda: True, seconds: float = 10.0) -> Member:
        return Member(make_child(plan, environment, name, *command, stop_seconds=seconds), answers)

    return [
        member(
            "mailbox",
            *("mailer.embedded.mailbox", str(plan.mailbox_dir), str(plan.smtp_port)),
            answers=lambda: _greets(plan.smtp_port),
        ),
        member(
            "worker",
            *("celery", "--app", "workers.app", "worker", "--concurrency", str(plan.worker_processes)),
            *("--queues", "mailings,letters,upkeep", "--loglevel", "INFO", "--without-gossip", "--without-mingle"),
            seconds=DRAIN_SECONDS,
        ),
        member(
            "beat",
            *("celery", "--app", "workers.app", "beat", "--loglevel", "INFO"),
            *("--schedule", str(plan.data_dir / "run" / "beat-schedule")),
        ),
        member(
            "web",
            *("gunicorn", "mailer.web.app:create_app()", "--bind", f"{LOOPBACK}:{plan.web_port}"),
            *("--worker-class", "gthread", "--workers", "2", "--threads", "8"),
            *("--graceful-timeout", "8", "--no-control-socket"),
            answers=lambda: _serves(plan.web_port),
        ),
    ]


def _greets(port: int) -> bool:
    try:
        with smtplib.SMTP(LOOPBACK, port, timeout=2):
            return True
    except (OSError, smtplib.SMTPException):
        return False


def _serves(port: int) -> bool:
    """A file of its own and no page: whether the database answers is another question."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/static/manifest.json")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
