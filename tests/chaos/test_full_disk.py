"""The disk under the journals is full: nothing goes out that could not be written down."""

import resource
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from mailer.dispatch.sending_process import journal_directory
from mailer.embedded.bench_meters import tree_of
from tests.chaos.conftest import MakeStage
from tests.chaos.stage import Stage

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

RECIPIENTS = 800


def stops_and_says_so(stage: Stage) -> bool:
    return any(each.provider == "*" and each.reply_class == "journal" for each in stage.suspensions())


def expect_a_stop(stage: Stage) -> int:
    """How many had been taken when it stopped."""
    stage.wait_for(lambda: stops_and_says_so(stage), what="a stop with its reason")
    taken = stage.relay.count()
    assert 0 < taken < RECIPIENTS
    return taken


def expect_all(stage: Stage, row: str, stopped_at: int) -> None:
    (mailing,) = stage.mailings()
    stage.wait_finished(mailing, is_hurried=True)
    account = stage.account(mailing)
    stage.report(row, account, stopped_at=stopped_at)
    assert account.states == {"accepted": RECIPIENTS}
    assert (account.missed, account.twice) == (set(), set())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KB where the journals lie."""
    folder = tmp_path / "journals"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this user may mount nothing here; the limit on the length of files is tried below")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Takes what is free, to the last byte; again and again, since a journal that is emptied gives some back."""
    for size in (4096, 1):
        with suppress(OSError), (folder / "filler").open("ab", buffering=0) as file:
            while True:
                file.write(b"x" * size)


def test_a_full_disk_stops_the_sending_with_a_reason_and_loses_nothing(make_stage: MakeStage, small_disk: Path) -> None:
    stage = make_stage(late=0.15)
    assert journal_directory() == small_disk
    stage.house.subscribe(RECIPIENTS)
    stage.watch(stage.house.mailing())
    stage.start()
    stage.wait_taken(RECIPIENTS // 5)

    def is_full() -> bool:
        fill(small_disk)
        return stops_and_says_so(stage)

    stage.wait_for(is_full, what="a stop")
    stopped_at = expect_a_stop(stage)
    (small_disk / "filler").unlink()
    expect_all(stage, "disk full under the journal", stopped_at)


def set_limit(pids: Sequence[int], most: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def test_a_journal_that_may_not_grow_stops_the_sending_and_loses_nothing(make_stage: MakeStage) -> None:
    stage = make_stage(late=0.15)
    stage.house.subscribe(RECIPIENTS)
    stage.watch(stage.house.mailing())
    stage.start()
    stage.wait_taken(RECIPIENTS // 5)
    # Whoever of the pool has the next run: Python ignores SIGXFSZ, and each write fails with EFBIG, as with ENOSPC.
    pool = tree_of(stage.children[0].pid or 0)[1:]
    set_limit(pool, 0)
    stopped_at = expect_a_stop(stage)
    set_limit(pool, resource.RLIM_INFINITY)
    expect_all(stage, "no room for the journal (RLIMIT_FSIZE)", stopped_at)
