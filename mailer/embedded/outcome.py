"""What `mailer demo` shows: how far it is, and its report."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

STATES = ("accepted", "rejected", "unknown", "skipped", "expired", "queued", "claimed")


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What became of it. `mailing` counts deliveries by state; seconds are wall-clock."""

    issue: dict[str, Any]
    mailing: dict[str, int]
    opens: int
    clicks: int
    seconds: dict[str, float]
    # Why it did not go on, where it did not: a paused mailing's reason.
    stopped: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether everyone on the roster was accepted for."""
        return not self.stopped and self.mailing["accepted"] == self.mailing["roster"] > 0

    def as_json(self) -> dict[str, Any]:
        """The contract of `docs/commands.md`."""
        return {
            "issue": self.issue,
            "mailing": self.mailing,
            "opens": self.opens,
            "clicks": self.clicks,
            "seconds": self.seconds,
        }

    def as_text(self) -> str:
        """The same for a person."""
        issue, seconds = self.issue, self.seconds
        rate = self.mailing["accepted"] / seconds["send"] if seconds["send"] else 0.0
        lines = [
            f"{issue['title']}: {issue['subject']} ({issue['articles']} articles)",
            *(f"  {name:9} {self.mailing[name]:>9,}" for name in ("roster", *STATES)),
            f"  {'opens':9} {self.opens:>9,}",
            f"  {'clicks':9} {self.clicks:>9,}",
            f"  prepared in {seconds['prepare']:.1f} s, sent in {seconds['send']:.1f} s ({rate:,.0f} a second)",
        ]
        if self.stopped:
            lines.append(f"  stopped: {self.stopped}")
        return "\n".join(lines)


class Bar:
    """How far the demo is, on a terminal; and what the supervisor has to say, anywhere. All of it on stderr."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._bar: Any = None
        self._is_shown = sys.stderr.isatty()

    def step(self, line: str) -> None:
        """Names what is done now, on a terminal only."""
        if self._is_shown:
            self._finish()
            self.say(line)

    def show(self, done: int) -> None:
        """How many deliveries have come to an end. The bar begins with the first call, and so does its estimate."""
        if not self._is_shown:
            return
        if self._bar is None:
            self._bar = click.progressbar(length=self._total, label="Sending", file=sys.stderr, show_pos=True)
        self._bar.update(done - self._done)
        self._done = done

    def say(self, line: str) -> None:
        sys.stderr.write(f"\n{line}\n" if self._bar is not None else f"{line}\n")

    def close(self) -> None:
        """Leaves the terminal as it was."""
        self._finish()

    def _finish(self) -> None:
        if self._bar is not None:
            self._bar.render_finish()
            self._bar = None


@contextmanager
def progress_bar(total: int) -> Iterator[Bar]:
    bar = Bar(total)
    try:
        yield bar
    finally:
        bar.close()
