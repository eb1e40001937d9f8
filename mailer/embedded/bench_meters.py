"""What processes cost, read from /proc (proc(5)): seconds of CPU and peak memory, of a process and its offspring."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
# Of /proc/PID/stat, counted from the state, which stands behind the name in brackets: parent, utime, stime, cutime,
# cstime. The last two are what its dead children had used.
_PARENT, _TIMES = 1, slice(11, 15)


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds of CPU that a tree of processes has used since it began, in user and kernel mode."""

    cpu_seconds: float

    def since(self, earlier: "Usage") -> float:
        """Seconds used between two looks."""
        return self.cpu_seconds - earlier.cpu_seconds


def usage_of(root: int) -> Usage:
    """Of the process `root` and all its descendants, those that have ended included."""
    total = 0
    for pid in tree_of(root):
        fields = _stat(pid)
        if fields:
            total += sum(int(ticks) for ticks in fields[_TIMES])
    return Usage(total / _TICKS)


def tree_of(root: int) -> list[int]:
    """`root` and its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[_PARENT]), []).append(int(entry.name))
    found, left = [], [root]
    while left:
        pid = left.pop()
        found.append(pid)
        left.extend(children.get(pid, ()))
    return found


def peak_megabytes(pids: Iterable[int]) -> dict[int, float]:
    """Process -> the most resident memory it has had so far, in MB (10^6 bytes); without those that are gone."""
    peaks = {}
    for pid in pids:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                peaks[pid] = int(line.split()[1]) * 1024 / 1e6
    return peaks


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; empty where there is no such process any more."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return line.rpartition(")")[2].split()
