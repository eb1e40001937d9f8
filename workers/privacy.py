"""Tasks of privacy."""

from mailer.db import session_scope
from mailer.privacy import retention
from mailer.queue import TaskName, get_celery

app = get_celery()


@app.task(name=TaskName.PRIVACY_RETENTION)
def sweep() -> None:
    """Forgets what need not be kept."""
    with session_scope() as session:
        retention.sweep(session)
