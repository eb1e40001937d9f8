"""Tasks of dispatch: an id in, the room decides."""

from mailer.audience import importing
from mailer.dispatch import preparing, sending, sweeping
from mailer.queue import TaskName, get_celery

app = get_celery()


@app.task(name=TaskName.DISPATCH_PREPARE)
def prepare(mailing_id: int) -> None:
    """Freezes a mailing's roster."""
    preparing.prepare(mailing_id)


@app.task(name=TaskName.DISPATCH_SEND)
def send(mailing_id: int) -> None:
    """Sends what is due of a mailing for a few seconds."""
    sending.send(mailing_id)


@app.task(name=TaskName.DISPATCH_SWEEP)
def sweep() -> None:
    """Repairs what was left behind, and hints at what waits: of dispatch, and of imports whose hint was lost."""
    sweeping.sweep()
    importing.enqueue_lost()
