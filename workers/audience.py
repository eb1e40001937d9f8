"""Tasks of the audience."""

from mailer.audience import importing
from mailer.queue import TaskName, get_celery

app = get_celery()


@app.task(name=TaskName.AUDIENCE_IMPORT)
def run_import(run_id: int) -> None:
    """Reads an uploaded CSV into its list."""
    importing.run_import(run_id)
