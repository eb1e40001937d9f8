import os
import subprocess
import sys

import pytest

from mailer.queue import ROUTES, TaskName

PROBE = """
import sys, workers.app
print(sorted(name for name in sys.modules if name.startswith(('flask', 'mailer.web'))))
print(sorted(str(name) for name in workers.app.app.tasks if not name.startswith('celery.')))
print(workers.app.app.conf.beat_schedule_filename)
"""


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What a fresh worker process would load."""
    environment = os.environ | {"MAILER_DATA_DIR": "/var/lib/somewhere"}
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, env=environment)
    return done.stdout.splitlines()


def test_a_worker_loads_nothing_of_the_web(probe: list[str]) -> None:
    assert probe[0] == "[]"


def test_every_task_there_is_has_its_function_and_its_queue(probe: list[str]) -> None:
    assert probe[1] == str(sorted(name.value for name in TaskName))
    assert set(ROUTES) == set(TaskName)


def test_beat_keeps_its_schedule_in_the_data_directory(probe: list[str]) -> None:
    assert probe[2] == "/var/lib/somewhere/run/beat-schedule"


def test_what_beat_enqueues_are_tasks_of_ours() -> None:
    from workers.schedule import SCHEDULE

    names = {entry["task"] for entry in SCHEDULE.values()}
    assert names <= set(TaskName)
    assert SCHEDULE["sweep"]["schedule"].seconds <= 5


def test_what_was_noted_by_a_clock_that_was_ahead_is_due_at_once() -> None:
    import datetime as dt

    from workers.schedule import Every

    moment = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    every = Every(3.0, nowfun=lambda: moment)
    assert every.is_due(moment + dt.timedelta(hours=1)) == (True, 3.0)
    assert every.is_due(moment - dt.timedelta(seconds=4)) == (True, 3.0)
    is_due, wait = every.is_due(moment - dt.timedelta(seconds=1))
    assert (is_due, round(wait)) == (False, 2)


def test_tasks_hand_their_ids_to_the_rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    from workers import audience, dispatch, letters

    called: list[tuple[str, tuple[int, ...]]] = []
    for target, name in (
        ("mailer.dispatch.preparing.prepare", "prepare"),
        ("mailer.dispatch.sending.send", "send"),
        ("mailer.dispatch.sweeping.sweep", "sweep"),
        ("mailer.dispatch.outbox.send_letters", "letters"),
        ("mailer.audience.importing.run_import", "import"),
        ("mailer.audience.importing.enqueue_lost", "lost"),
    ):
        monkeypatch.setattr(target, lambda *ids, name=name: called.append((name, ids)))
    dispatch.prepare(7)
    dispatch.send(7)
    dispatch.sweep()
    letters.send()
    audience.run_import(9)
    assert called == [
        ("prepare", (7,)), ("send", (7,)), ("sweep", ()), ("lost", ()), ("letters", ()), ("import", (9,)),
    ]  # fmt: skip
