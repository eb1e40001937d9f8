"""How far a document has been read: said by its reader, heard by whoever waits for it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """What an import is busy with."""

    READING = "reading"
    ARRANGING = "arranging"
    STORING = "storing"


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` pages or paragraphs of file number `file` (from 1) of `files`, called `name`; zeros and nothing
    where that is not known or does not matter.
    """

    stage: Stage
    name: str = ""
    file: int = 0
    files: int = 0
    done: int = 0
    total: int = 0


Tell = Callable[[Progress], None]
# (done, of how many), in pages or paragraphs, whichever the reader counts.
Step = Callable[[int, int], None]

_hearers: list[Step] = []


def tell(done: int, total: int) -> None:
    """A reader's word after each page, or every few hundred paragraphs."""
    for hear in _hearers:
        hear(done, total)


def be_told(hear: Step) -> None:
    """From now on this process tells `hear`; it reads one document and ends."""
    _hearers.append(hear)
