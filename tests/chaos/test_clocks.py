"""Clocks that are wrong: PostgreSQL's alone decides what is due."""

import datetime as dt
import sysconfig
from pathlib import Path

import pytest

from mailer.db import now, session_scope
from mailer.dispatch import launching
from mailer.dispatch.models import Mailing
from tests.chaos.conftest import MakeStage
from tests.chaos.stage import Stage

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


def faketime_library() -> Path | None:
    """Of the Debian package `faketime`: for processes with threads."""
    places = [Path("/usr/lib"), Path("/usr/lib") / str(sysconfig.get_config_var("MULTIARCH")), Path("/usr/local/lib")]
    found = [place / "faketime" / "libfaketimeMT.so.1" for place in places]
    return next((path for path in found if path.exists()), None)


class Clock:
    """What a worker takes for the time of day; its monotonic clock goes on, as a real one would."""

    def __init__(self, file: Path, library: Path) -> None:
        self._file = file
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.jump(0)

    def jump(self, seconds: int) -> None:
        """To so many seconds from the true time."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}s\n")
        fresh.replace(self._file)


def scheduled(stage: Stage, wait: dt.timedelta) -> Mailing:
    mailing = stage.house.mailing(1, launched=False)
    with session_scope() as session:
        launching.schedule(session, session.get_one(Mailing, mailing.id), now(session) + wait)
    return mailing


@pytest.fixture
def library() -> Path:
    library = faketime_library()
    if library is None:
        pytest.skip("libfaketime is missing: install the Debian package faketime (.ci/run does)")
    return library


@pytest.fixture
def clock(tmp_path: Path, library: Path) -> Clock:
    return Clock(tmp_path / "time", library)


def test_a_clock_that_jumps_an_hour_sends_nothing_early_and_nothing_twice(make_stage: MakeStage, clock: Clock) -> None:
    stage = make_stage("greylist-some", late=0.05)
    stage.house.subscribe(40, domain="grey.example.org")
    stage.house.subscribe(300)
    stage.house.subscribe(10, lists=(1,))
    mailing, later = stage.house.mailing(), scheduled(stage, dt.timedelta(minutes=30))
    stage.watch(mailing)
    stage.start_worker(**clock.environment)
    stage.start_beat()
    stage.wait_taken(60)
    clock.jump(3600)
    stage.wait_taken(300)
    # By the worker's clock the greylisted are long due, and so is the other mailing.
    stage.wait_sweeps(2)
    assert stage.house.states(mailing) == {"accepted": 300, "queued": 40}
    assert stage.read(later).state == "scheduled"
    # Set right again: what was noted for an hour ahead must not keep anybody waiting.
    clock.jump(0)
    stage.wait_sweeps(2)
    assert stage.house.states(mailing) == {"accepted": 300, "queued": 40}
    stage.wait_finished(mailing, is_hurried=True)
    account = stage.account(mailing)
    stage.report("a worker's clock jumps an hour, there and back", account)
    assert account.states == {"accepted": 340}
    assert (account.missed, account.twice) == (set(), set())
    assert stage.read(later).state == "scheduled"


def test_a_beat_whose_clock_was_an_hour_ahead_sweeps_again_once_it_is_right(
    make_stage: MakeStage, library: Path
) -> None:
    stage = make_stage()
    stage.house.subscribe(50)
    stage.start_worker()
    ahead = stage.start_beat(LD_PRELOAD=str(library), FAKETIME="+3600s")
    stage.wait_sweeps(2)
    # In order, so that it writes down when it has done what: an hour from now.
    ahead.stop()
    stage.start_beat(schedule_of=ahead)
    stage.wait_sweeps(2)
    mailing = stage.house.mailing()
    stage.wait_finished(mailing)
    assert stage.account(mailing).states == {"accepted": 50}


def test_a_schedule_is_kept_on_hosts_of_other_time_zones(make_stage: MakeStage) -> None:
    stage = make_stage()
    stage.house.subscribe(200, lists=(1,))
    stage.start_worker(TZ="America/Los_Angeles")
    stage.start_beat(TZ="Asia/Shanghai")
    stage.wait_sweeps()
    mailing, later = scheduled(stage, dt.timedelta(seconds=4)), scheduled(stage, dt.timedelta(hours=3))
    stage.watch(mailing)
    stage.wait_finished(mailing)
    account = stage.account(mailing)
    launched = stage.read(mailing)
    assert launched.launched_at is not None
    assert launched.scheduled_at is not None
    late = (launched.launched_at - launched.scheduled_at).total_seconds()
    stage.report("host not in UTC", account, launched_late=round(late, 1))
    # Hours off would be a matter of zones; seconds are one of the machine.
    assert 0 <= late < 120
    assert account.states == {"accepted": 200}
    assert (account.missed, account.twice) == (set(), set())
    assert stage.read(later).state == "scheduled"
