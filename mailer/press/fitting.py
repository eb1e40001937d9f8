"""How much of which article a mail can hold: as few as will do are shortened, and none further than it must be.

Drawing is what costs, so counts are not halved towards but guessed, by what each article gives, and the guess proved:
a page that fits, and the one with an article more that does not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mailer.press.abridging import Length

# Gmail clips at about 102 KB of HTML, counted after link rewriting.
BUDGET_BYTES = 90_000
Page = TypeVar("Page")
Draw = Callable[[Mapping[int, Length]], tuple[Page, int]]


@dataclass(frozen=True, slots=True)
class Stage:
    """Articles (their keys) that become of one `length`, in this order, and about how many bytes each of them saves."""

    length: Length
    keys: Sequence[int]
    savings: Sequence[int]


def fit(draw: Draw[Page], lengths: Mapping[int, Length], stages: Sequence[Stage]) -> Page:
    """The page that ``draw(lengths)`` makes (with its size in bytes) of the longest lengths within the budget, each
    stage begun only where the one before is not enough; the shortest page where nothing is.
    """
    page, size = draw(lengths)
    if size <= BUDGET_BYTES:
        return page
    for stage in stages:
        if not stage.keys:
            continue
        shortest, least = draw({**lengths, **dict.fromkeys(stage.keys, stage.length)})
        if least <= BUDGET_BYTES:
            return _fewest(draw, lengths, stage, size, (shortest, least))
        lengths = {**lengths, **dict.fromkeys(stage.keys, stage.length)}
        page, size = shortest, least
    return page


def _fewest(
    draw: Draw[Page], lengths: Mapping[int, Length], stage: Stage, size: int, shortest: tuple[Page, int]
) -> Page:
    best, least = shortest
    low, high = 1, len(stage.keys) - 1
    guess = _guess(size, least, stage.savings)
    while low <= high:
        count = min(max(guess, low), high)
        page, drawn = draw({**lengths, **dict.fromkeys(stage.keys[:count], stage.length)})
        if drawn <= BUDGET_BYTES:
            best, high, guess = page, count - 1, count - 1
        else:
            low, guess = count + 1, count + 1
    return best


def _guess(whole: int, least: int, savings: Sequence[int]) -> int:
    """How many articles must be shortened, when the page of `whole` bytes shrinks to `least` with all of them, each
    giving its share.
    """
    worth = (whole - least) / max(1, sum(savings))
    size = float(whole)
    for count, saving in enumerate(savings, 1):
        size -= saving * worth
        if size <= BUDGET_BYTES:
            return count
    return len(savings)
