"""Tasks of feedback."""

from mailer.db import session_scope
from mailer.queue import TaskName, get_celery

app = get_celery()


@app.task(name=TaskName.FEEDBACK_ABSORB)
def absorb() -> None:
    """Records the opens and clicks that came while PostgreSQL was away."""
    from mailer.feedback import spooling

    with session_scope() as session:
        while spooling.absorb(session) == spooling.BATCH:
            pass
