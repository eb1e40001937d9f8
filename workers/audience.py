"""Tasks of the audience."""

from mailer.audience import counting, importing
from mailer.audience.directories import runs, syncing
from mailer.db import session_scope
from mailer.dispatch import mail_hosts
from mailer.queue import TaskName, get_celery

app = get_celery()


@app.task(name=TaskName.AUDIENCE_IMPORT)
def run_import(run_id: int | None = None) -> None:
    """Reads an uploaded CSV into its list. Without an id, as beat calls it: finds the ones whose hint was lost."""
    if run_id is None:
        importing.enqueue_lost()
    else:
        importing.run_import(run_id)


@app.task(name=TaskName.AUDIENCE_DIRECTORIES)
def run_directory(run_id: int | None = None) -> None:
    """Reads a directory for its list. Without an id, as beat calls it: finds those whose hour has come, or whose hint
    was lost.
    """
    if run_id is None:
        runs.enqueue_due()
    else:
        syncing.run_directory(run_id)


@app.task(name=TaskName.AUDIENCE_DOMAINS)
def check_domains() -> None:
    """Asks the DNS about domains of readers, where `MAILER_CHECK_MX` wants it; beat calls it for those that are due."""
    mail_hosts.check_domains()


@app.task(name=TaskName.AUDIENCE_COUNTS)
def fold_counts() -> None:
    """Keeps the counts of lists few."""
    with session_scope() as session:
        counting.fold_counts(session)
