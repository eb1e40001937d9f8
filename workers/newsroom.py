"""Tasks of the newsroom."""

from mailer.db import session_scope
from mailer.newsroom import approval
from mailer.queue import TaskName, get_celery

app = get_celery()


@app.task(name=TaskName.NEWSROOM_SWEEP)
def sweep() -> None:
    """Approvals that nobody used in time run out."""
    with session_scope() as session:
        approval.expire_due(session)
