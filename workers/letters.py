"""Tasks of the outbox."""

from mailer.dispatch import outbox
from mailer.queue import TaskName, get_celery

app = get_celery()


@app.task(name=TaskName.LETTERS_SEND)
def send() -> None:
    """Sends the letters that are due."""
    outbox.send_letters()
