import subprocess
import sys
from pathlib import Path

from mailer.dispatch.sender_slots import sender_slot

HOLD = """
import sys, pathlib
from mailer.dispatch.sender_slots import sender_slot
with sender_slot(pathlib.Path(sys.argv[1]), 1) as is_ours:
    print(is_ours, flush=True)
    sys.stdin.read()
"""


def test_as_many_hold_a_slot_as_there_are(tmp_path: Path) -> None:
    with sender_slot(tmp_path, 2) as first, sender_slot(tmp_path, 2) as second:
        assert first
        assert second
        with sender_slot(tmp_path, 2) as third:
            assert not third
        with sender_slot(tmp_path, 1, purpose="letters") as letters:
            assert letters
    with sender_slot(tmp_path, 2) as again:
        assert again


def test_a_killed_process_frees_its_slot_at_once(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with sender_slot(tmp_path, 1) as is_ours:
            assert not is_ours
        holder.kill()
        holder.wait(10)
    with sender_slot(tmp_path, 1) as is_ours:
        assert is_ours
