"""Tasks of the newsroom."""

from mailer.db import session_scope
from mailer.newsroom import approval, link_checking
from mailer.queue import TaskName, get_celery

app = get_celery()


@app.task(name=TaskName.NEWSROOM_SWEEP)
def sweep() -> None:
    """Approvals that nobody used in time run out."""
    with session_scope() as session:
        approval.expire_due(session)


@app.task(name=TaskName.NEWSROOM_CHECK_LINKS)
def check_links(issue_id: int) -> None:
    """Follows an issue's links, unless somebody did so lately."""
    link_checking.check_links(issue_id)
