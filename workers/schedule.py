"""What beat enqueues, and how often. Two beats do no harm: every task here may run twice, and at once."""

from typing import Any

from mailer.queue import TaskName

SWEEP_SECONDS = 3.0
ABSORB_SECONDS = 30.0
MINUTE = 60.0
HOUR = 3600.0

SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep": {"task": TaskName.DISPATCH_SWEEP, "schedule": SWEEP_SECONDS},
    "absorb": {"task": TaskName.FEEDBACK_ABSORB, "schedule": ABSORB_SECONDS},
    "imports": {"task": TaskName.AUDIENCE_IMPORT, "schedule": MINUTE},
    "newsroom": {"task": TaskName.NEWSROOM_SWEEP, "schedule": MINUTE},
    "retention": {"task": TaskName.PRIVACY_RETENTION, "schedule": HOUR},
}
