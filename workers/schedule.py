"""What beat enqueues, and how often. Two beats do no harm: every task here may run twice, and at once."""

import datetime as dt
from typing import Any

from celery.schedules import schedstate, schedule

from mailer.queue import TaskName

SWEEP_SECONDS = 3.0
ABSORB_SECONDS = 30.0
MINUTE = 60.0
HOUR = 3600.0


class Every(schedule):
    """Every so many seconds. A last time that lies in the future was noted by a clock that has been set right since:
    Celery would wait until that hour comes, and with it every repair; here it is due at once.
    """

    def is_due(self, last_run_at: dt.datetime) -> schedstate:
        """(whether it is due, seconds until the next look)."""
        if self.maybe_make_aware(last_run_at) > self.now():
            return schedstate(is_due=True, next=self.seconds)
        return super().is_due(last_run_at)


SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep": {"task": TaskName.DISPATCH_SWEEP, "schedule": Every(SWEEP_SECONDS)},
    "absorb": {"task": TaskName.FEEDBACK_ABSORB, "schedule": Every(ABSORB_SECONDS)},
    "imports": {"task": TaskName.AUDIENCE_IMPORT, "schedule": Every(MINUTE)},
    "directories": {"task": TaskName.AUDIENCE_DIRECTORIES, "schedule": Every(MINUTE)},
    "domains": {"task": TaskName.AUDIENCE_DOMAINS, "schedule": Every(MINUTE)},
    "counts": {"task": TaskName.AUDIENCE_COUNTS, "schedule": Every(HOUR)},
    "newsroom": {"task": TaskName.NEWSROOM_SWEEP, "schedule": Every(MINUTE)},
    "retention": {"task": TaskName.PRIVACY_RETENTION, "schedule": Every(HOUR)},
}
