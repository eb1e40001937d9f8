"""The Celery application with its tasks: ``celery -A workers.app worker -c 3 -Q mailings,letters,upkeep``.

Nothing of the web is ever imported here. A forked process begins without its parent's sockets, and says goodbye to its
relay when it ends.
"""

import gc
import logging
from typing import Any

from celery.signals import setup_logging, worker_process_init, worker_process_shutdown

from mailer.db import forget_engine
from mailer.dispatch.sending_process import close_process
from mailer.dispatch.sending_process import run_directory as run_directory_of_host
from mailer.queue import get_celery
from mailer.settings import get_settings
from workers.schedule import SCHEDULE

app = get_celery()

# The modules add their tasks to the application above.
from workers import audience, dispatch, feedback, letters, newsroom, privacy  # noqa: E402

__all__ = ["app", "audience", "dispatch", "feedback", "letters", "newsroom", "privacy"]

app.conf.beat_schedule = SCHEDULE
# Beside the locks, so that a read-only working directory is no obstacle and a container keeps nothing.
app.conf.beat_schedule_filename = str(run_directory_of_host() / "beat-schedule")
# Celery's own default may sleep five minutes between two looks at the schedule.
app.conf.beat_max_loop_interval = 1


@setup_logging.connect
def _log(**_: Any) -> None:
    """Plain lines with ids; Celery would otherwise set the root logger up for itself."""
    run_directory_of_host().mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        level=get_settings().log_level, format="%(asctime)s %(levelname)s %(processName)s %(name)s: %(message)s"
    )
    # A line for each hint that found nothing to do, several a second, would hide the rest.
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)


@worker_process_init.connect
def _begin(**_: Any) -> None:
    forget_engine()
    # What was imported stays. A process that holds a thousand claims makes the collector go over all of it again and
    # again: some five per cent of what a message costs.
    gc.freeze()


@worker_process_shutdown.connect
def _end(**_: Any) -> None:
    close_process()
